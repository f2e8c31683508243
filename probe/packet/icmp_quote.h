/*
 * An ICMP or ICMPv6 message that says that a packet did not arrive, and what it quotes of
 * that packet. Anybody can send one: whether the quoted packet was ever sent, who reads
 * it has to know. Pure. Source: RFC 792, RFC 4443 §3.1, RFC 4884 (where the quote ends),
 * RFC 1122 §3.2.2.1 and §4.2.3.9.
 */
#ifndef PACKET_ICMP_QUOTE_H
#define PACKET_ICMP_QUOTE_H

#include "ip_layer.h"

enum icmp_quote_protocol { ICMP_QUOTE_V4 = 1, ICMP_QUOTE_V6 = 58 };

struct icmp_quote {
	bool final; /* port, protocol or policy say no; else there is merely no way */
	struct ip_packet packet; /* the quoted one */
	uint16_t source_port, destination_port;
	uint32_t seq;       /* of TCP */
	struct cursor data; /* of UDP, as far as it is quoted */
	uint32_t data_len;  /* … as sent */
};

/* Reads it out of an IP packet whose protocol is one of enum icmp_quote_protocol. 0;
 * STATUS_UNKNOWN when it is another message, or quotes neither TCP nor UDP; STATUS_SHORT
 * when it ends before the quote says whose it is; STATUS_SYNTAX when it contradicts
 * itself, or goes to another than who sent the quoted packet. */
int icmp_quote_read(struct icmp_quote *out, const struct ip_packet *ip);

#endif
