/*
 * One batch as it stands in a spool file: a header of 64 bytes, then the observation
 * lines as one zstd frame. The header carries the batch's name, its length and a CRC-32
 * of all of it, so that what was written whole is told from what was not by reading
 * alone. Numbers are in network order. Pure: bytes in, bytes out.
 *
 *   0 "asp1" | 4 packed length | 8 seq | 16 observations | 20 lost | 28 from | 36 until
 *   44 boot, 16 bytes | 60 CRC-32 of bytes 0..60 and the packed lines
 */
#ifndef ASTRAY_SPOOL_RECORD_H
#define ASTRAY_SPOOL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "astray/moment.h"

#define SPOOL_RECORD_HEADER 64
#define SPOOL_RECORD_BOOT 33 /* 32 hexadecimal digits, and the end */
#define SPOOL_RECORD_PACKED_MAX (2 * 1024 * 1024)

struct spool_record {
	char boot[SPOOL_RECORD_BOOT];
	int64_t seq;
	int64_t observations; /* lines in this batch */
	int64_t lost; /* observations whose loss it reports; 0: it is no such report */
	struct moment from, until; /* what the observations span, or the lost ones */
	const uint8_t *packed;
	size_t packed_len;
};

/* Makes the header for a record; the packed lines are written behind it as they are.
 * STATUS_RANGE when a field does not fit its place. */
int spool_record_encode(
	uint8_t header[static SPOOL_RECORD_HEADER], const struct spool_record *record);

/* Reads the record at the beginning of the bytes; record->packed points into them.
 * STATUS_SHORT: the bytes end before it does; STATUS_CORRUPT: no record was written here.
 */
int spool_record_decode(struct spool_record *record, const void *bytes, size_t len);

/* The length of the whole record that a header announces, or a negative status as above.
 * The CRC is not looked at: there are no packed lines yet. */
int spool_record_length(const uint8_t header[static SPOOL_RECORD_HEADER]);

/* How many observations are lost when this record is dropped. */
int64_t spool_record_weight(const struct spool_record *record);

#endif
