#include "journal_clock.h"

struct journal_clock journal_clock_after(struct moment newest, struct tick now)
{
	return (struct journal_clock){.last = newest, .at = now, .given = newest};
}

struct moment journal_clock_read(
	struct journal_clock *clock, struct moment wall, struct tick now)
{
	struct moment paced = moment_plus_us(clock->last, tick_since_us(now, clock->at));

	clock->last = moment_before(paced, wall) ? wall : paced;
	clock->at = now;
	return clock->last;
}

struct moment journal_clock_stamp(
	struct journal_clock *clock, struct moment wall, struct tick now)
{
	struct moment read = journal_clock_read(clock, wall, now);

	clock->given = moment_before(clock->given, read)
			       ? read
			       : moment_plus_us(clock->given, 1);
	return clock->given;
}
