/*
 * Turns the kernel's receive stamps, which are of the wall clock, into ticks of the
 * monotonic one. Both clocks are read together before each lot of packets; when the wall
 * clock was set in between, stamps say nothing for a while and packets count as received
 * now. Pure arithmetic.
 */
#ifndef TRACE_STAMP_CLOCK_H
#define TRACE_STAMP_CLOCK_H

#include "astray/moment.h"

struct stamp_clock {
	int64_t offset_us; /* tick less moment */
	struct tick now;
	struct tick steady_from; /* from when on stamps are to be believed */
};

void stamp_clock_init(struct stamp_clock *clock, struct moment wall, struct tick now);
void stamp_clock_read(struct stamp_clock *clock, struct moment wall, struct tick now);
/* Never later than the last reading. */
struct tick stamp_clock_tick(const struct stamp_clock *clock, struct moment stamp);

#endif
