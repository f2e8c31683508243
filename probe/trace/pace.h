/*
 * A token bucket: at most rate packets a second, and never more at once than twenty
 * milliseconds' worth or PACE_BURST_MIN. Pure arithmetic.
 */
#ifndef TRACE_PACE_H
#define TRACE_PACE_H

#include <stdbool.h>

#include "astray/moment.h"

#define PACE_BURST_MIN 32 /* the TTLs of one trace */

struct pace {
	int64_t rate;   /* packets a second */
	int64_t credit; /* in millionths of a packet */
	int64_t credit_max;
	struct tick counted; /* up to when credit was given */
};

void pace_init(struct pace *pace, int64_t rate, struct tick now);
/* No more than so many at once, at the beginning and after. */
void pace_limit_burst(struct pace *pace, unsigned packets);
/* Whether one packet may go now; it then counts as sent. */
bool pace_take(struct pace *pace, struct tick now);
/* One packet has gone that could not wait; at most a burst is owed. */
void pace_owe(struct pace *pace, struct tick now);
/* How long until the next may go, 0 when one may. */
int64_t pace_wait_us(const struct pace *pace, struct tick now);
/* How long until it is as if none had ever gone. */
int64_t pace_rest_us(const struct pace *pace, struct tick now);

#endif
