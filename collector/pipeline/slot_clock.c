#include "slot_clock.h"

#include "archive.h"

/* After a long silence only the newest are worth a judgement. */
#define BEHIND_MOST 24
/* A spool empties within seconds. */
#define AGAIN_US (10 * MOMENT_SECOND_US)
/* What is older than this explains what is known, and opens nothing. */
#define OPENS_US (30 * MOMENT_MINUTE_US)
#define OPENS_SLOTS 18 /* of those that are kept */

void slot_clock_note(struct slot_clock *clock, int64_t slot)
{
	if (!clock->judged)
		clock->judged = slot - 1;
	if (slot > clock->newest)
		clock->newest = slot;
	if (clock->newest - clock->judged > BEHIND_MOST)
		clock->judged = clock->newest - BEHIND_MOST;
}

int64_t slot_clock_next(const struct slot_clock *clock)
{
	return clock->judged < clock->newest ? clock->judged + 1 : 0;
}

struct moment slot_clock_deadline(const struct slot_clock *clock)
{
	int64_t next = slot_clock_next(clock);

	return (struct moment){next ? (next + 1) * clock->slot_us + clock->late_us : 0};
}

void slot_clock_done(struct slot_clock *clock)
{
	clock->judged++;
}

void slot_clock_change(struct slot_clock *clock, int64_t slot, struct moment rx)
{
	if (slot > clock->judged)
		return;
	if (!clock->changed)
		clock->again = moment_plus_us(rx, AGAIN_US);
	if (!clock->changed || slot < clock->changed)
		clock->changed = slot;
}

int64_t slot_clock_take_changed(struct slot_clock *clock, struct moment now)
{
	int64_t slots = OPENS_US / clock->slot_us, first = clock->changed;

	if (!first || moment_before(now, clock->again))
		return 0;
	if (slots > OPENS_SLOTS)
		slots = OPENS_SLOTS;
	if (first <= clock->judged - slots)
		first = clock->judged - slots + 1;
	clock->changed = 0;
	clock->again.us = 0;
	return first > 0 ? first : 1;
}

/* What a slot is and how long it waits is the pipeline's to say. */
void slot_clock_keep(struct archive *archive, struct slot_clock *clock)
{
	archive_index(archive, &clock->judged);
	archive_index(archive, &clock->newest);
	archive_index(archive, &clock->changed);
	archive_moment(archive, &clock->again);
	if (clock->judged > clock->newest || clock->changed > clock->judged ||
		clock->newest - clock->judged > BEHIND_MOST ||
		clock->newest > ARCHIVE_MOST / clock->slot_us)
		archive_refuse(archive);
}
