#include "http_head.h"

#include <string.h>
#include <strings.h>

#include "astray/address.h"
#include "astray/status.h"

#define METHOD_MAX 24 /* the longest registered method has seventeen letters */

static const char version[] = "HTTP/1.";

struct line {
	const char *text;
	size_t len;
};

static bool next_line(const char **at, const char *end, struct line *line)
{
	const char *newline;

	if (*at == end)
		return false;
	newline = memchr(*at, '\n', (size_t)(end - *at));
	line->text = *at;
	line->len = (size_t)((newline ? newline : end) - *at);
	*at = newline ? newline + 1 : end;
	if (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

static struct line trimmed(struct line text)
{
	while (text.len > 0 && (*text.text == ' ' || *text.text == '\t')) {
		text.text++;
		text.len--;
	}
	while (text.len > 0 &&
		(text.text[text.len - 1] == ' ' || text.text[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static bool is_word(struct line text, const char *word)
{
	return text.len == strlen(word) && strncasecmp(text.text, word, text.len) == 0;
}

static bool is_method_letter(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool http_head_may_be_request(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && i < METHOD_MAX; i++) {
		if (bytes[i] == ' ')
			return i >= 3;
		if (!is_method_letter(bytes[i]))
			return false;
	}
	return len > 0 && len < METHOD_MAX;
}

bool http_head_may_be_answer(const uint8_t *bytes, size_t len)
{
	size_t want = sizeof(version) - 1;

	return len > 0 && memcmp(bytes, version, len < want ? len : want) == 0;
}

static bool ends_in_version(struct line line)
{
	size_t want = sizeof(version); /* one digit behind */

	return line.len > want + 1 && line.text[line.len - want - 1] == ' ' &&
	       memcmp(line.text + line.len - want, version, want - 1) == 0;
}

/* The number behind the colon; 0 where there is none, or none that is a port. */
static uint16_t port_of(struct line authority)
{
	unsigned port = 0;
	size_t at = authority.len;

	while (at > 0 && authority.text[at - 1] >= '0' && authority.text[at - 1] <= '9')
		at--;
	if (at == 0 || authority.text[at - 1] != ':' || authority.len - at > 5)
		return 0;
	for (; at < authority.len; at++)
		port = port * 10 + (unsigned)(authority.text[at] - '0');
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Whom a proxy is asked for: it counts for more than Host (RFC 9112 §3.2.2). */
static void read_authority(struct http_head *out, struct line authority, uint16_t port)
{
	const char *user = memchr(authority.text, '@', authority.len);
	uint16_t named;

	if (user) {
		authority.len -= (size_t)(user + 1 - authority.text);
		authority.text = user + 1;
	}
	named = port_of(authority);
	authority.text = http_head_without_port(authority.text, &authority.len);
	if (authority.len == 0)
		return;
	out->host = authority.text;
	out->host_len = authority.len;
	out->port = named ? named : port;
}

static bool takes_prefix(struct line *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text->len < len || strncasecmp(text->text, prefix, len) != 0)
		return false;
	text->text += len;
	text->len -= len;
	return true;
}

static void read_target(struct http_head *out, struct line target)
{
	bool secure;

	if (out->is_connect) {
		read_authority(out, target, 443);
		return;
	}
	secure = takes_prefix(&target, "https://");
	if (!secure && !takes_prefix(&target, "http://"))
		return;
	for (size_t i = 0; i < target.len; i++)
		if (memchr("/?#", target.text[i], 3))
			target.len = i;
	read_authority(out, target, secure ? 443 : 80);
}

static int read_request_line(struct http_head *out, struct line line)
{
	const char *space = memchr(line.text, ' ', line.len);
	struct line method = {line.text, space ? (size_t)(space - line.text) : 0};

	if (!space || !ends_in_version(line) ||
		!http_head_may_be_request((const uint8_t *)line.text, line.len))
		return STATUS_SYNTAX;
	out->is_request = true;
	out->is_head = is_word(method, "HEAD");
	out->is_connect = is_word(method, "CONNECT");
	read_target(out,
		trimmed((struct line){space, line.len - method.len - sizeof(version)}));
	return 0;
}

static int read_status_line(struct http_head *out, struct line line)
{
	const char *digits = line.text + sizeof(version) + 1;

	if (line.len < sizeof(version) + 4)
		return STATUS_SYNTAX;
	for (unsigned i = 0; i < 3; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return STATUS_SYNTAX;
		out->status = out->status * 10 + (digits[i] - '0');
	}
	return out->status >= 100 ? 0 : STATUS_SYNTAX;
}

static int read_length(struct http_head *out, struct line value)
{
	int64_t length = 0;

	if (value.len == 0 || value.len > 18)
		return STATUS_SYNTAX;
	for (size_t i = 0; i < value.len; i++) {
		if (value.text[i] < '0' || value.text[i] > '9')
			return STATUS_SYNTAX;
		length = length * 10 + (value.text[i] - '0');
	}
	if (out->content_length != HTTP_HEAD_NO_LENGTH && out->content_length != length)
		return STATUS_SYNTAX;
	out->content_length = length;
	return 0;
}

/* The last coding is the outermost; only "chunked" says where the message ends. */
static void read_coding(struct http_head *out, struct line value)
{
	struct line last = value;

	for (size_t i = 0; i < value.len; i++)
		if (value.text[i] == ',')
			last = (struct line){value.text + i + 1, value.len - i - 1};
	out->chunked = is_word(trimmed(last), "chunked");
}

const char *http_head_without_port(const char *host, size_t *len)
{
	bool bracketed = *len > 0 && host[0] == '[';
	const char *end = memchr(host, bracketed ? ']' : ':', *len);

	if (end)
		*len = (size_t)(end - host) - bracketed;
	return host + (end && bracketed);
}

bool http_head_is_address(const char *host, size_t len)
{
	char text[ADDRESS_TEXT];
	struct address address;

	if (!host || len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = 0;
	return address_parse(&address, text) == 0;
}

static void read_host(struct http_head *out, struct line value)
{
	const char *host = http_head_without_port(value.text, &value.len);

	if (value.len == 0 || out->port)
		return;
	out->host = host;
	out->host_len = value.len;
}

static int read_field(struct http_head *out, struct line line)
{
	const char *colon = memchr(line.text, ':', line.len);
	struct line name, value;

	if (!colon)
		return 0; /* cut, or folded from the line before */
	name = (struct line){line.text, (size_t)(colon - line.text)};
	value = trimmed((struct line){colon + 1, line.len - name.len - 1});
	if (is_word(name, "content-length"))
		return read_length(out, value);
	if (is_word(name, "transfer-encoding"))
		read_coding(out, value);
	else if (is_word(name, "host") && out->is_request)
		read_host(out, value);
	return 0;
}

static int read_first_line(struct http_head *out, struct line line)
{
	if (line.len > 0 && http_head_may_be_answer((const uint8_t *)line.text, line.len))
		return read_status_line(out, line);
	return read_request_line(out, line);
}

int http_head_read(struct http_head *out, const uint8_t *bytes, size_t len)
{
	const char *at = (const char *)bytes;
	const char *end = at + len;
	struct line line = {0};
	int rc;

	*out = (struct http_head){.content_length = HTTP_HEAD_NO_LENGTH};
	while (next_line(&at, end, &line) && line.len == 0)
		;
	if (line.len == 0)
		return STATUS_SYNTAX;
	rc = read_first_line(out, line);
	while (rc == 0 && next_line(&at, end, &line) && line.len > 0)
		rc = read_field(out, line);
	return rc;
}

/* matched counts: 0 before anything but line ends, 1 within a line, 2 behind a newline.
 */
size_t http_head_scan(uint8_t *matched, const uint8_t *bytes, size_t len, bool *complete)
{
	enum { BLANK, INSIDE, LINE_END };

	*complete = false;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' && *matched == LINE_END) {
			*matched = BLANK;
			*complete = true;
			return i + 1;
		}
		if (bytes[i] == '\n' && *matched == INSIDE)
			*matched = LINE_END;
		else if (bytes[i] != '\r' && bytes[i] != '\n')
			*matched = INSIDE;
	}
	return len;
}
