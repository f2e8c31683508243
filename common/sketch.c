#include "astray/sketch.h"

#include <math.h>
#include <string.h>

#include "astray/status.h"

#define OFFSET_MAX (INT64_C(1) << 30) /* far beyond what any double reaches at scale 20 \
				       */

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
	double fraction = frexp(value,
		&exponent); /* value = fraction * 2^exponent, 0.5 <= fraction < 1 */

	if (scale <= 0) {
		int64_t whole = fraction == 0.5 ? exponent - 2 : exponent - 1;

		return whole >> -scale;
	}
	if (fraction ==
		0.5) /* an exact power of two lies on a bound, which belongs below */
		return ((int64_t)(exponent - 1) << scale) - 1;
	return (int64_t)ceil(ldexp(log2(fraction) + exponent, scale)) - 1;
}

/* Joins 2^by neighbours. An arithmetic shift rounds down, which is what the bounds want.
 */
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

/* Makes counts[] cover index (at the sketch's scale, which may fall); returns where it
 * stands. */
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
	if (!(value_us >= 0) || !isfinite(value_us))
		return false;
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
	if (from->total == 0)
		return;
	sketch_downscale(into, from->scale);
	for (unsigned i = 0; i < from->used; i++) {
		if (from->counts[i]) {
			/* The scale may fall while buckets are added: shift by what it is
			 * now. */
			int by = from->scale - into->scale;
			unsigned at = cover(into, ((int64_t)from->offset + i) >> by);

			into->counts[at] += from->counts[i];
		}
	}
	widen(into, from->min, from->max);
	into->zeros += from->zeros;
	into->total += from->total;
	into->sum += from->sum;
}

/* The lower bound of the bucket with that index. */
static double bound(int64_t index, int scale)
{
	return exp2(ldexp((double)index, -scale));
}

static double clamp(double value, double low, double high)
{
	return value < low ? low : value > high ? high : value;
}

double sketch_quantile(const struct sketch *sketch, double q)
{
	double rank = clamp(q, 0, 1) * (double)sketch->total,
	       below = (double)sketch->zeros;

	if (sketch->total == 0)
		return 0;
	if (rank <= below && sketch->zeros)
		return 0;
	for (unsigned i = 0; i < sketch->used; i++) {
		double here = (double)sketch->counts[i];

		if (here > 0 && rank <= below + here) {
			int64_t index = (int64_t)sketch->offset + i;
			double low = bound(index, sketch->scale);
			double high = bound(index + 1, sketch->scale);
			double value =
				low * pow(high / low, clamp((rank - below) / here, 0, 1));

			return clamp(value, sketch->min, sketch->max);
		}
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

	if (value_us < 0)
		return (double)sketch->total;
	for (unsigned i = 0; i < sketch->used; i++) {
		int64_t index = (int64_t)sketch->offset + i;
		double low = bound(index, sketch->scale),
		       high = bound(index + 1, sketch->scale);
		double part = value_us <= low    ? 1
			      : value_us >= high ? 0
						 : log(high / value_us) / log(high / low);

		above += part * (double)sketch->counts[i];
	}
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

static bool extremes_hold(double sum, double min, double max)
{
	return isfinite(sum) && isfinite(min) && isfinite(max) && sum >= 0 && min >= 0 &&
	       max >= min;
}

static int load_counts(
	struct sketch *out, int64_t offset, const uint64_t *counts, size_t len)
{
	size_t first, end;
	int by;

	if (!trim(counts, len, &first, &end))
		return 0;
	by = excess(offset + (int64_t)first, offset + (int64_t)end - 1);
	if (out->scale - by < SKETCH_SCALE_MIN)
		return STATUS_RANGE;
	out->scale -= by;
	for (size_t i = first; i < end; i++) {
		if (counts[i] > UINT64_MAX - out->total)
			return STATUS_RANGE;
		if (counts[i])
			out->counts[cover(out, (offset + (int64_t)i) >> by)] += counts[i];
		out->total += counts[i];
	}
	return 0;
}

int sketch_load(struct sketch *out, int scale, int64_t offset, const uint64_t *counts,
	size_t len, uint64_t zeros, double sum, double min, double max)
{
	int rc;

	sketch_init(out);
	if (scale < SKETCH_SCALE_MIN || scale > SKETCH_SCALE_MAX || offset > OFFSET_MAX ||
		offset < -OFFSET_MAX || len > (size_t)OFFSET_MAX)
		return STATUS_RANGE;
	out->scale = scale;
	out->total = out->zeros = zeros;
	rc = load_counts(out, offset, counts, len);
	if (rc == 0 && !extremes_hold(sum, min, max))
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
