#include "json_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "astray/json.h"
#include "astray/status.h"
#include "printable.h"

#define NUMBER_MAX 63 /* the library reads no more of a number */

struct scanner {
	const char *text;
	size_t len, at;
	size_t values; /* begun so far */
	unsigned depth;
	char open[JSON_DEPTH]; /* '{' or '[' of each container that is not closed */
	const char *why;
};

static int refuse(struct scanner *s, int rc, const char *why)
{
	s->why = why;
	return rc;
}

/* What ends too early may only have been cut. */
static int refuse_here(struct scanner *s, const char *why)
{
	return refuse(s, s->at < s->len ? STATUS_SYNTAX : STATUS_SHORT, why);
}

static int peek(const struct scanner *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static void skip_space(struct scanner *s)
{
	while (s->at < s->len &&
		(s->text[s->at] == ' ' || s->text[s->at] == '\t' ||
			s->text[s->at] == '\n' || s->text[s->at] == '\r'))
		s->at++;
}

static bool is_hex(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The four digits behind \u, or -1. */
static int take_hex4(struct scanner *s)
{
	int code = 0;

	for (int i = 0; i < 4; i++, s->at++) {
		int c = peek(s);

		if (!is_hex(c))
			return -1;
		code = code * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return code;
}

static bool is_low_surrogate(int code)
{
	return code >= 0xdc00 && code <= 0xdfff;
}

static int scan_unicode_escape(struct scanner *s)
{
	int code = take_hex4(s);

	if (code < 0)
		return refuse_here(s, "has a broken \\u escape");
	if (code == 0)
		return refuse(s, STATUS_SYNTAX, "has a NUL inside a text");
	if (is_low_surrogate(code))
		return refuse_here(s, "has half a surrogate pair");
	if (code < 0xd800 || code > 0xdbff)
		return 0;
	if (s->len - s->at < 2 || memcmp(s->text + s->at, "\\u", 2) != 0)
		return refuse_here(s, "has half a surrogate pair");
	s->at += 2;
	return is_low_surrogate(take_hex4(s))
		       ? 0
		       : refuse_here(s, "has half a surrogate pair");
}

static int scan_escape(struct scanner *s)
{
	int c = peek(s);

	if (c < 0)
		return refuse_here(s, "ends inside a text");
	s->at++;
	if (c == 'u')
		return scan_unicode_escape(s);
	return c && strchr("\"\\/bfnrt", c)
		       ? 0
		       : refuse(s, STATUS_SYNTAX, "has an unknown escape");
}

static int scan_text(struct scanner *s)
{
	for (s->at++; s->at < s->len;) {
		unsigned char c = (unsigned char)s->text[s->at];
		size_t width = 1;

		if (c == '"') {
			s->at++;
			return 0;
		}
		if (c < 0x20)
			return refuse(s, STATUS_SYNTAX,
				"has a control character inside a text");
		if (c >= 0x80)
			width = printable_utf8_length(
				(const unsigned char *)s->text + s->at, s->len - s->at);
		if (width == 0)
			return refuse(s, STATUS_SYNTAX, "is not UTF-8");
		s->at += width;
		if (c == '\\') {
			int rc = scan_escape(s);

			if (rc)
				return rc;
		}
	}
	return refuse_here(s, "ends inside a text");
}

static bool scan_digits(struct scanner *s)
{
	size_t from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at > from;
}

static int scan_number(struct scanner *s)
{
	size_t from = s->at;
	bool fine = true;

	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else
		fine = scan_digits(s);
	if (fine && peek(s) == '.') {
		s->at++;
		fine = scan_digits(s);
	}
	if (fine && (peek(s) == 'e' || peek(s) == 'E')) {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		fine = scan_digits(s);
	}
	if (!fine)
		return refuse_here(s, "has a broken number");
	return s->at - from <= NUMBER_MAX
		       ? 0
		       : refuse(s, STATUS_LIMIT, "has a number of too many digits");
}

static int scan_word(struct scanner *s, const char *word)
{
	size_t len = strlen(word), left = s->len - s->at;

	if (left < len && memcmp(s->text + s->at, word, left) == 0)
		return refuse(s, STATUS_SHORT, "ends too early");
	if (left < len || memcmp(s->text + s->at, word, len) != 0)
		return refuse(s, STATUS_SYNTAX, "has something that is no JSON value");
	s->at += len;
	return 0;
}

static int scan_key(struct scanner *s)
{
	int rc;

	skip_space(s);
	if (peek(s) != '"')
		return refuse_here(s, "lacks a key in quotes");
	rc = scan_text(s);
	if (rc)
		return rc;
	skip_space(s);
	if (peek(s) != ':')
		return refuse_here(s, "lacks a colon after a key");
	s->at++;
	return 0;
}

/* Opens a container. *entered says whether a value follows (it is not empty). */
static int enter(struct scanner *s, char kind, bool *entered)
{
	if (s->depth == JSON_DEPTH)
		return refuse(s, STATUS_LIMIT, "is nested too deep");
	s->at++;
	skip_space(s);
	if (peek(s) == kind + 2) { /* '}' is '{' + 2, ']' is '[' + 2 */
		s->at++;
		return 0;
	}
	s->open[s->depth++] = kind;
	*entered = true;
	return kind == '{' ? scan_key(s) : 0;
}

/* One value; a container only as far as its first inner value. */
static int scan_value(struct scanner *s, bool *entered)
{
	int c = peek(s);

	*entered = false;
	s->values++;
	if (c < 0)
		return refuse_here(s, "ends where a value should stand");
	if (c == '{' || c == '[')
		return enter(s, (char)c, entered);
	if (c == '"')
		return scan_text(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	return scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null");
}

/* After a value: closes what ends here, or goes on to the next (*more). */
static int leave(struct scanner *s, bool *more)
{
	*more = false;
	while (s->depth) {
		char kind = s->open[s->depth - 1];

		skip_space(s);
		if (peek(s) == ',') {
			s->at++;
			*more = true;
			return kind == '{' ? scan_key(s) : 0;
		}
		if (peek(s) != kind + 2)
			return refuse_here(s, kind == '{' ? "lacks a comma or }"
							  : "lacks a comma or ]");
		s->at++;
		s->depth--;
	}
	return 0;
}

static int scan_all(struct scanner *s, size_t wanted)
{
	bool entered, more = true;
	int rc = 0;

	while (more) {
		skip_space(s);
		if (wanted && s->values + 1 == wanted)
			return 0;
		rc = scan_value(s, &entered);
		if (rc)
			return rc;
		if (entered)
			continue;
		rc = leave(s, &more);
		if (rc)
			return rc;
	}
	skip_space(s);
	return s->at == s->len ? 0
			       : refuse(s, STATUS_SYNTAX, "has something behind its end");
}

int json_scan(struct json_scan *scan, const char *text, size_t len, size_t wanted)
{
	struct scanner s = {.text = text, .len = len};
	int rc = scan_all(&s, wanted);

	scan->why = s.why;
	scan->at = s.at;
	scan->values = s.values;
	return rc;
}

void json_scan_blank_comments(char *text, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && text[i] == '/' && i + 1 < len && text[i + 1] == '/')
			while (i < len && text[i] != '\n')
				text[i++] = ' ';
	}
}
