#include "archive.h"

#include <byteswap.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define FIRST_ROOM 65536
#define NUMBER_BYTES 10 /* the longest number: 7 bits a byte */
#define FLOAT_MOST 1e18

struct archive {
	bool reading;
	int rc;
	const unsigned char *from; /* reading */
	unsigned char *into;       /* writing */
	size_t used, size;
};

int archive_new(struct archive **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

int archive_open(struct archive **out, const void *bytes, size_t len)
{
	int rc = archive_new(out);

	if (rc == 0)
		**out = (struct archive){.reading = true, .from = bytes, .size = len};
	return rc;
}

void archive_free(struct archive *archive)
{
	if (!archive)
		return;
	free(archive->into);
	free(archive);
}

bool archive_is_reading(const struct archive *archive)
{
	return archive->reading;
}

int archive_rc(const struct archive *archive)
{
	return archive->rc;
}

static void break_off(struct archive *archive, int rc)
{
	if (!archive->rc)
		archive->rc = rc;
}

void archive_refuse(struct archive *archive)
{
	break_off(archive, STATUS_RANGE);
}

const void *archive_bytes(const struct archive *archive, size_t *len)
{
	*len = archive->used;
	return archive->into;
}

bool archive_is_through(const struct archive *archive)
{
	return archive->used == archive->size;
}

static bool has_room(struct archive *archive, size_t len)
{
	size_t size = archive->size ? archive->size : FIRST_ROOM;
	unsigned char *into;

	if (archive->rc)
		return false;
	if (archive->size - archive->used >= len)
		return true;
	while (size - archive->used < len)
		size *= 2;
	into = realloc(archive->into, size);
	if (!into) {
		break_off(archive, -ENOMEM);
		return false;
	}
	archive->into = into;
	archive->size = size;
	return true;
}

static void put_number(struct archive *archive, uint64_t value)
{
	if (!has_room(archive, NUMBER_BYTES))
		return;
	for (; value >= 0x80; value >>= 7)
		archive->into[archive->used++] = (unsigned char)(value | 0x80);
	archive->into[archive->used++] = (unsigned char)value;
}

static uint64_t take_number(struct archive *archive)
{
	uint64_t value = 0;

	for (unsigned shift = 0; !archive->rc && shift < 7 * NUMBER_BYTES; shift += 7) {
		unsigned char byte;

		if (archive->used == archive->size) {
			break_off(archive, STATUS_SHORT);
			return 0;
		}
		byte = archive->from[archive->used++];
		if (shift == 63 && byte > 1) /* a 65th bit */
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	archive_refuse(archive);
	return 0;
}

static uint64_t number(struct archive *archive, uint64_t value, uint64_t most)
{
	if (!archive->reading) {
		put_number(archive, value);
		return value;
	}
	value = take_number(archive);
	if (value <= most)
		return value;
	archive_refuse(archive);
	return 0;
}

void archive_bool(struct archive *archive, bool *value)
{
	*value = number(archive, archive->reading ? 0 : *value, 1);
}

void archive_u16(struct archive *archive, uint16_t *value)
{
	*value = (uint16_t)number(archive, *value, UINT16_MAX);
}

void archive_u32(struct archive *archive, uint32_t *value)
{
	*value = (uint32_t)number(archive, *value, UINT32_MAX);
}

void archive_u64(struct archive *archive, uint64_t *value)
{
	*value = number(archive, *value, UINT64_MAX);
}

/* The sign goes to the lowest bit, so that small numbers stay small. */
void archive_i64(struct archive *archive, int64_t *value)
{
	uint64_t folded = (uint64_t)*value << 1 ^ (*value < 0 ? UINT64_MAX : 0);

	folded = number(archive, folded, (uint64_t)ARCHIVE_MOST << 1);
	*value = (int64_t)(folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0));
}

void archive_i32(struct archive *archive, int32_t *value)
{
	int64_t wide = *value;

	archive_i64(archive, &wide);
	if (wide < INT32_MIN || wide > INT32_MAX) {
		archive_refuse(archive);
		wide = 0;
	}
	*value = (int32_t)wide;
}

void archive_index(struct archive *archive, int64_t *value)
{
	*value = (int64_t)number(archive, (uint64_t)*value, (uint64_t)ARCHIVE_MOST);
}

void archive_count(struct archive *archive, uint32_t *value, uint32_t most)
{
	*value = (uint32_t)number(archive, *value, most);
}

unsigned archive_choice(struct archive *archive, unsigned value, unsigned choices)
{
	return (unsigned)number(archive, value, choices - 1);
}

/* Round numbers end in zero bits: turned around they are small. */
void archive_double(struct archive *archive, double *value)
{
	uint64_t bits;

	memcpy(&bits, value, sizeof(bits));
	bits = bswap_64(number(archive, bswap_64(bits), UINT64_MAX));
	memcpy(value, &bits, sizeof(bits));
	if (archive->reading && !(fabs(*value) < FLOAT_MOST)) {
		archive_refuse(archive);
		*value = 0;
	}
}

void archive_float(struct archive *archive, float *value)
{
	uint32_t bits;

	memcpy(&bits, value, sizeof(bits));
	bits = bswap_32((uint32_t)number(archive, bswap_32(bits), UINT32_MAX));
	memcpy(value, &bits, sizeof(bits));
	if (archive->reading && !(fabsf(*value) < (float)FLOAT_MOST)) {
		archive_refuse(archive);
		*value = 0;
	}
}

void archive_moment(struct archive *archive, struct moment *value)
{
	archive_i64(archive, &value->us);
}

void archive_text(struct archive *archive, char *text, size_t cap)
{
	size_t len = archive->reading ? 0 : strnlen(text, cap - 1);

	len = (size_t)number(archive, len, cap - 1);
	if (!archive->reading) {
		if (has_room(archive, len))
			memcpy(archive->into + archive->used, text, len);
	} else if (len > archive->size - archive->used) {
		break_off(archive, STATUS_SHORT);
	}
	if (archive->rc)
		len = 0;
	if (archive->reading) {
		memcpy(text, archive->from + archive->used, len);
		memset(text + len, 0, cap - len);
		if (memchr(text, 0, len))
			archive_refuse(archive);
	}
	archive->used += len;
}

/* Runs in turn: how many zeros, how many others, and those. */
void archive_u32_row(struct archive *archive, uint32_t *row, size_t count)
{
	for (size_t at = 0; at < count && !archive->rc;) {
		size_t end = at;

		while (!archive->reading && end < count && !row[end])
			end++;
		end = at + (size_t)number(archive, end - at, count - at);
		if (archive->reading)
			memset(row + at, 0, (end - at) * sizeof(*row));
		at = end;
		while (!archive->reading && end < count && row[end])
			end++;
		end = at + (size_t)number(archive, end - at, count - at);
		for (; at < end; at++)
			archive_u32(archive, &row[at]);
	}
}

void archive_u16_row(struct archive *archive, uint16_t *row, size_t count)
{
	uint32_t wide[256];

	for (size_t at = 0; at < count; at += sizeof(wide) / sizeof(wide[0])) {
		size_t len = count - at;

		if (len > sizeof(wide) / sizeof(wide[0]))
			len = sizeof(wide) / sizeof(wide[0]);
		for (size_t i = 0; i < len; i++)
			wide[i] = archive->reading ? 0 : row[at + i];
		archive_u32_row(archive, wide, len);
		for (size_t i = 0; i < len; i++) {
			if (wide[i] > UINT16_MAX)
				archive_refuse(archive);
			row[at + i] = (uint16_t)wide[i];
		}
	}
}
