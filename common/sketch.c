#include "astray/sketch.h"

#include <math.h>
#include <string.h>

#include "astray/status.h"

/* No double lies below 2^-1074 or above 2^1024, so at any scale indices have ends; what
 * lies inside them always fits the buckets at the coarsest scale. */
#define EXPONENT_MIN (-1075)
#define EXPONENT_MAX 1024
/* Where totals stop: the largest count that the wire carries exactly. */
#define TOTAL_MAX ((UINT64_C(1) << 53) - 1)
/* How far a sum may stray from what min and max allow before it is none: writers round.
 */
#define SUM_SLACK 0.01

void sketch_init(struct sketch *sketch)
{
	sketch->scale = SKETCH_SCALE_FINEST;
	sketch->offset = 0;
	sketch->used = 0;
	sketch->zeros = sketch->total = 0;
	sketch->sum = sketch->min = sketch->max = 0;
}

/* The bucket of a positive value: the i with b^i < value <= b^(i+1). */
static int64_t index_of(double value, int scale)
{
	int exponent;
	double fraction =
		frexp(value, &exponent); /* fraction * 2^exponent, from 0.5 to 1 */
	bool power = fraction == 0.5;    /* lies on a bound, and belongs below it */

	if (scale <= 0)
		return ((int64_t)exponent - (power ? 2 : 1)) >> -scale;
	if (power)
		return ((int64_t)exponent - 1) * (INT64_C(1) << scale) - 1;
	return (int64_t)ceil(ldexp(log2(fraction) + exponent, scale)) - 1;
}

/* Joins 2^by neighbours. An arithmetic shift rounds down, as the bounds want it. */
static void join(struct sketch *sketch, int by)
{
	int offset = sketch->offset >> by;
	unsigned used = 0;

	for (unsigned i = 0; i < sketch->used; i++) {
		unsigned to = (unsigned)(((sketch->offset + (int)i) >> by) - offset);
		uint64_t count = sketch->counts[i];

		if (to >= used) {
			sketch->counts[to] = 0;
			used = to + 1;
		}
		sketch->counts[to] += count;
	}
	sketch->offset = offset;
	sketch->used = used;
}

void sketch_downscale(struct sketch *sketch, int scale)
{
	if (scale < SKETCH_SCALE_MIN)
		scale = SKETCH_SCALE_MIN;
	if (scale >= sketch->scale)
		return;
	/* Indices fit 31 bits, so a larger shift changes nothing more. */
	join(sketch, sketch->scale - scale > 31 ? 31 : sketch->scale - scale);
	sketch->scale = scale;
}

/* How far two ends must be shifted until they fit. */
static int excess(int64_t low, int64_t high)
{
	int by = 0;

	while ((high >> by) - (low >> by) >= SKETCH_BUCKETS)
		by++;
	return by;
}

/* Makes counts[] cover index, for which the scale may fall; returns where it stands. */
static unsigned cover(struct sketch *sketch, int64_t index)
{
	int64_t low = sketch->used && sketch->offset < index ? sketch->offset : index;
	int64_t last = sketch->offset + (int64_t)sketch->used - 1;
	int64_t high = sketch->used && last > index ? last : index;
	int by = excess(low, high);
	unsigned shift;

	sketch_downscale(sketch, sketch->scale - by);
	index >>= by;
	if (sketch->used == 0) {
		sketch->offset = (int)index;
		sketch->counts[0] = 0;
		sketch->used = 1;
		return 0;
	}
	if (index < sketch->offset) {
		shift = (unsigned)(sketch->offset - index);
		memmove(sketch->counts + shift, sketch->counts,
			sketch->used * sizeof(sketch->counts[0]));
		memset(sketch->counts, 0, shift * sizeof(sketch->counts[0]));
		sketch->offset = (int)index;
		sketch->used += shift;
	}
	for (; index >= sketch->offset + (int64_t)sketch->used; sketch->used++)
		sketch->counts[sketch->used] = 0;
	return (unsigned)(index - sketch->offset);
}

static void widen(struct sketch *sketch, double min, double max)
{
	if (sketch->total == 0 || min < sketch->min)
		sketch->min = min;
	if (sketch->total == 0 || max > sketch->max)
		sketch->max = max;
}

bool sketch_add_many(struct sketch *sketch, double value_us, uint64_t times)
{
	if (!(value_us >= 0 && value_us <= SKETCH_VALUE_MAX))
		return false;
	times = times < TOTAL_MAX - sketch->total ? times : TOTAL_MAX - sketch->total;
	if (times == 0)
		return true;
	widen(sketch, value_us, value_us);
	if (value_us == 0)
		sketch->zeros += times;
	else
		sketch->counts[cover(sketch, index_of(value_us, sketch->scale))] += times;
	sketch->total += times;
	sketch->sum += value_us * (double)times;
	return true;
}

bool sketch_add(struct sketch *sketch, double value_us)
{
	return sketch_add_many(sketch, value_us, 1);
}

void sketch_merge(struct sketch *into, const struct sketch *from)
{
	if (from->total == 0 || from->total > TOTAL_MAX - into->total)
		return;
	sketch_downscale(into, from->scale);
	for (unsigned i = 0; i < from->used; i++) {
		/* The scale may fall while buckets are added: shift by what it is now. */
		int by = from->scale - into->scale;

		if (from->counts[i])
			into->counts[cover(into, ((int64_t)from->offset + i) >> by)] +=
				from->counts[i];
	}
	widen(into, from->min, from->max);
	into->zeros += from->zeros;
	into->total += from->total;
	into->sum += from->sum;
}

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

/* The value at `part` (0..1) of a bucket, in the logarithm. */
static double inside(int64_t index, int scale, double part)
{
	return exp2(ldexp((double)index + part, -scale));
}

/* What part of a bucket lies above a value in it, in the logarithm. */
static double share_above(double value, int64_t index, int scale)
{
	return clamp((double)index + 1 - ldexp(log2(value), scale), 0, 1);
}

double sketch_quantile(const struct sketch *sketch, double q)
{
	double rank = clamp(q, 0, 1) * (double)sketch->total;
	double below = (double)sketch->zeros;

	if (sketch->total == 0 || (sketch->zeros && rank <= below))
		return 0;
	for (unsigned i = 0; i < sketch->used; i++) {
		double here = (double)sketch->counts[i];

		if (here > 0 && rank <= below + here)
			return clamp(inside((int64_t)sketch->offset + i, sketch->scale,
					     clamp((rank - below) / here, 0, 1)),
				sketch->min, sketch->max);
		below += here;
	}
	return sketch->max;
}

double sketch_mean(const struct sketch *sketch)
{
	return sketch->total ? sketch->sum / (double)sketch->total : 0;
}

double sketch_count_above(const struct sketch *sketch, double value_us)
{
	double above = 0;
	int64_t edge;

	if (sketch->total == 0 || value_us >= sketch->max)
		return 0;
	if (value_us < sketch->min)
		return (double)sketch->total;
	if (value_us <= 0)
		return (double)(sketch->total - sketch->zeros);
	edge = index_of(value_us, sketch->scale) - sketch->offset;
	for (int64_t i = edge < 0 ? 0 : edge; i < (int64_t)sketch->used; i++)
		above += (double)sketch->counts[i] *
			 (i == edge ? share_above(
					      value_us, i + sketch->offset, sketch->scale)
				    : 1);
	return above;
}

/* The ends of what is really counted; false when all are zero. */
static bool trim(const uint64_t *counts, size_t len, size_t *first, size_t *end)
{
	for (*first = 0; *first < len && counts[*first] == 0; (*first)++)
		;
	for (*end = len; *end > *first && counts[*end - 1] == 0; (*end)--)
		;
	return *first < *end;
}

static bool extremes_hold(uint64_t total, double sum, double min, double max)
{
	double count = (double)total;

	return min >= 0 && max >= min && max <= SKETCH_VALUE_MAX &&
	       sum >= min * count * (1 - SUM_SLACK) &&
	       sum <= max * count * (1 + SUM_SLACK);
}

static bool indices_hold(int scale, int64_t first, int64_t last)
{
	return (double)first >= floor(ldexp(EXPONENT_MIN, scale)) &&
	       (double)last < ceil(ldexp(EXPONENT_MAX, scale));
}

/* Adds counts[0..len), whose ends are not zero. */
static int load_counts(
	struct sketch *out, int64_t offset, const uint64_t *counts, size_t len)
{
	int by = excess(offset, offset + (int64_t)len - 1);

	if (!indices_hold(out->scale, offset, offset + (int64_t)len - 1))
		return STATUS_RANGE;
	out->scale -= by;
	for (size_t i = 0; i < len; i++) {
		if (counts[i] > TOTAL_MAX - out->total)
			return STATUS_RANGE;
		if (counts[i])
			out->counts[cover(out, (offset + (int64_t)i) >> by)] += counts[i];
		out->total += counts[i];
	}
	return 0;
}

static int load(struct sketch *out, int64_t offset, const uint64_t *counts, size_t len)
{
	size_t first, end;

	if (offset > INT32_MAX || offset < INT32_MIN || len > INT32_MAX ||
		out->zeros > TOTAL_MAX)
		return STATUS_RANGE;
	out->total = out->zeros;
	if (!trim(counts, len, &first, &end))
		return 0;
	return load_counts(out, offset + (int64_t)first, counts + first, end - first);
}

int sketch_load(struct sketch *out, int scale, int64_t offset, const uint64_t *counts,
	size_t len, uint64_t zeros, double sum, double min, double max)
{
	int rc = STATUS_RANGE;

	sketch_init(out);
	if (scale < SKETCH_SCALE_MIN || scale > SKETCH_SCALE_MAX)
		return rc;
	out->scale = scale;
	out->zeros = zeros;
	rc = load(out, offset, counts, len);
	if (rc == 0 && !extremes_hold(out->total, sum, min, max))
		rc = STATUS_RANGE;
	if (rc) {
		sketch_init(out);
		return rc;
	}
	if (out->total) {
		out->sum = sum;
		out->min = min;
		out->max = max;
	}
	return 0;
}
