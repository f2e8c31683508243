#include "level_shift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"

#define HELD (LEVEL_SHIFT_BEFORE + LEVEL_SHIFT_AFTER)
/* Fewer values are no level yet: a step may soon be taken back. */
#define BEFORE_LEAST 20
/* Found on real series with hand-made labels (F1 .66, 0.9 false a week), and not sharp
 * there. */
#define SPREADS 3.5
#define STEP_LEAST_MS 1.5
#define STEP_LEAST_SHARE .01
#define BEYOND_SHARE .95
#define CLEAR_OF_STEP .6
#define NORMAL_SPREAD 1.4826 /* a median of absolute errors as a standard deviation */

struct summary {
	double median, spread, low, high;
};

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double at_share(const double *sorted, unsigned count, double share)
{
	double place = share * (count - 1);
	unsigned below = (unsigned)place;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
}

static struct summary sum_up(const float *values, unsigned count)
{
	double sorted[HELD];
	struct summary out;

	for (unsigned i = 0; i < count; i++)
		sorted[i] = values[i];
	qsort(sorted, count, sizeof(sorted[0]), by_value);
	out.median = at_share(sorted, count, .5);
	out.low = at_share(sorted, count, 1 - BEYOND_SHARE);
	out.high = at_share(sorted, count, BEYOND_SHARE);
	for (unsigned i = 0; i < count; i++)
		sorted[i] = fabs(values[i] - out.median);
	qsort(sorted, count, sizeof(sorted[0]), by_value);
	out.spread = NORMAL_SPREAD * at_share(sorted, count, .5);
	return out;
}

static void push(struct level_shift *shift, double value_ms)
{
	if (shift->count == HELD)
		memmove(shift->values, shift->values + 1,
			(HELD - 1) * sizeof(shift->values[0]));
	else
		shift->count++;
	shift->values[shift->count - 1] = (float)value_ms;
}

/* All of the new values stand on the new side: clear of the old level and of its
 * outermost. */
static bool all_beyond(
	const float *after, const struct summary *before, double step, bool up)
{
	double bound = up ? fmax(before->median + CLEAR_OF_STEP * step, before->high)
			  : fmin(before->median - CLEAR_OF_STEP * step, before->low);

	for (unsigned i = 0; i < LEVEL_SHIFT_AFTER; i++)
		if (up ? after[i] <= bound : after[i] >= bound)
			return false;
	return true;
}

bool level_shift_feed(struct level_shift *shift, double value_ms, struct level_step *step)
{
	unsigned before_count;
	const float *after;
	struct summary old, new;
	double least;
	bool up;

	push(shift, value_ms);
	if (shift->count < BEFORE_LEAST + LEVEL_SHIFT_AFTER)
		return false;
	before_count = shift->count - LEVEL_SHIFT_AFTER;
	after = shift->values + before_count;
	old = sum_up(shift->values, before_count);
	new = sum_up(after, LEVEL_SHIFT_AFTER);
	least = fmax(fmax(SPREADS * old.spread, new.spread),
		fmax(STEP_LEAST_MS, STEP_LEAST_SHARE * old.median));
	up = new.median > old.median;
	if (fabs(new.median - old.median) <= least || !all_beyond(after, &old, least, up))
		return false;
	*step = (struct level_step){old.median, new.median};
	memmove(shift->values, after, LEVEL_SHIFT_AFTER * sizeof(shift->values[0]));
	shift->count = LEVEL_SHIFT_AFTER;
	return true;
}

double level_shift_now(const struct level_shift *shift)
{
	if (shift->count < LEVEL_SHIFT_AFTER)
		return 0;
	return sum_up(shift->values + shift->count - LEVEL_SHIFT_AFTER, LEVEL_SHIFT_AFTER)
		.median;
}

void level_shift_keep(struct archive *archive, struct level_shift *shift)
{
	archive_count(archive, &shift->count, HELD);
	for (uint32_t i = 0; i < shift->count; i++)
		archive_float(archive, &shift->values[i]);
}
