/*
 * Reading series: sums and quantiles of one service, over time.
 */
#ifndef ASTRAY_STORE_SERIES_H
#define ASTRAY_STORE_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "astray/moment.h"
#include "rollup_row.h"

struct store;

#define STORE_SERIES_POINTS 2000

struct store_series_order {
	const char *service;
	const char *site; /* NULL: all of them together */
	struct moment from, until;
	int64_t step_us; /* the least; long views are answered in coarser ones */
	bool whole; /* one point for all of it, out of the finest rows that reach so far
		     */
};

struct store_point {
	int64_t at_us;
	bool seen; /* something was measured; if not, the rest is 0 */
	int64_t counts[ROLLUP_COUNTS];
	/* The time that the traffic's windows cover: what counts are divided by for a
	 * rate. */
	int64_t covered_us;
	bool timed[ROLLUP_SKETCHES];
	double p50_us[ROLLUP_SKETCHES], p90_us[ROLLUP_SKETCHES], p99_us[ROLLUP_SKETCHES];
};

struct store_series {
	int64_t step_us;
	size_t count;
	struct store_point *points; /* in order of time, without holes; free it */
};

int store_series_read(struct store *store, struct store_series *out,
	const struct store_series_order *order);

#endif
