/*
 * Reads what comes back to a trace: ICMP and ICMPv6 errors with the packet that they
 * quote, echo replies, the TCP segments that answer a SYN, and UDP datagrams. Everything
 * here may be forged: a reply says which flow and which id it is for, and counts only if
 * these are ours.
 */
#ifndef TRACE_REPLY_PACKET_H
#define TRACE_REPLY_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/obs.h"
#include "probe_packet.h"

enum reply_kind {
	REPLY_EXPIRED,     /* the TTL ran out here */
	REPLY_UNREACHABLE, /* somebody on the way would not pass it on */
	REPLY_ARRIVED,     /* the destination answered */
	REPLY_TOO_BIG,     /* the packet is larger than what lies behind can carry */
};

struct reply_packet {
	enum reply_kind kind;
	struct address from;
	/* The probe it answers; its own address is not known from every reply. */
	struct address to;
	enum obs_protocol protocol;
	uint16_t from_port, to_port, cookie; /* as in struct probe_flow */
	uint16_t id;
	bool is_data;        /* a datagram: it has no id, but may have what follows */
	uint16_t dns_number; /* of an answer to a DNS question; 0: none */
	/* What stands where IPv4 packets of ours have their id a second time: some
	 * translators rewrite UDP's checksum and leave this. 0: nothing was quoted. */
	uint16_t second_id;
	uint16_t
		quoted_number; /* and UDP's first two bytes of payload, to the same end */
	struct address quoted_from; /* family 0: nothing was quoted */
	enum obs_unreachable why;   /* with REPLY_UNREACHABLE */
	bool translated;            /* set by who knows the flow; see below */
	uint8_t ttl;                /* of the reply itself; 0: not known */
	uint8_t quoted_ttl, quoted_tos;
	uint16_t mtu; /* with REPLY_TOO_BIG; 0: it does not say */
	unsigned mpls_count;
	struct obs_mpls mpls[OBS_MPLS];
};

/* A packet with its IPv4 header, as a raw socket has it. STATUS_NOT_OURS when it is none
 * of the above, STATUS_SHORT when it ends too early, STATUS_CORRUPT when its checksum is
 * wrong. */
int reply_packet_read_v4(struct reply_packet *out, const void *bytes, size_t len);

/* What follows the IPv6 header (`protocol` is TCP, UDP or ICMPv6), as raw sockets have
 * it; the kernel has checked ICMPv6's checksum. */
int reply_packet_read_v6(struct reply_packet *out, const struct address *from,
	uint8_t protocol, const void *bytes, size_t len);

/* What a ping socket has: an echo reply without its IP header. */
int reply_packet_read_echo(struct reply_packet *out, const struct address *from,
	const void *bytes, size_t len);
/* The number of a DNS answer that came from this port; false when it is none. */
bool reply_packet_read_dns_number(
	uint16_t *number, uint16_t port, const void *bytes, size_t len);
/* Sets kind, why and mtu of a reply of which everything else is known, from its ICMP type
 * and code. STATUS_NOT_OURS when these say nothing of a path. */
int reply_packet_judge(
	struct reply_packet *reply, uint8_t type, uint8_t code, uint32_t mtu);

/* Whether it answers a packet of this flow. numbered: its id and cookie are known. */
bool reply_packet_answers(
	const struct reply_packet *reply, const struct probe_flow *flow, bool numbered);
/* Whether somebody rewrote the packet before it came to the one who quotes it. */
bool reply_packet_is_translated(
	const struct reply_packet *reply, const struct probe_flow *flow);

#endif
