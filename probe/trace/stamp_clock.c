#include "stamp_clock.h"

/* Reading two clocks takes a moment, and a process may be put to sleep between the two.
 */
#define STEP_US 500

void stamp_clock_init(struct stamp_clock *clock, struct moment wall, struct tick now)
{
	clock->offset_us = now.us - wall.us;
	clock->now = now;
	clock->steady = true;
}

void stamp_clock_read(struct stamp_clock *clock, struct moment wall, struct tick now)
{
	int64_t moved_us = now.us - wall.us - clock->offset_us;

	stamp_clock_init(clock, wall, now);
	clock->steady = moved_us <= STEP_US && moved_us >= -STEP_US;
}

struct tick stamp_clock_tick(const struct stamp_clock *clock, struct moment stamp)
{
	struct tick tick = {stamp.us + clock->offset_us};

	return clock->steady && tick.us <= clock->now.us ? tick : clock->now;
}
