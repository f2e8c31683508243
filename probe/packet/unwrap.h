/*
 * From a captured frame to the packet that a connection belongs to: off come the link
 * layer, tags and labels, and, where asked for, tunnels (GRE and ERSPAN, IP in IP, VXLAN,
 * Geneve), one inside another up to a bound; fragments are put together. Whatever is not
 * understood is set aside and counted by its reason. Pure; memory is fixed when it is
 * made. Source: RFC 2784 and 2890 (GRE), draft-foschiano-erspan, RFC 2003 and 4213 (IP in
 * IP), RFC 7348 (VXLAN), RFC 8926 (Geneve).
 */
#ifndef PACKET_UNWRAP_H
#define PACKET_UNWRAP_H

#include "fragment_table.h"

struct unwrap;

/* Tunnels, to be combined. */
#define UNWRAP_GRE 1u
#define UNWRAP_IP_IN_IP 2u
#define UNWRAP_VXLAN 4u
#define UNWRAP_GENEVE 8u
#define UNWRAP_TUNNELS 4

struct unwrap_counts {
	uint64_t not_ip;    /* frames that carry something else, for instance ARP */
	uint64_t tunnelled; /* packets that were taken out of a tunnel */
	uint64_t too_deep;  /* with more around them than is taken off */
	uint64_t unread;    /* in tunnels of a version or content not read here */
	struct fragment_counts fragments;
};

/* tunnels: which to look into; the traffic of others is that of their ends. */
int unwrap_new(struct unwrap **out, unsigned tunnels);
void unwrap_free(struct unwrap *unwrap);

/* One frame: what was captured of wire_len bytes. 0 with the packet, whose payload is
 * good until the next call; STATUS_SHORT when it was cut before its transport header,
 * STATUS_SYNTAX when it contradicts itself, other negative values when it was set aside
 * (and counted). */
int unwrap_packet(struct unwrap *unwrap, struct ip_packet *out, int link_type,
	struct moment at, const uint8_t *bytes, uint32_t captured, uint32_t wire_len);

void unwrap_count(const struct unwrap *unwrap, struct unwrap_counts *counts);

/* "gre,vxlan" and the like; those that there are: gre, ipip, vxlan, geneve. "" is none.
 * STATUS_UNKNOWN when it names another. */
int unwrap_parse_tunnels(unsigned *out, const char *list);

#endif
