/*
 * No router is asked more often than it may be, over all traces together: the first hops
 * are the same for many destinations, and routers answer only so much.
 *
 * Who will answer a probe is known from before: from the last answer at that TTL towards
 * that destination, else from the last at that TTL towards any, where these agree. A TTL
 * that nobody has answered at counts as one router, until it is known who stands there;
 * one that different routers answer at, for a destination that is new, as none: what is
 * asked too soon then is made up for by waiting longer. Pure; the room is fixed.
 */
#ifndef TRACE_ROUTER_PACE_H
#define TRACE_ROUTER_PACE_H

#include <stdint.h>

#include "astray/address.h"
#include "astray/moment.h"

#define ROUTER_PACE_BURST 6 /* what a router of Linux answers at once */

struct router_pace;

int router_pace_new(struct router_pace **out, int64_t rate);
void router_pace_free(struct router_pace *pace); /* NULL is fine */

/* How long until a probe towards this peer may be sent with this TTL. */
int64_t router_pace_wait_us(const struct router_pace *pace, const struct address *peer,
	uint8_t ttl, struct tick now);
void router_pace_asked(struct router_pace *pace, const struct address *peer, uint8_t ttl,
	struct tick now);
void router_pace_answered(struct router_pace *pace, const struct address *peer,
	uint8_t ttl, const struct address *from, struct tick now);

#endif
