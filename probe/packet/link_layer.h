/*
 * From a captured frame to its IP header: Ethernet, Linux cooked v1 and v2, raw IP, the
 * loopback headers NULL and LOOP, and PPP; inside them VLAN and QinQ tags, MPLS and
 * PPPoE. VLAN numbers and MPLS labels are skipped: they may differ by direction and say
 * nothing of a flow. Pure; never reads beyond the cursor. Source:
 * tcpdump.org/linktypes.html, IEEE 802.1Q, RFC 3032 (MPLS), RFC 4385 (control word), RFC
 * 2516 (PPPoE), RFC 1661, RFC 1662.
 */
#ifndef PACKET_LINK_LAYER_H
#define PACKET_LINK_LAYER_H

#include <stdbool.h>

#include "astray/cursor.h"

/* The numbers of link types as libpcap reports them. */
enum link_layer_type {
	LINK_LAYER_NULL = 0,
	LINK_LAYER_ETHERNET = 1,
	LINK_LAYER_PPP = 9,
	LINK_LAYER_RAW_BSD = 12,
	LINK_LAYER_RAW_OPENBSD = 14,
	LINK_LAYER_PPP_SERIAL = 50,
	LINK_LAYER_PPP_ETHER = 51,
	LINK_LAYER_RAW = 101,
	LINK_LAYER_LOOP = 108,
	LINK_LAYER_COOKED = 113,
	LINK_LAYER_IPV4 = 228,
	LINK_LAYER_IPV6 = 229,
	LINK_LAYER_COOKED_2 = 276,
};

bool link_layer_is_known(int type);

/* Moves the cursor to the IP header. 0, STATUS_NOT_OURS when the frame carries no IP,
 * STATUS_SHORT when it ends before that is known, STATUS_LIMIT when it has more tags than
 * anybody stacks, STATUS_UNSUPPORTED for other link types. */
int link_layer_enter(struct cursor *cur, int type);
/* The same from behind an Ethernet type. */
int link_layer_enter_ethertype(struct cursor *cur, uint16_t ethertype);

#endif
