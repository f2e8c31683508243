/*
 * A request in any bytes: cut at every size that the first byte names, it reads as it
 * does whole, and what is accepted keeps what the header promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_request_limits limits = {.head_bytes = 1024, .body_bytes = 2048};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int read_all(struct http_request_reader **out, const uint8_t *bytes, size_t len,
	size_t piece, size_t *used)
{
	int stage = HTTP_REQUEST_MORE;

	*used = 0;
	require(http_request_open(out, &limits) == 0);
	while (stage == HTTP_REQUEST_HEAD ||
		(stage == HTTP_REQUEST_MORE && *used < len)) {
		size_t some = len - *used < piece ? len - *used : piece, taken;

		stage = http_request_read(*out, bytes + *used, some, &taken);
		require(taken <= some && (stage != HTTP_REQUEST_MORE || taken == some));
		*used += taken;
	}
	return stage;
}

static void check_accepted(struct http_request_reader *reader)
{
	const struct http_request *request = http_request_of(reader);
	char value[64];

	require(request->path[0] == '/' && strlen(request->body) <= request->body_len);
	require(request->body_len <= limits.body_bytes &&
		request->body[request->body_len] == '\0');
	for (const char *c = request->path; *c; c++)
		require((unsigned char)*c >= ' ' && *c != 0x7f);
	require(!(http_request_header(reader, "content-length") &&
		  http_request_header(reader, "transfer-encoding")));
	(void)http_request_parameter(request->query, "a", value, sizeof(value));
}

static void check_same(struct http_request_reader *a, struct http_request_reader *b)
{
	const struct http_request *x = http_request_of(a), *y = http_request_of(b);

	require(strcmp(x->method, y->method) == 0 && strcmp(x->path, y->path) == 0);
	require(strcmp(x->query, y->query) == 0 && x->body_len == y->body_len);
	require(memcmp(x->body, y->body, x->body_len) == 0);
	require(http_request_keeps_alive(a) == http_request_keeps_alive(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request_reader *whole, *cut;
	size_t whole_used, cut_used;
	int whole_rc, cut_rc;

	if (size == 0)
		return 0;
	whole_rc = read_all(&whole, data + 1, size - 1, size, &whole_used);
	cut_rc = read_all(&cut, data + 1, size - 1, (size_t)data[0] + 1, &cut_used);
	require((whole_rc < 0) == (cut_rc < 0));
	if (whole_rc < 0)
		require(http_request_status(whole) >= 400 && *http_request_reason(whole));
	else
		require(whole_rc == cut_rc && whole_used == cut_used);
	if (whole_rc == HTTP_REQUEST_DONE) {
		check_accepted(whole);
		check_same(whole, cut);
	}
	http_request_close(whole);
	http_request_close(cut);
	return 0;
}
