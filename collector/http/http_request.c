#include "http_request.h"

#include <ctype.h>
#include <errno.h>
#include <llhttp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "astray/status.h"

#define HEAD_FIRST_BYTES 1024
#define BODY_FIRST_BYTES 4096
#define VERSION_1_0 10
#define VERSION_1_1 11

struct header {
	char *name;
	char *value;
	size_t name_len, value_len;
};

struct http_request_reader {
	struct http_request_limits limits;
	llhttp_t parser;
	struct http_request request;
	char *head; /* whole lines up to now, with what came of the next */
	size_t head_len, head_held, line_at;
	char *target;
	size_t target_len;
	struct header headers[HTTP_REQUEST_HEADERS];
	unsigned header_count;
	char *body;
	size_t body_len, body_held;
	size_t framing; /* bytes behind the head that are no body */
	bool blank_seen, head_done, done, is_head, keeps_alive, expects_continue;
	int status;
	const char *reason;
};

static int refuse(struct http_request_reader *reader, int status, const char *reason)
{
	if (!reader->status) {
		reader->status = status;
		reader->reason = reason;
	}
	return STATUS_REFUSED;
}

/* ---- what llhttp finds */

static struct http_request_reader *reader_of(llhttp_t *parser)
{
	return parser->data;
}

/* The head is parsed in one call, so a span that comes in two pieces still lies in one.
 */
static void extend(char **at, size_t *len, const char *piece, size_t piece_len,
	struct http_request_reader *reader)
{
	if (!*at)
		*at = reader->head + (piece - reader->head);
	*len += piece_len;
}

static int url_found(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request_reader *reader = reader_of(parser);

	extend(&reader->target, &reader->target_len, at, len, reader);
	return 0;
}

static int field_found(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request_reader *reader = reader_of(parser);
	struct header *header;

	if (reader->head_done) {
		(void)refuse(reader, 400, "trailers are not accepted");
		return -1;
	}
	if (reader->header_count == HTTP_REQUEST_HEADERS) {
		(void)refuse(reader, 431, "too many header lines");
		return -1;
	}
	header = &reader->headers[reader->header_count];
	extend(&header->name, &header->name_len, at, len, reader);
	return 0;
}

static int field_complete(llhttp_t *parser)
{
	reader_of(parser)->header_count++;
	return 0;
}

/* An empty value is found where the next line begins, and must stay out of the table. */
static int value_found(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request_reader *reader = reader_of(parser);
	struct header *header = &reader->headers[reader->header_count - 1];

	if (len > 0)
		extend(&header->value, &header->value_len, at, len, reader);
	return 0;
}

static int extension_found(llhttp_t *parser, const char *at, size_t len)
{
	(void)at;
	(void)len;
	(void)refuse(reader_of(parser), 400, "chunk extensions are not accepted");
	return -1;
}

static int headers_complete(llhttp_t *parser)
{
	parser->upgrade =
		0; /* an upgrade that is offered may be passed over (RFC 9110 7.8) */
	reader_of(parser)->keeps_alive =
		parser->http_minor == 1 && llhttp_should_keep_alive(parser);
	return 0;
}

static int chunk_found(llhttp_t *parser)
{
	struct http_request_reader *reader = reader_of(parser);

	if (parser->content_length <= reader->limits.body_bytes - reader->body_len)
		return 0;
	(void)refuse(reader, 413, "the body is too large");
	return -1;
}

static int body_reserve(struct http_request_reader *reader, size_t more)
{
	size_t wanted = reader->body_held ? reader->body_held : BODY_FIRST_BYTES;
	char *body;

	if (more > reader->limits.body_bytes - reader->body_len)
		return refuse(reader, 413, "the body is too large");
	while (wanted < reader->body_len + more + 1)
		wanted *= 2;
	if (wanted == reader->body_held)
		return 0;
	body = realloc(reader->body, wanted);
	if (!body)
		return refuse(reader, 503, "no memory for the body");
	reader->body = body;
	reader->body_held = wanted;
	return 0;
}

static int body_found(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request_reader *reader = reader_of(parser);

	if (body_reserve(reader, len))
		return -1;
	memcpy(reader->body + reader->body_len, at, len);
	reader->body_len += len;
	return 0;
}

static int message_complete(llhttp_t *parser)
{
	reader_of(parser)->done = true;
	return HPE_PAUSED; /* what follows is another request */
}

static const llhttp_settings_t callbacks = {
	.on_url = url_found,
	.on_header_field = field_found,
	.on_header_field_complete = field_complete,
	.on_header_value = value_found,
	.on_chunk_extension_name = extension_found,
	.on_chunk_extension_value = extension_found,
	.on_headers_complete = headers_complete,
	.on_chunk_header = chunk_found,
	.on_body = body_found,
	.on_message_complete = message_complete,
};

static int execute(
	struct http_request_reader *reader, const char *bytes, size_t len, size_t *used)
{
	llhttp_errno_t rc = llhttp_execute(&reader->parser, bytes, len);

	*used = len;
	if (rc == HPE_OK)
		return 0;
	if (rc == HPE_PAUSED && reader->done) {
		*used = (size_t)(llhttp_get_error_pos(&reader->parser) - bytes);
		return 0;
	}
	if (rc == HPE_INVALID_VERSION)
		return refuse(reader, 505, "HTTP/1.1 is spoken here");
	return refuse(reader, 400, llhttp_get_error_reason(&reader->parser));
}

/* ---- the head */

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool line_is_header(const char *line, size_t len)
{
	size_t name = 0;

	while (name < len && is_token(line[name]))
		name++;
	if (name == 0 || name == len || line[name] != ':')
		return false;
	for (size_t i = name; i < len; i++)
		if ((unsigned char)line[i] < ' ' ? line[i] != '\t' : line[i] == 0x7f)
			return false;
	return true;
}

static bool line_is_request(const char *line, size_t len)
{
	unsigned spaces = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] < ' ' || line[i] == 0x7f)
			return false;
		if (line[i] == ' ' && (i == 0 || line[i - 1] == ' ' || i + 1 == len))
			return false;
		spaces += line[i] == ' ';
	}
	return spaces == 2;
}

/* A line of the head with its CR LF has come in. */
static int line_ended(struct http_request_reader *reader, const char *line, size_t len)
{
	if (len < 2 || line[len - 2] != '\r')
		return refuse(reader, 400, "a line should end in CR LF");
	len -= 2;
	if (line == reader->head ? !line_is_request(line, len)
				 : len && !line_is_header(line, len))
		return refuse(reader, 400,
			line == reader->head ? "the request line is not well formed"
					     : "a header line is not well formed");
	return 0;
}

static int head_reserve(struct http_request_reader *reader, size_t more)
{
	size_t wanted = reader->head_held ? reader->head_held : HEAD_FIRST_BYTES;
	char *head;

	if (more > reader->limits.head_bytes - reader->head_len)
		return refuse(reader, 431, "the head is too large");
	while (wanted < reader->head_len + more)
		wanted *= 2;
	if (wanted == reader->head_held)
		return 0;
	head = realloc(reader->head, wanted);
	if (!head)
		return refuse(reader, 503, "no memory for the head");
	reader->head = head;
	reader->head_held = wanted;
	return 0;
}

/* Adds bytes up to the end of a line. 1: the head's last line has come. */
static int take_line(
	struct http_request_reader *reader, const char *bytes, size_t len, size_t *used)
{
	const char *newline = memchr(bytes, '\n', len);
	size_t piece = newline ? (size_t)(newline - bytes) + 1 : len;
	size_t start = reader->line_at, line_len;
	int rc = head_reserve(reader, piece);

	if (rc)
		return rc;
	memcpy(reader->head + reader->head_len, bytes, piece);
	reader->head_len += piece;
	*used += piece;
	line_len = reader->head_len - start;
	if (!newline)
		return 0;
	/* One empty line in front of a request is to be passed over (RFC 9112 2.2). */
	if (start == 0 && line_len == 2 && reader->head[0] == '\r' &&
		!reader->blank_seen) {
		reader->blank_seen = true;
		reader->head_len = 0;
		return 0;
	}
	reader->line_at = reader->head_len;
	rc = line_ended(reader, reader->head + start, line_len);
	return rc ? rc : line_len == 2;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX (and + where asked) into out, which may be the text itself. The length, or
 * -1 when an escape is broken or stands for a control character. */
static int decode(char *out, size_t cap, const char *text, size_t len, bool plus)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		int byte = (unsigned char)text[i];

		if (byte == '+' && plus)
			byte = ' ';
		if (byte == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = high >= 0 ? hex(text[i + 2]) : -1;

			if (low < 0)
				return -1;
			byte = high << 4 | low;
			i += 2;
		}
		if (byte < ' ' || byte == 0x7f || used + 1 >= cap)
			return -1;
		out[used++] = (char)byte;
	}
	out[used] = '\0';
	return (int)used;
}

static int split_target(struct http_request_reader *reader)
{
	char *query;
	size_t path_len;

	if (!reader->target || reader->target[0] != '/')
		return refuse(reader, 400, "the target should begin with /");
	reader->target[reader->target_len] = '\0';
	query = strchr(reader->target, '?');
	path_len = query ? (size_t)(query - reader->target) : reader->target_len;
	reader->request.query = query ? query + 1 : "";
	if (decode(reader->target, path_len + 1, reader->target, path_len, false) < 0)
		return refuse(reader, 400, "the path has a broken escape");
	reader->request.path = reader->target;
	return 0;
}

static void end_headers(struct http_request_reader *reader)
{
	for (unsigned i = 0; i < reader->header_count; i++) {
		struct header *header = &reader->headers[i];

		header->name[header->name_len] = '\0';
		for (char *c = header->name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!header->value)
			header->value = header->name + header->name_len; /* "" */
		while (header->value_len &&
			strchr(" \t", header->value[header->value_len - 1]))
			header->value_len--;
		header->value[header->value_len] = '\0';
	}
}

static unsigned count_header(const struct http_request_reader *reader, const char *name)
{
	unsigned count = 0;

	for (unsigned i = 0; i < reader->header_count; i++)
		count += strcmp(reader->headers[i].name, name) == 0;
	return count;
}

/* Headers that decide something must say one thing. */
static int check_single(struct http_request_reader *reader)
{
	static const char *const single[] = {"host", "content-length",
		"transfer-encoding", "content-encoding", "content-type", "authorization",
		"expect", NULL};

	for (const char *const *name = single; *name; name++)
		if (count_header(reader, *name) > 1)
			return refuse(
				reader, 400, "a header that may stand once is repeated");
	return 0;
}

static bool is_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static int check_framing(struct http_request_reader *reader, int version)
{
	const char *length = http_request_header(reader, "content-length");
	const char *coding = http_request_header(reader, "transfer-encoding");

	if (length && coding)
		return refuse(reader, 400, "a length and a transfer coding contradict");
	if (coding && (version == VERSION_1_0 || strcasecmp(coding, "chunked") != 0))
		return refuse(reader, 501, "the only transfer coding is chunked");
	if (length && !is_digits(length))
		return refuse(reader, 400, "the content length is not a number");
	if (length && reader->parser.content_length > reader->limits.body_bytes)
		return refuse(reader, 413, "the body is too large");
	return 0;
}

static int check_expect(struct http_request_reader *reader, int version)
{
	const char *expect = http_request_header(reader, "expect");

	if (!expect || version == VERSION_1_0)
		return 0;
	if (strcasecmp(expect, "100-continue") != 0)
		return refuse(reader, 417, "the only expectation is 100-continue");
	reader->expects_continue = !reader->done;
	return 0;
}

static int take_method(struct http_request_reader *reader)
{
	static const char *const known[] = {
		"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", NULL};
	const char *method = llhttp_method_name(reader->parser.method);

	for (const char *const *name = known; *name; name++)
		if (strcmp(method, *name) == 0) {
			reader->is_head = strcmp(method, "HEAD") == 0;
			reader->request.method = reader->is_head ? "GET" : *name;
			return 0;
		}
	return refuse(reader, 501, "the method is not known here");
}

static int head_complete(struct http_request_reader *reader)
{
	size_t used;
	int rc = execute(reader, reader->head, reader->head_len, &used);
	int version = reader->parser.http_major * 10 + reader->parser.http_minor;

	reader->head_done = true;
	if (rc)
		return rc;
	if (version != VERSION_1_0 && version != VERSION_1_1)
		return refuse(reader, 505, "HTTP/1.1 is spoken here");
	end_headers(reader);
	rc = check_single(reader);
	if (rc == 0)
		rc = take_method(reader);
	if (rc == 0 && version == VERSION_1_1 && count_header(reader, "host") != 1)
		rc = refuse(reader, 400, "the Host header is missing");
	if (rc == 0)
		rc = check_framing(reader, version);
	if (rc == 0)
		rc = check_expect(reader, version);
	if (rc == 0)
		rc = split_target(reader);
	return rc ? rc : HTTP_REQUEST_HEAD;
}

static int take_head(
	struct http_request_reader *reader, const char *bytes, size_t len, size_t *used)
{
	while (*used < len) {
		int rc = take_line(reader, bytes + *used, len - *used, used);

		if (rc < 0)
			return rc;
		if (rc)
			return head_complete(reader);
	}
	return HTTP_REQUEST_MORE;
}

/* ---- the body */

static int take_body(
	struct http_request_reader *reader, const char *bytes, size_t len, size_t *used)
{
	size_t before = reader->body_len;
	int rc = reader->done || len == 0 ? 0 : execute(reader, bytes, len, used);

	if (rc)
		return rc;
	reader->framing += *used - (reader->body_len - before);
	if (reader->framing > reader->limits.body_bytes)
		return refuse(reader, 413, "the chunks are too many");
	if (!reader->done)
		return HTTP_REQUEST_MORE;
	if (reader->body)
		reader->body[reader->body_len] = '\0';
	reader->request.body = reader->body ? reader->body : "";
	reader->request.body_len = reader->body_len;
	return HTTP_REQUEST_DONE;
}

/* ---- for the caller */

int http_request_open(
	struct http_request_reader **out, const struct http_request_limits *limits)
{
	struct http_request_reader *reader = calloc(1, sizeof(*reader));

	*out = reader;
	if (!reader)
		return -ENOMEM;
	reader->limits = *limits;
	reader->request = (struct http_request){
		.method = "", .path = "/", .query = "", .body = "", .client = ""};
	llhttp_init(&reader->parser, HTTP_REQUEST, &callbacks);
	reader->parser.data = reader;
	return 0;
}

void http_request_close(struct http_request_reader *reader)
{
	if (!reader)
		return;
	free(reader->head);
	free(reader->body);
	free(reader);
}

int http_request_read(
	struct http_request_reader *reader, const void *bytes, size_t len, size_t *used)
{
	*used = 0;
	if (reader->status)
		return STATUS_REFUSED;
	if (!reader->head_done)
		return take_head(reader, bytes, len, used);
	return take_body(reader, bytes, len, used);
}

int http_request_status(const struct http_request_reader *reader)
{
	return reader->status;
}

const char *http_request_reason(const struct http_request_reader *reader)
{
	return reader->reason ? reader->reason : "";
}

struct http_request *http_request_of(struct http_request_reader *reader)
{
	return &reader->request;
}

const char *http_request_header(
	const struct http_request_reader *reader, const char *name)
{
	for (unsigned i = 0; i < reader->header_count; i++)
		if (strcmp(reader->headers[i].name, name) == 0)
			return reader->headers[i].value;
	return NULL;
}

bool http_request_keeps_alive(const struct http_request_reader *reader)
{
	return reader->keeps_alive && !reader->status;
}

bool http_request_expects_continue(const struct http_request_reader *reader)
{
	return reader->expects_continue;
}

bool http_request_is_head(const struct http_request_reader *reader)
{
	return reader->is_head;
}

bool http_request_parameter(const char *query, const char *name, char *buf, size_t cap)
{
	size_t name_len = strlen(name);

	while (*query) {
		size_t len = strcspn(query, "&");

		if (len > name_len && query[name_len] == '=' &&
			strncmp(query, name, name_len) == 0)
			return decode(buf, cap, query + name_len + 1, len - name_len - 1,
				       true) >= 0;
		query += len + (query[len] == '&');
	}
	return false;
}
