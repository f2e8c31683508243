#include "spool_record.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "astray/cursor.h"
#include "astray/status.h"
#include "astray/wire.h"

#define BOOT_BYTES 16
#define CRC_AT (SPOOL_RECORD_HEADER - 4)

static const uint8_t magic[4] = {'a', 's', 'p', '1'};

static uint8_t *put(uint8_t *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	return at + bytes;
}

static uint64_t take_u64(struct cursor *cur)
{
	uint64_t high = cursor_take_u32(cur);

	return high << 32 | cursor_take_u32(cur);
}

static int digit_value(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : digit - 'a' + 10;
}

static bool boot_is_valid(const char *boot)
{
	return strspn(boot, "0123456789abcdef") == 2 * BOOT_BYTES &&
	       !boot[2 * BOOT_BYTES];
}

static uint8_t *put_boot(uint8_t *at, const char *boot)
{
	for (unsigned i = 0; i < BOOT_BYTES; i++)
		*at++ = (uint8_t)(digit_value(boot[2 * i]) << 4 |
				  digit_value(boot[2 * i + 1]));
	return at;
}

static void take_boot(struct cursor *cur, char boot[static SPOOL_RECORD_BOOT])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < BOOT_BYTES; i++) {
		uint8_t byte = cursor_take_u8(cur);

		boot[2 * i] = digits[byte >> 4];
		boot[2 * i + 1] = digits[byte & 15];
	}
	boot[2 * BOOT_BYTES] = '\0';
}

static bool is_count(int64_t value, int64_t max)
{
	return value >= 0 && value <= max;
}

static bool fields_fit(const struct spool_record *record)
{
	return record->packed_len <= SPOOL_RECORD_PACKED_MAX &&
	       is_count(record->seq, MOMENT_MAX_US) &&
	       is_count(record->observations, WIRE_BATCH_OBSERVATIONS) &&
	       is_count(record->lost, MOMENT_MAX_US) &&
	       is_count(record->until.us, MOMENT_MAX_US) &&
	       is_count(record->from.us, record->until.us);
}

static uint32_t checksum(const uint8_t *header, const uint8_t *packed, size_t len)
{
	uLong crc = crc32(0, header, CRC_AT);

	/* zlib reads a NULL pointer as "begin anew". */
	return (uint32_t)(len ? crc32(crc, packed, (uInt)len) : crc);
}

int spool_record_encode(
	uint8_t header[static SPOOL_RECORD_HEADER], const struct spool_record *record)
{
	uint8_t *at = header;

	if (!fields_fit(record) || !boot_is_valid(record->boot))
		return STATUS_RANGE;
	for (unsigned i = 0; i < sizeof(magic); i++)
		*at++ = magic[i];
	at = put(at, record->packed_len, 4);
	at = put(at, (uint64_t)record->seq, 8);
	at = put(at, (uint64_t)record->observations, 4);
	at = put(at, (uint64_t)record->lost, 8);
	at = put(at, (uint64_t)record->from.us, 8);
	at = put(at, (uint64_t)record->until.us, 8);
	at = put_boot(at, record->boot);
	(void)put(at, checksum(header, record->packed, record->packed_len), 4);
	return 0;
}

static int read_header(struct spool_record *record, struct cursor *cur, uint32_t *crc)
{
	const uint8_t *first = cursor_take(cur, sizeof(magic));

	if (first && memcmp(first, magic, sizeof(magic)) != 0)
		return STATUS_CORRUPT;
	record->packed_len = cursor_take_u32(cur);
	record->seq = (int64_t)take_u64(cur);
	record->observations = cursor_take_u32(cur);
	record->lost = (int64_t)take_u64(cur);
	record->from.us = (int64_t)take_u64(cur);
	record->until.us = (int64_t)take_u64(cur);
	take_boot(cur, record->boot);
	*crc = cursor_take_u32(cur);
	if (cur->short_read)
		return STATUS_SHORT;
	return fields_fit(record) ? 0 : STATUS_CORRUPT;
}

int spool_record_decode(struct spool_record *record, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	uint32_t crc;
	int rc;

	*record = (struct spool_record){0};
	rc = read_header(record, &cur, &crc);
	if (rc)
		return rc;
	record->packed = cursor_take(&cur, record->packed_len);
	if (!record->packed)
		return STATUS_SHORT;
	return checksum(bytes, record->packed, record->packed_len) == crc
		       ? 0
		       : STATUS_CORRUPT;
}

int spool_record_length(const uint8_t header[static SPOOL_RECORD_HEADER])
{
	struct cursor cur = cursor_over(header, SPOOL_RECORD_HEADER);
	struct spool_record record;
	uint32_t crc;
	int rc = read_header(&record, &cur, &crc);

	return rc ? rc : SPOOL_RECORD_HEADER + (int)record.packed_len;
}

int64_t spool_record_weight(const struct spool_record *record)
{
	return record->lost ? record->lost : record->observations;
}
