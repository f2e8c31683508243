#include "slot_clock.h"

#include "archive.h"

/* After a long silence only the newest are worth a judgement. */
#define BEHIND_MOST 24

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

/* What a slot is and how long it waits is the pipeline's to say. */
void slot_clock_keep(struct archive *archive, struct slot_clock *clock)
{
	archive_index(archive, &clock->judged);
	archive_index(archive, &clock->newest);
	if (clock->judged > clock->newest ||
		clock->newest - clock->judged > BEHIND_MOST ||
		clock->newest > ARCHIVE_MOST / clock->slot_us)
		archive_refuse(archive);
}
