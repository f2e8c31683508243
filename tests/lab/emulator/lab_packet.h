/*
 * An IP packet as a router looks at it: addresses, time to live, the start of what it
 * carries. Pure: bytes in, bytes out. Answers are whole packets with their checksums.
 */
#ifndef LAB_PACKET_H
#define LAB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"

#define LAB_PACKET_MAX 2048
#define LAB_LABELS 8

struct lab_packet {
	const uint8_t *bytes;
	size_t len, body_at;
	uint8_t version, protocol;
	uint8_t ttl;        /* as it stands where the packet is now; quotes show it */
	bool dont_fragment; /* IPv6: always */
	struct address from, to;
};

/* An ICMP error about a packet. */
struct lab_error {
	uint8_t type, code, ttl; /* ttl: of the answer itself */
	uint32_t rest;           /* the second word, without a length: next-hop MTU */
	size_t quote;            /* bytes quoted at most; 0: all that fit */
	unsigned label_count;    /* MPLS, RFC 4950 */
	uint32_t labels[LAB_LABELS];
	bool bare_extension; /* without the length field, as before RFC 4884 */
};

/* Refuses what is no whole IPv4 or IPv6 packet. */
int lab_packet_read(struct lab_packet *out, const uint8_t *bytes, size_t len);
/* The same for all packets of one flow, another for (almost) every other. */
uint64_t lab_packet_flow(const struct lab_packet *packet, uint64_t salt);
bool lab_packet_is_multicast(const struct lab_packet *packet);

/* Sets the time to live in a copy of the packet, and the checksum that covers it. */
void lab_packet_set_ttl(uint8_t *bytes, uint8_t ttl);

/* What a NAT does to a copy of the packet, and to the checksums that cover the address.
 */
void lab_packet_set_source(uint8_t *bytes, size_t len, const struct address *source);
void lab_packet_set_destination(uint8_t *bytes, size_t len, const struct address *to);
void lab_packet_set_tos(uint8_t *bytes, uint8_t tos);

/* Both write at most LAB_PACKET_MAX bytes and return how many; 0: there is no answer to
 * this. */
size_t lab_packet_error(uint8_t *out, const struct lab_packet *about,
	const struct address *from, const struct lab_error *error);
/* What a destination says for itself: echo reply, port unreachable, RST, or SYN-ACK. */
size_t lab_packet_arrival(uint8_t *out, const struct lab_packet *about, bool listens);
/* An answer to something like this packet that was never sent. */
size_t lab_packet_forgery(
	uint8_t *out, const struct lab_packet *about, const struct address *from);

#endif
