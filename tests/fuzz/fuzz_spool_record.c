/*
 * Any bytes as a spool file: reading always gets on, and what is read encodes to the same
 * bytes. A checksum keeps chance from ever making a record, so the same bytes also serve
 * as the fields of one: what can be encoded reads back equal.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t check_record(const struct spool_record *record, const uint8_t *bytes)
{
	uint8_t again[SPOOL_RECORD_HEADER];

	assert(spool_record_encode(again, record) == 0);
	assert(memcmp(again, bytes, sizeof(again)) == 0);
	assert(spool_record_length(again) ==
		SPOOL_RECORD_HEADER + (int)record->packed_len);
	assert(spool_record_weight(record) >= 0);
	return SPOOL_RECORD_HEADER + record->packed_len;
}

static int64_t field(const uint8_t *bytes, size_t len, size_t at)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | (at + i < len ? bytes[at + i] : 0);
	/* Small values more often, that more than a few records pass. */
	return (int64_t)(value >> (value & 63));
}

static void write_and_read(const uint8_t *bytes, size_t len)
{
	struct spool_record record = {.seq = field(bytes, len, 0),
		.observations = field(bytes, len, 8),
		.lost = field(bytes, len, 16),
		.from = {field(bytes, len, 24)},
		.until = {field(bytes, len, 32)},
		.packed = bytes,
		.packed_len = len};
	struct spool_record read;
	uint8_t *image = malloc(SPOOL_RECORD_HEADER + len);

	assert(image);
	(void)snprintf(record.boot, sizeof(record.boot), "%016llx%016llx",
		(unsigned long long)field(bytes, len, 40), (unsigned long long)len);
	if (spool_record_encode(image, &record) == 0) {
		if (len)
			memcpy(image + SPOOL_RECORD_HEADER, bytes, len);
		assert(spool_record_decode(&read, image, SPOOL_RECORD_HEADER + len) == 0);
		assert(strcmp(read.boot, record.boot) == 0);
		(void)check_record(&read, image);
	}
	free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct spool_record record;
	size_t at = 0;

	while (spool_record_decode(&record, bytes + at, len - at) == 0)
		at += check_record(&record, bytes + at);
	assert(at <= len);
	write_and_read(bytes, len);
	return 0;
}
