#include "stamp_clock.h"

#include <stdbool.h>

/* Reading two clocks takes a moment, and a process may be put to sleep between the two.
 */
#define STEP_US 500
#define SLEW_SHARE 1000 /* twice as fast as Linux slews a clock */
/* Packets that were stamped before the step are all read by then. */
#define DISTRUST_US MOMENT_SECOND_US

void stamp_clock_init(struct stamp_clock *clock, struct moment wall, struct tick now)
{
	clock->offset_us = now.us - wall.us;
	clock->now = now;
	clock->steady_from = now;
}

/* The later clock is read late, never early: so the least difference is the truest, and
 * it grows no faster than clocks are slewed. */
void stamp_clock_read(struct stamp_clock *clock, struct moment wall, struct tick now)
{
	int64_t moved_us = now.us - wall.us - clock->offset_us;
	int64_t slewed_us = (now.us - clock->now.us + SLEW_SHARE - 1) / SLEW_SHARE;
	bool stepped = moved_us > STEP_US || moved_us < -STEP_US;

	if (stepped)
		clock->steady_from.us = now.us + DISTRUST_US;
	else if (moved_us > slewed_us)
		moved_us = slewed_us;
	clock->offset_us += moved_us;
	clock->now = now;
}

struct tick stamp_clock_tick(const struct stamp_clock *clock, struct moment stamp)
{
	struct tick tick = {stamp.us + clock->offset_us};

	if (clock->now.us < clock->steady_from.us || tick.us > clock->now.us)
		return clock->now;
	return tick;
}
