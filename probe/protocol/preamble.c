#include "preamble.h"

#include <string.h>

#define LINE_MAX_LEN 107
#define HEADER_LEN 16
#define LENGTH_AT 14

static const char line[] = "PROXY ";
static const uint8_t signature[] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static bool begins_like(
	const uint8_t *bytes, size_t len, const void *wanted, size_t wanted_len)
{
	return memcmp(bytes, wanted, len < wanted_len ? len : wanted_len) == 0;
}

bool preamble_may_begin(const uint8_t *bytes, size_t len)
{
	/* An HTTP method of that name would have a target behind it. */
	return (begins_like(bytes, len, line, sizeof(line) - 1) &&
		       (len < sizeof(line) || bytes[sizeof(line) - 1] == 'T' ||
			       bytes[sizeof(line) - 1] == 'U')) ||
	       begins_like(bytes, len, signature, sizeof(signature));
}

void preamble_init(struct preamble *preamble, uint8_t first)
{
	*preamble = (struct preamble){.is_line = first == line[0]};
}

static enum preamble_end take_line(struct preamble *preamble, struct cursor *bytes)
{
	while (cursor_left(bytes) > 0) {
		if (cursor_take_u8(bytes) == '\n')
			return PREAMBLE_OVER;
		if (++preamble->taken >= LINE_MAX_LEN)
			return PREAMBLE_IS_NONE;
	}
	return PREAMBLE_GOES_ON;
}

static bool take_header_byte(struct preamble *preamble, uint8_t byte)
{
	unsigned at = preamble->taken++;

	if (at < sizeof(signature))
		return byte == signature[at];
	if (at == sizeof(signature)) /* version and command */
		return byte >> 4 == 2;
	if (at >= LENGTH_AT)
		preamble->left = preamble->left << 8 | byte;
	return true;
}

static enum preamble_end take_header(struct preamble *preamble, struct cursor *bytes)
{
	size_t len;

	while (preamble->taken < HEADER_LEN && cursor_left(bytes) > 0)
		if (!take_header_byte(preamble, cursor_take_u8(bytes)))
			return PREAMBLE_IS_NONE;
	if (preamble->taken < HEADER_LEN)
		return PREAMBLE_GOES_ON;
	len = cursor_left(bytes);
	if (len > preamble->left)
		len = preamble->left;
	cursor_skip(bytes, len);
	preamble->left -= (uint32_t)len;
	return preamble->left > 0 ? PREAMBLE_GOES_ON : PREAMBLE_OVER;
}

enum preamble_end preamble_take(struct preamble *preamble, struct cursor *bytes)
{
	return preamble->is_line ? take_line(preamble, bytes)
				 : take_header(preamble, bytes);
}
