/*
 * When is a slot of traffic judged? As soon as every site's gateways have reported it to
 * its end, and a little after its end at the latest; and again when something comes for
 * it later, once more of the same has had a moment to come, for half an hour at most. One
 * for each service and pace; pure.
 */
#ifndef ASTRAY_SLOT_CLOCK_H
#define ASTRAY_SLOT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

struct archive;

struct slot_clock {
	int64_t slot_us, late_us; /* a slot waits so long after its end */
	int64_t judged;           /* the last one; 0: none yet */
	int64_t newest;           /* that anybody reported */
	int64_t changed; /* the first that was judged and has changed since; 0: none */
	struct moment again; /* when that is judged again */
};

void slot_clock_note(struct slot_clock *clock, int64_t slot);
/* The slot to judge next; 0 when there is none. */
int64_t slot_clock_next(const struct slot_clock *clock);
/* When that slot is judged whoever is missing; us 0 when there is none. */
struct moment slot_clock_deadline(const struct slot_clock *clock);
void slot_clock_done(struct slot_clock *clock);
/* Something came for that slot, at that time. */
void slot_clock_change(struct slot_clock *clock, int64_t slot, struct moment rx);
/* The first slot that is to be judged again by now, up to the last one judged; 0: none.
 * It is taken as done. */
int64_t slot_clock_take_changed(struct slot_clock *clock, struct moment now);
void slot_clock_keep(struct archive *archive, struct slot_clock *clock);

#endif
