/*
 * One UDP datagram: ports, and its data as sent and as captured. Pure. Source: RFC 768.
 */
#ifndef PACKET_UDP_DATAGRAM_H
#define PACKET_UDP_DATAGRAM_H

#include "ip_layer.h"

struct udp_datagram {
	struct address source, destination;
	uint16_t source_port, destination_port;
	uint8_t ttl;        /* of the packet */
	struct cursor data; /* as captured */
	uint32_t len;       /* as sent; at least what was captured */
};

/* Reads it out of an IP packet whose protocol is UDP. 0, STATUS_SHORT, STATUS_SYNTAX. */
int udp_datagram_read(struct udp_datagram *out, const struct ip_packet *ip);

#endif
