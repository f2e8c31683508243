#include "sketch_pack.h"

#include <stdbool.h>
#include <string.h>

#include "astray/status.h"

/* Layout: the form's number, then numbers of seven bits a byte, least first: scale,
 * offset (both folded so that small negatives stay small), zeros, sum, min, max (their
 * bits as doubles), the buckets in use, and for each bucket that is not empty the
 * distance to it and its count. */
#define FORM 1

struct reader {
	const uint8_t *at, *end;
	bool short_read;
};

static uint8_t *put_number(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *put_double(uint8_t *at, double value)
{
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static uint64_t fold(int64_t value)
{
	return value < 0 ? 2 * (uint64_t) - (value + 1) + 1 : 2 * (uint64_t)value;
}

static int64_t unfold(uint64_t value)
{
	return value & 1 ? -(int64_t)(value >> 1) - 1 : (int64_t)(value >> 1);
}

size_t sketch_pack_write(uint8_t buf[static SKETCH_PACK_MAX], const struct sketch *sketch)
{
	struct sketch coarse;
	uint8_t *at = buf;
	unsigned last = 0;

	if (sketch_is_empty(sketch))
		return 0;
	coarse = *sketch;
	sketch_downscale(&coarse, SKETCH_PACK_SCALE);
	*at++ = FORM;
	at = put_number(at, fold(coarse.scale));
	at = put_number(at, fold(coarse.used ? coarse.offset : 0));
	at = put_number(at, coarse.zeros);
	at = put_double(at, coarse.sum);
	at = put_double(at, coarse.min);
	at = put_double(at, coarse.max);
	at = put_number(at, coarse.used);
	for (unsigned i = 0; i < coarse.used; i++) {
		if (!coarse.counts[i])
			continue;
		at = put_number(at, i - last);
		at = put_number(at, coarse.counts[i]);
		last = i;
	}
	return (size_t)(at - buf);
}

static uint64_t take_number(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (reader->at == reader->end)
			break;
		byte = *reader->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	reader->short_read = true;
	return 0;
}

static double take_double(struct reader *reader)
{
	double value;

	if ((size_t)(reader->end - reader->at) < sizeof(value)) {
		reader->short_read = true;
		return 0;
	}
	memcpy(&value, reader->at, sizeof(value));
	reader->at += sizeof(value);
	return value;
}

static bool take_counts(struct reader *reader, uint64_t *counts, uint64_t used)
{
	uint64_t place = 0;

	for (bool first = true; reader->at < reader->end; first = false) {
		uint64_t distance = take_number(reader), count = take_number(reader);

		if (reader->short_read || !count || (!first && !distance) ||
			distance >= used || place + distance >= used)
			return false;
		place += distance;
		counts[place] = count;
	}
	return true;
}

int sketch_pack_read(struct sketch *out, const void *bytes, size_t len)
{
	struct reader reader = {.at = bytes, .end = (const uint8_t *)bytes + len};
	uint64_t counts[SKETCH_BUCKETS] = {0}, zeros, used;
	double sum, min, max;
	int64_t scale, offset;

	sketch_init(out);
	if (len == 0)
		return 0;
	if (*reader.at++ != FORM)
		return STATUS_CORRUPT;
	scale = unfold(take_number(&reader));
	offset = unfold(take_number(&reader));
	zeros = take_number(&reader);
	sum = take_double(&reader);
	min = take_double(&reader);
	max = take_double(&reader);
	used = take_number(&reader);
	if (reader.short_read || used > SKETCH_BUCKETS || scale > SKETCH_SCALE_MAX ||
		scale < SKETCH_SCALE_MIN || !take_counts(&reader, counts, used) ||
		(used && (!counts[0] || !counts[used - 1])) || (!used && !zeros))
		return STATUS_CORRUPT;
	if (sketch_load(out, (int)scale, offset, counts, used, zeros, sum, min, max)) {
		sketch_init(out);
		return STATUS_CORRUPT;
	}
	return 0;
}
