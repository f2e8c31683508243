/*
 * One TCP segment: ports, numbers, flags, and its data as sent and as captured. Pure.
 * Source: RFC 9293 §3.1, RFC 7323 §3 (timestamps).
 */
#ifndef PACKET_TCP_SEGMENT_H
#define PACKET_TCP_SEGMENT_H

#include "ip_layer.h"

#define TCP_SEGMENT_FIN 0x01
#define TCP_SEGMENT_SYN 0x02
#define TCP_SEGMENT_RST 0x04
#define TCP_SEGMENT_ACK 0x10

struct tcp_segment {
	struct address source, destination;
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	uint8_t ttl;   /* of the packet */
	bool stamped;  /* with a timestamp and an identification: mark is its alone */
	uint32_t mark; /* differs between a packet and its retransmission, not its copy */
	const uint8_t *data; /* as captured */
	uint32_t captured;   /* bytes at data; at most len */
	uint32_t len;        /* as sent */
};

/* Reads it out of an IP packet whose protocol is TCP. 0, STATUS_SHORT, STATUS_SYNTAX. */
int tcp_segment_read(struct tcp_segment *out, const struct ip_packet *ip);

/* Sequence numbers wrap: how far a stands behind b; negative when before it. */
static inline int32_t tcp_segment_distance(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

#endif
