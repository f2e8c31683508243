#include "histogram.h"

#include <math.h>

#include "archive.h"

/* Room below the first values: a service gets slower more often than faster. */
#define ROOM_BELOW (HISTOGRAM_BUCKETS / 3)

static void add(struct histogram *into, int64_t index, uint64_t count)
{
	int64_t at = index - into->offset;

	if (at < 0)
		at = 0;
	if (at >= HISTOGRAM_BUCKETS)
		at = HISTOGRAM_BUCKETS - 1;
	if (count > UINT32_MAX - into->total)
		count = UINT32_MAX - into->total;
	into->counts[at] += (uint32_t)count;
	into->total += (uint32_t)count;
}

/* The median decides where an empty histogram lies, so that one early outlier does not.
 */
static void centre(struct histogram *empty, double median_us)
{
	double index =
		median_us > 0 ? floor(log2(median_us) * (1 << HISTOGRAM_SCALE)) : 0;

	empty->offset = (int32_t)index - ROOM_BELOW;
}

void histogram_add_sketch(struct histogram *into, const struct sketch *sketch)
{
	int shift = sketch->scale - HISTOGRAM_SCALE;

	if (sketch_is_empty(sketch))
		return;
	if (!into->total)
		centre(into, sketch_quantile(sketch, 0.5));
	for (unsigned i = 0; i < sketch->used; i++) {
		int64_t index = (int64_t)sketch->offset + i;

		/* A coarser sketch than ours has its values in the middle of what it
		 * covers. */
		if (shift >= 0)
			index >>= shift;
		else
			index = index * (INT64_C(1) << -shift) +
				(INT64_C(1) << (-shift - 1));
		add(into, index, sketch->counts[i]);
	}
	add(into, into->offset, sketch->zeros);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->total)
		return;
	if (!into->total)
		into->offset = from->offset;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		add(into, (int64_t)from->offset + i, from->counts[i]);
}

double histogram_quantile(const struct histogram *histogram, double q)
{
	double rank = q * histogram->total, below = 0;

	if (!histogram->total)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double count = histogram->counts[i];

		if (count > 0 && below + count >= rank) {
			double part = (rank - below) / count;

			return exp2((histogram->offset + (double)i + part) /
				    (1 << HISTOGRAM_SCALE));
		}
		below += count;
	}
	return exp2(
		(histogram->offset + (double)HISTOGRAM_BUCKETS) / (1 << HISTOGRAM_SCALE));
}

void histogram_keep(struct archive *archive, struct histogram *histogram)
{
	archive_i32(archive, &histogram->offset);
	archive_u32(archive, &histogram->total);
	archive_u32_row(archive, histogram->counts, HISTOGRAM_BUCKETS);
}
