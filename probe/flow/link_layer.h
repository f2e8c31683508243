/*
 * From a captured frame to its IP header: Ethernet (with VLAN and QinQ tags), Linux
 * cooked v1 and v2, raw IP, and the loopback headers NULL and LOOP. VLAN numbers are
 * skipped: they may differ by direction and say nothing of a flow. Pure; never reads
 * beyond the cursor. Source: tcpdump.org/linktypes.html, IEEE 802.1Q.
 */
#ifndef FLOW_LINK_LAYER_H
#define FLOW_LINK_LAYER_H

#include <stdbool.h>

#include "astray/cursor.h"

/* The numbers of link types as libpcap reports them. */
enum link_layer_type {
	LINK_LAYER_NULL = 0,
	LINK_LAYER_ETHERNET = 1,
	LINK_LAYER_RAW_BSD = 12,
	LINK_LAYER_RAW_OPENBSD = 14,
	LINK_LAYER_RAW = 101,
	LINK_LAYER_LOOP = 108,
	LINK_LAYER_COOKED = 113,
	LINK_LAYER_IPV4 = 228,
	LINK_LAYER_IPV6 = 229,
	LINK_LAYER_COOKED_2 = 276,
};

bool link_layer_is_known(int type);

/* Moves the cursor to the IP header. 0, STATUS_NOT_OURS when the frame carries no IP,
 * STATUS_SHORT when it ends before that is known, STATUS_UNSUPPORTED for other link
 * types. */
int link_layer_enter(struct cursor *cur, int type);

#endif
