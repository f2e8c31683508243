/*
 * Sketches from elsewhere: two are loaded and merged, values are added, the scale is
 * lowered. Nothing may be lost on the way, and no quantile may leave what was seen.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "astray/cursor.h"
#include "astray/sketch.h"

#define COUNTS_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct sketch *sketch)
{
	uint64_t total = sketch->zeros;
	double last = 0;

	require(sketch->used <= SKETCH_BUCKETS);
	require(sketch->scale >= SKETCH_SCALE_MIN && sketch->scale <= SKETCH_SCALE_MAX);
	for (unsigned i = 0; i < sketch->used; i++)
		total += sketch->counts[i];
	require(total == sketch->total);
	require(!sketch->used || (sketch->counts[0] && sketch->counts[sketch->used - 1]));
	for (int i = 0; i <= 20; i++) {
		double quantile = sketch_quantile(sketch, i / 20.0);

		require(quantile >= last && quantile <= sketch->max);
		last = quantile;
		require(sketch_count_above(sketch, quantile) <= (double)sketch->total);
	}
}

static double take_double(struct cursor *cur)
{
	int exponent = cursor_take_u8(cur) - 128;

	return ldexp(cursor_take_u16(cur), exponent);
}

static bool load(struct sketch *sketch, struct cursor *cur)
{
	uint64_t counts[COUNTS_MAX];
	int scale = (int8_t)cursor_take_u8(cur);
	int64_t offset = (int32_t)cursor_take_u32(cur);
	unsigned len = cursor_take_u16(cur) % COUNTS_MAX,
		 shift = cursor_take_u8(cur) % 57;
	double min = take_double(cur), max = take_double(cur),
	       share = cursor_take_u8(cur);
	uint64_t total = 0;

	for (unsigned i = 0; i < len; i++) {
		counts[i] = (uint64_t)cursor_take_u8(cur) << shift;
		total += counts[i];
	}
	return sketch_load(sketch, scale, offset, counts, len, 0,
		       (min + (max - min) * share / 255) * (double)total, min, max) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cur = cursor_over(data, size);
	struct sketch first, second;
	uint64_t total;

	if (!load(&first, &cur) || !load(&second, &cur))
		return 0;
	check(&first);
	check(&second);
	total = first.total + second.total;
	sketch_merge(&first, &second);
	check(&first);
	require(first.total == total || total >= UINT64_C(1) << 53);
	while (!cur.short_read) {
		(void)sketch_add(&first, take_double(&cur));
		check(&first);
	}
	for (int scale = first.scale; scale >= SKETCH_SCALE_MIN - 1; scale--) {
		total = first.total;
		sketch_downscale(&first, scale);
		check(&first);
		require(first.total == total);
	}
	return 0;
}
