#include "json_value.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Within these bounds both parts are exact as doubles, so that one operation rounds as
 * the true value would be rounded; the rest is left to the C library. */
#define EXACT_DIGITS 15
#define EXACT_POWER 22

static const double powers[EXACT_POWER + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
	1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
	1e22};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

double json_value_number(const char **at)
{
	const char *from = *at, *c = from + (*from == '-');
	uint64_t digits = 0;
	int count = 0, decimals = 0;
	double value;
	char *end;

	for (; is_digit(*c); c++, count++)
		digits = digits * 10 + (uint64_t)(*c - '0');
	if (*c == '.')
		for (c++; is_digit(*c); c++, count++, decimals++)
			digits = digits * 10 + (uint64_t)(*c - '0');
	if (count > EXACT_DIGITS || *c == 'e' || *c == 'E') {
		value = strtod(from, &end);
		*at = end;
		return value;
	}
	*at = c;
	value = (double)digits / powers[decimals];
	return *from == '-' ? -value : value;
}

static unsigned hex4(const char *at)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)at[i];

		code = code << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

static char *put_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*out++ = (char)(0xe0 | code >> 12);
		} else {
			*out++ = (char)(0xf0 | code >> 18);
			*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* The escape behind the backslash at *at. */
static char *take_escape(const char **at, char *out)
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *c = *at + 1, *letter;
	unsigned code;

	if (*c != 'u') {
		letter = strchr(letters, *c);
		*out = letter ? meanings[letter - letters] : *c;
		*at = c + 1;
		return out + 1;
	}
	code = hex4(c + 1);
	c += 5;
	if (code >= 0xd800 && code <= 0xdbff) { /* the other half follows: "\uXXXX" */
		code = 0x10000 + ((code & 0x3ff) << 10 | (hex4(c + 2) & 0x3ff));
		c += 6;
	}
	*at = c;
	return put_utf8(out, code);
}

char *json_value_text(const char **at, char **into)
{
	const char *c = *at + 1;
	char *copy = *into, *out = copy;

	while (*c != '"') {
		if (*c == '\\')
			out = take_escape(&c, out);
		else
			*out++ = *c++;
	}
	*out++ = '\0';
	*at = c + 1;
	*into = out;
	return copy;
}
