/*
 * The packets that a trace sends: a TCP SYN, a UDP datagram or an ICMP echo request, over
 * IPv4 or IPv6, complete with the IP header (the kernel fills in IPv4's checksum).
 *
 * Routers choose among equal ways by addresses, protocol and the first four bytes behind
 * the IP header. All packets of one flow keep these the same, so that they take one path;
 * what tells them apart stands elsewhere within the eight bytes that every router quotes:
 *
 *   TCP   the sequence number's lower half
 *   UDP   the checksum, which two bytes of payload make right; to port 53 the payload is
 *         a DNS question, whose number these two bytes are, since others are not answered
 *   ICMP  the echo sequence number; two bytes of payload keep the checksum the same
 */
#ifndef TRACE_PROBE_PACKET_H
#define TRACE_PROBE_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/obs.h"

#define PROBE_PACKET_MAX 80
#define PROBE_PACKET_DNS_PORT 53

struct probe_flow {
	struct address from, to;
	enum obs_protocol protocol;
	uint16_t from_port; /* ICMP: the identifier */
	uint16_t to_port;   /* ICMP: the checksum that all share, neither 0 nor 0xffff */
	uint16_t cookie;    /* TCP: the sequence number's upper half; otherwise unused */
};

/* Writes the packet and returns its length. The id is neither 0 nor 0xffff: as a UDP
 * checksum these would mean none, and each other. */
size_t probe_packet_build(uint8_t packet[static PROBE_PACKET_MAX],
	const struct probe_flow *flow, uint8_t ttl, uint16_t id);
size_t probe_packet_len(const struct probe_flow *flow);
/* The same with so many zeros behind, which the caller sends after it, and not to be
 * fragmented. */
size_t probe_packet_build_padded(uint8_t packet[static PROBE_PACKET_MAX],
	const struct probe_flow *flow, uint8_t ttl, uint16_t id, size_t padding);

/* What a UDP socket sends for it, which has its id in the first two bytes and the cookie
 * behind, where that finds room; the length. */
size_t probe_packet_payload(uint8_t payload[static PROBE_PACKET_MAX],
	const struct probe_flow *flow, uint16_t id);
/* The id of the UDP packet (without padding) whose payload begins with this number. */
uint16_t probe_packet_id_of_number(const struct probe_flow *flow, uint16_t number);

#endif
