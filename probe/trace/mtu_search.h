/*
 * How large a packet a path can carry: which size to try next, and what an answer means.
 * A router that cannot pass a packet on should say how large one may be (RFC 1191, RFC
 * 8201); one that drops it without a word is found by halving. Pure: sizes, ids and times
 * in, sizes out. One probe is in flight at a time.
 */
#ifndef TRACE_MTU_SEARCH_H
#define TRACE_MTU_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/moment.h"

#define MTU_SEARCH_PROBES 32 /* at most */

struct mtu_search {
	unsigned good, bad; /* sizes that passed, and that did not; bad 0: none yet */
	unsigned size;      /* in flight, or to be sent */
	unsigned sent;      /* probes in all */
	unsigned tries;     /* of this size */
	bool waiting, done;
	struct tick deadline; /* while waiting */
	int64_t patience_us;
	struct address limiting; /* who said last that it was too big; family 0: nobody */
	uint16_t limiting_mtu;
};

/* family: 4 or 6. largest: what leaves this machine in one piece. patience_us: how long a
 * probe is waited for. */
void mtu_search_init(
	struct mtu_search *search, uint8_t family, unsigned largest, int64_t patience_us);

/* The size to send now, as the number-th probe (from 0); false when there is none. */
bool mtu_search_next(
	struct mtu_search *search, struct tick now, unsigned *size, unsigned *number);
/* An answer to the probe of this number. Late ones, to a probe that was given up, change
 * nothing. */
void mtu_search_arrived(struct mtu_search *search, unsigned number);
/* from family 0: this machine itself could not send it. mtu 0: it was not said. */
void mtu_search_too_big(struct mtu_search *search, unsigned number,
	const struct address *from, uint16_t mtu);
void mtu_search_expire(struct mtu_search *search, struct tick now);

/* The MTU, once done; 0 when nothing got through. */
unsigned mtu_search_result(const struct mtu_search *search);

#endif
