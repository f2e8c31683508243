#include "printable.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t printable_utf8_length(const unsigned char *text, size_t len)
{
	unsigned char c = len ? text[0] : 0xff;
	size_t want = c < 0x80                ? 1
		      : c >= 0xc2 && c < 0xe0 ? 2
		      : (c & 0xf0) == 0xe0    ? 3
		      : c >= 0xf0 && c < 0xf5 ? 4
					      : 0;

	if (want == 0 || want > len)
		return 0;
	for (size_t i = 1; i < want; i++)
		if (!is_tail(text[i]))
			return 0;
	/* Overlong forms, surrogates, beyond U+10FFFF (RFC 3629, section 4). */
	if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] > 0x9f) ||
		(c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] > 0x8f))
		return 0;
	return want;
}

/* C0 and C1 controls, DEL, and the direction marks that turn text around. */
static bool is_control(const unsigned char *text, size_t len)
{
	if (len == 1)
		return text[0] < 0x20 || text[0] == 0x7f;
	if (len == 2)
		return text[0] == 0xc2 && text[1] < 0xa0;
	if (len == 3)
		return text[0] == 0xe2 &&
		       ((text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) ||
			       (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
	return false;
}

void printable_copy(char *out, size_t cap, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), used = 0;

	while (left && cap) {
		size_t len = printable_utf8_length(at, left);
		bool plain = len && !is_control(at, len);
		size_t step = plain ? len : 1, width = plain ? len : 4;

		if (used + width >= cap)
			break;
		if (plain)
			memcpy(out + used, at, len);
		else
			(void)snprintf(out + used, 5, "\\x%02x", at[0]);
		used += width;
		at += step;
		left -= step;
	}
	if (cap)
		out[used] = '\0';
}
