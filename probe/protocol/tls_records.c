#include "tls_records.h"

#define HEADER_LEN 5
#define RECORD_LEN_MAX (16384 + 2048) /* TLS 1.2's bound; 1.3 allows 256 beyond 16384 */

bool tls_records_look_right(const uint8_t *bytes, size_t len)
{
	unsigned record_len;

	if (len < HEADER_LEN || bytes[0] < TLS_RECORDS_CHANGE_CIPHER_SPEC ||
		bytes[0] > TLS_RECORDS_APPLICATION)
		return false;
	record_len = (unsigned)bytes[3] << 8 | bytes[4];
	return bytes[1] == 3 && bytes[2] <= 3 && record_len > 0 &&
	       record_len <= RECORD_LEN_MAX;
}

static void take_header(struct tls_records *records, struct cursor *cur)
{
	while (records->header_len < HEADER_LEN && cursor_left(cur) > 0)
		records->header[records->header_len++] = cursor_take_u8(cur);
}

static void lose(struct tls_records *records)
{
	records->lost = true;
	records->remaining = 0;
	records->header_len = 0;
}

static bool begin_record(
	struct tls_records *records, struct cursor *cur, struct tls_piece *piece)
{
	take_header(records, cur);
	if (records->header_len < HEADER_LEN)
		return false;
	if (!tls_records_look_right(records->header, HEADER_LEN)) {
		lose(records);
		return false;
	}
	records->type = records->header[0];
	records->remaining = (uint16_t)(records->header[3] << 8 | records->header[4]);
	records->header_len = 0;
	piece->begins = true;
	piece->len = records->remaining;
	return true;
}

bool tls_records_next(
	struct tls_records *records, struct cursor *cur, struct tls_piece *piece)
{
	size_t have;

	*piece = (struct tls_piece){0};
	if (records->lost || cursor_left(cur) == 0)
		return false;
	if (records->remaining == 0 && !begin_record(records, cur, piece))
		return false;
	have = cursor_left(cur);
	if (have > records->remaining)
		have = records->remaining;
	piece->type = records->type;
	piece->body = cursor_take_sub(cur, have);
	records->remaining = (uint16_t)(records->remaining - have);
	return true;
}

bool tls_records_skip(struct tls_records *records, uint64_t len)
{
	if (records->lost || len > records->remaining) {
		lose(records);
		return false;
	}
	records->remaining = (uint16_t)(records->remaining - len);
	return true;
}

void tls_records_resume(struct tls_records *records, const uint8_t *bytes, size_t len)
{
	if (tls_records_look_right(bytes, len))
		records->lost = false;
}
