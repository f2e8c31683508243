/*
 * A mergeable histogram of durations: the OpenTelemetry exponential histogram, positive
 * side and zero count. Bucket i holds values in (b^(offset+i), b^(offset+i+1)], b =
 * 2^(2^-scale), in microseconds. Fixed memory: when values no longer fit in
 * SKETCH_BUCKETS the scale is lowered (neighbouring buckets join), never a value dropped.
 * A quantile is good to half a bucket, about 0.3 % at scale 7. Source: OpenTelemetry
 * metrics data model, "ExponentialHistogram".
 */
#ifndef ASTRAY_SKETCH_H
#define ASTRAY_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKETCH_BUCKETS 320
#define SKETCH_SCALE_MAX 20
#define SKETCH_SCALE_MIN (-10)
#define SKETCH_SCALE_FINEST 7 /* what a writer starts with */
#define SKETCH_VALUE_MAX \
	9007199254740991.0 /* 2^53 - 1 us, 285 years: more is no duration */

struct sketch {
	int scale;
	int offset;    /* exponent index of counts[0]; no meaning while used is 0 */
	unsigned used; /* counts[0..used) are in use; first and last are not zero */
	uint64_t counts[SKETCH_BUCKETS];
	uint64_t zeros;
	uint64_t total; /* zeros and every count */
	double sum;
	double min, max; /* of everything added; 0 while empty */
};

void sketch_init(struct sketch *sketch); /* empty, finest scale */
static inline bool sketch_is_empty(const struct sketch *sketch)
{
	return sketch->total == 0;
}

/* What is no duration (negative, beyond SKETCH_VALUE_MAX, not a number) is ignored:
 * false. */
bool sketch_add(struct sketch *sketch, double value_us);
bool sketch_add_many(struct sketch *sketch, double value_us, uint64_t times);

/* Adds every value of `from`; the finer of the two is downscaled. Totals end at 2^53 - 1,
 * the largest that the wire carries: what would pass it is not added. */
void sketch_merge(struct sketch *into, const struct sketch *from);
/* Lowers the scale; a higher one than the present is ignored. */
void sketch_downscale(struct sketch *sketch, int scale);

/* q in 0..1, interpolated inside its bucket in the logarithm and kept within min..max.
 * An empty sketch answers 0. */
double sketch_quantile(const struct sketch *sketch, double q);
double sketch_mean(const struct sketch *sketch);
/* The number of values above a bound, interpolated in the same way. */
double sketch_count_above(const struct sketch *sketch, double value_us);

/* Loads counts that came from elsewhere: any scale in range, any number of buckets up to
 * `len`; what does not fit is downscaled. Totals are computed here. STATUS_RANGE when
 * scale, offset, sum, min or max cannot be. */
int sketch_load(struct sketch *out, int scale, int64_t offset, const uint64_t *counts,
	size_t len, uint64_t zeros, double sum, double min, double max);

#endif
