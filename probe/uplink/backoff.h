/*
 * How long to wait before the next try: full jitter, so that probes which failed together
 * do not come back together. Pure.
 */
#ifndef ASTRAY_BACKOFF_H
#define ASTRAY_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t first_us; /* the first wait is at most this; each further one at most
			     twice the last */
	int64_t limit_us;
	unsigned failures; /* since the last success */
};

/* Counts a failure: between not_before_us (0: nothing was asked for) and that plus the
 * bound for so many failures, as the random number falls. */
int64_t backoff_next_us(struct backoff *backoff, int64_t not_before_us, uint64_t random);
void backoff_reset(struct backoff *backoff);

#endif
