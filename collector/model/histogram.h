/*
 * A small histogram of durations for the many windows that models keep: the OpenTelemetry
 * buckets at scale 3 (9 % wide), 8 octaves around where its first values lay. What lies
 * outside counts in the first or last bucket. 264 bytes instead of a sketch's 2.6 KB.
 */
#ifndef ASTRAY_HISTOGRAM_H
#define ASTRAY_HISTOGRAM_H

#include <stdint.h>

#include "astray/sketch.h"

struct archive;

#define HISTOGRAM_SCALE 3
#define HISTOGRAM_BUCKETS 64

struct histogram {
	int32_t offset; /* exponent index of counts[0] */
	uint32_t total;
	uint32_t counts[HISTOGRAM_BUCKETS];
};

void histogram_add_sketch(struct histogram *into, const struct sketch *sketch);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* In microseconds, interpolated in the logarithm; 0 when empty. */
double histogram_quantile(const struct histogram *histogram, double q);
/* Both ways of a snapshot. */
void histogram_keep(struct archive *archive, struct histogram *histogram);

#endif
