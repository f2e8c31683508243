/*
 * The collector's time out of two clocks. Pure. It follows the wall clock forward; when
 * that is set back, it goes on at the monotonic clock's pace until the wall clock has
 * caught up.
 */
#ifndef ASTRAY_JOURNAL_CLOCK_H
#define ASTRAY_JOURNAL_CLOCK_H

#include "astray/moment.h"

struct journal_clock {
	struct moment last;  /* shown */
	struct tick at;      /* when it was shown */
	struct moment given; /* the last stamp */
};

/* Begins behind the newest stamp that is known. */
struct journal_clock journal_clock_after(struct moment newest, struct tick now);
struct moment journal_clock_read(
	struct journal_clock *clock, struct moment wall, struct tick now);
/* The same, but never the same twice. */
struct moment journal_clock_stamp(
	struct journal_clock *clock, struct moment wall, struct tick now);

#endif
