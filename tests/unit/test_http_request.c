#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http_request.h"

#define HOST "Host: collector\r\n"

static const struct http_request_limits limits = {.head_bytes = 2048, .body_bytes = 4096};

/* Reads bytes in pieces of a size; the last stage, and how many bytes were used. */
static int read_in_pieces(struct http_request_reader *reader, const char *bytes,
	size_t len, size_t piece, size_t *used)
{
	int stage = HTTP_REQUEST_MORE;

	*used = 0;
	while (stage == HTTP_REQUEST_HEAD ||
		(stage == HTTP_REQUEST_MORE && *used < len)) {
		size_t some = len - *used < piece ? len - *used : piece, taken;

		stage = http_request_read(reader, bytes + *used, some, &taken);
		assert_true(taken <= some);
		*used += taken;
	}
	return stage;
}

static struct http_request_reader *open_reader(void)
{
	struct http_request_reader *reader;

	assert_int_equal(http_request_open(&reader, &limits), 0);
	return reader;
}

static int status_of(const char *text)
{
	struct http_request_reader *reader = open_reader();
	size_t used;
	int rc = read_in_pieces(reader, text, strlen(text), 4096, &used);
	int status = rc < 0 ? http_request_status(reader) : rc;

	if (rc < 0)
		assert_true(*http_request_reason(reader));
	http_request_close(reader);
	return status;
}

static const char posted[] = "POST /v1/observations?a=b%20c HTTP/1.1\r\n" HOST
			     "X-Empty:\r\nContent-Type:  application/x-ndjson \t\r\n"
			     "Content-Length: 11\r\n\r\nhello\nworld";
static const char chunked[] = "POST /v1/observations?a=b%20c HTTP/1.1\r\n" HOST
			      "X-Empty:\r\nContent-Type: application/x-ndjson\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n"
			      "6\r\nhello\n\r\n5\r\nworld\r\n0\r\n\r\n";

static void check_posted(struct http_request_reader *reader)
{
	const struct http_request *request = http_request_of(reader);
	char value[16];

	assert_string_equal(request->method, "POST");
	assert_string_equal(request->path, "/v1/observations");
	assert_string_equal(request->query, "a=b%20c");
	assert_int_equal(request->body_len, 11);
	assert_string_equal(request->body, "hello\nworld");
	assert_string_equal(
		http_request_header(reader, "content-type"), "application/x-ndjson");
	assert_string_equal(http_request_header(reader, "x-empty"), "");
	assert_null(http_request_header(reader, "x-other"));
	assert_true(http_request_keeps_alive(reader));
	assert_true(http_request_parameter(request->query, "a", value, sizeof(value)));
	assert_string_equal(value, "b c");
}

static void however_it_is_cut_the_request_is_the_same(void **state)
{
	static const char *const texts[] = {posted, chunked};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		for (size_t piece = 1; piece <= strlen(texts[i]); piece++) {
			struct http_request_reader *reader = open_reader();
			size_t used;

			assert_int_equal(read_in_pieces(reader, texts[i],
						 strlen(texts[i]), piece, &used),
				HTTP_REQUEST_DONE);
			assert_int_equal(used, strlen(texts[i]));
			check_posted(reader);
			http_request_close(reader);
		}
}

static void a_short_prefix_waits_for_more(void **state)
{
	static const char *const texts[] = {posted, chunked};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		for (size_t len = 0; len < strlen(texts[i]); len++) {
			struct http_request_reader *reader = open_reader();
			size_t used;

			assert_int_equal(
				read_in_pieces(reader, texts[i], len, 4096, &used),
				HTTP_REQUEST_MORE);
			assert_int_equal(used, len);
			http_request_close(reader);
		}
}

static void what_follows_a_request_is_left_alone(void **state)
{
	static const char two[] =
		"GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n";
	struct http_request_reader *reader;
	size_t used, first = strlen(two) / 2;
	char text[1024];

	(void)state;
	for (size_t piece = 1; piece <= strlen(two); piece++) {
		reader = open_reader();
		assert_int_equal(read_in_pieces(reader, two, strlen(two), piece, &used),
			HTTP_REQUEST_DONE);
		assert_int_equal(used, first);
		assert_string_equal(http_request_of(reader)->path, "/a");
		http_request_close(reader);
	}
	(void)snprintf(text, sizeof(text), "%s%s", chunked, posted);
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		reader = open_reader();
		assert_int_equal(read_in_pieces(reader, text, strlen(text), piece, &used),
			HTTP_REQUEST_DONE);
		assert_int_equal(used, strlen(chunked));
		http_request_close(reader);
	}
}

static void two_readers_could_never_disagree(void **state)
{
	static const struct {
		int status;
		const char *text;
	} table[] = {
		/* length against coding, lengths that lie */
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
		{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nhello"},
		{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello"},
		{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nhello"},
		{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5x\r\n\r\nhello"},
		{400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nhello"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Content-Length: 99999999999999999999\r\n\r\n"},
		/* codings */
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
		{501, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked, identity\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\nTransfer-Encoding: "
		      "chunked\r\n\r\n0\r\n\r\n"},
		{501, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		/* chunks */
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"},
		/* lines */
		{400, "GET / HTTP/1.1\n" HOST "\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n folded\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST " A: b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A\x80: b\r\n\r\n"},
		{400, "GET  / HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET /\t HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET / HTTP/1.1 \r\n" HOST "\r\n"},
		{400, "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"},
		/* who is asked for what */
		{400, "GET / HTTP/1.1\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"},
		{400, "GET http://other/ HTTP/1.1\r\n" HOST "\r\n"},
		{400, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET /%0aa HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET /%00 HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET /%4 HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET /%zz HTTP/1.1\r\n" HOST "\r\n"},
		{501, "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n"},
		{501, "TRACE / HTTP/1.1\r\n" HOST "\r\n"},
		{400, "get / HTTP/1.1\r\n" HOST "\r\n"},
		{505, "GET / HTTP/2.0\r\n" HOST "\r\n"},
		{400, "GET /\r\n\r\n"},
		{417, "POST / HTTP/1.1\r\n" HOST
		      "Expect: a-pony\r\nContent-Length: 1\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST
		      "Authorization: a\r\nAuthorization: b\r\n\r\n"},
		{400, "\x16\x03\x01\x02\n"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (status_of(table[i].text) != table[i].status)
			fail_msg("row %u: %d instead of %d", i, status_of(table[i].text),
				table[i].status);
}

static void what_is_plain_is_accepted(void **state)
{
	static const char *const table[] = {
		"GET / HTTP/1.1\r\n" HOST "\r\n",
		"\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"GET /caf%C3%A9 HTTP/1.1\r\n" HOST "X-Name: caf\xc3\xa9\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST
		"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (status_of(table[i]) != HTTP_REQUEST_DONE)
			fail_msg("row %u: %d", i, status_of(table[i]));
}

static void head_asks_for_get_without_the_body(void **state)
{
	static const char text[] =
		"HEAD /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
	struct http_request_reader *reader = open_reader();
	size_t used;

	(void)state;
	assert_int_equal(
		read_in_pieces(reader, text, strlen(text), 7, &used), HTTP_REQUEST_DONE);
	assert_string_equal(http_request_of(reader)->method, "GET");
	assert_true(http_request_is_head(reader));
	assert_false(http_request_keeps_alive(reader));
	http_request_close(reader);
}

static void the_wish_for_a_100_is_seen_at_the_head(void **state)
{
	static const char text[] = "POST / HTTP/1.1\r\n" HOST
				   "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n";
	struct http_request_reader *reader = open_reader();
	size_t used;

	(void)state;
	assert_int_equal(
		http_request_read(reader, text, strlen(text), &used), HTTP_REQUEST_HEAD);
	assert_int_equal(used, strlen(text));
	assert_true(http_request_expects_continue(reader));
	assert_int_equal(http_request_read(reader, "", 0, &used), HTTP_REQUEST_MORE);
	assert_int_equal(http_request_read(reader, "x", 1, &used), HTTP_REQUEST_DONE);
	http_request_close(reader);
}

static void a_head_stops_at_its_limit(void **state)
{
	char text[4096];
	struct http_request_reader *reader;
	size_t used;

	(void)state;
	for (size_t len = 1900; len < 2100; len++) {
		size_t head = (size_t)snprintf(text, sizeof(text),
			"GET / HTTP/1.1\r\n" HOST "A: %0*d\r\n\r\n", (int)len - 40, 1);
		bool fits = head <= limits.head_bytes;

		reader = open_reader();
		assert_int_equal(read_in_pieces(reader, text, head, 100, &used) ==
					 HTTP_REQUEST_DONE,
			fits);
		if (!fits)
			assert_int_equal(http_request_status(reader), 431);
		http_request_close(reader);
	}
}

static void header_lines_stop_at_their_limit(void **state)
{
	char text[4096] = "GET / HTTP/1.1\r\n" HOST;

	(void)state;
	for (unsigned i = 1; i < HTTP_REQUEST_HEADERS; i++)
		(void)strcat(text, "A: b\r\n");
	(void)strcat(text, "\r\n");
	assert_int_equal(status_of(text), HTTP_REQUEST_DONE);
	text[strlen(text) - 2] = '\0';
	(void)strcat(text, "A: b\r\n\r\n");
	assert_int_equal(status_of(text), 431);
}

static void a_body_stops_at_its_limit(void **state)
{
	(void)state;
	assert_int_equal(
		status_of("POST / HTTP/1.1\r\n" HOST "Content-Length: 4096\r\n\r\n"),
		HTTP_REQUEST_MORE);
	assert_int_equal(
		status_of("POST / HTTP/1.1\r\n" HOST "Content-Length: 4097\r\n\r\n"),
		413);
	assert_int_equal(status_of("POST / HTTP/1.1\r\n" HOST
				   "Transfer-Encoding: chunked\r\n\r\n1000\r\n"),
		HTTP_REQUEST_MORE);
	assert_int_equal(status_of("POST / HTTP/1.1\r\n" HOST
				   "Transfer-Encoding: chunked\r\n\r\n1001\r\n"),
		413);
	assert_int_equal(
		status_of("POST / HTTP/1.1\r\n" HOST
			  "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1000\r\n"),
		413);
}

static void chunks_cost_more_than_they_carry_up_to_a_limit(void **state)
{
	static const char head[] =
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
	struct http_request_reader *reader = open_reader();
	int rc = HTTP_REQUEST_HEAD;
	size_t used;

	(void)state;
	assert_int_equal(read_in_pieces(reader, head, strlen(head), 4096, &used), rc - 1);
	for (unsigned i = 0; i < limits.body_bytes && rc >= 0; i++)
		rc = http_request_read(reader, "1\r\nx\r\n", 6, &used);
	assert_true(rc < 0);
	assert_int_equal(http_request_status(reader), 413);
	http_request_close(reader);
}

static void once_refused_it_stays_refused(void **state)
{
	struct http_request_reader *reader = open_reader();
	size_t used;

	(void)state;
	assert_true(http_request_read(reader, "\n", 1, &used) < 0);
	assert_true(http_request_read(reader, posted, strlen(posted), &used) < 0);
	assert_int_equal(used, 0);
	assert_int_equal(http_request_status(reader), 400);
	http_request_close(reader);
}

static void parameters_are_decoded_or_refused(void **state)
{
	char value[8];

	(void)state;
	assert_true(http_request_parameter("b=1&a=x+y&a=2", "a", value, sizeof(value)));
	assert_string_equal(value, "x y");
	assert_true(http_request_parameter("a=", "a", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(http_request_parameter("a=1234567", "a", value, sizeof(value)));
	assert_false(http_request_parameter("a=12345678", "a", value, sizeof(value)));
	assert_false(http_request_parameter("aa=1", "a", value, sizeof(value)));
	assert_false(http_request_parameter("a", "a", value, sizeof(value)));
	assert_false(http_request_parameter("", "a", value, sizeof(value)));
	assert_false(http_request_parameter("a=%", "a", value, sizeof(value)));
	assert_false(http_request_parameter("a=%4", "a", value, sizeof(value)));
	assert_false(http_request_parameter("a=%00", "a", value, sizeof(value)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(however_it_is_cut_the_request_is_the_same),
		cmocka_unit_test(a_short_prefix_waits_for_more),
		cmocka_unit_test(what_follows_a_request_is_left_alone),
		cmocka_unit_test(two_readers_could_never_disagree),
		cmocka_unit_test(what_is_plain_is_accepted),
		cmocka_unit_test(head_asks_for_get_without_the_body),
		cmocka_unit_test(the_wish_for_a_100_is_seen_at_the_head),
		cmocka_unit_test(a_head_stops_at_its_limit),
		cmocka_unit_test(header_lines_stop_at_their_limit),
		cmocka_unit_test(a_body_stops_at_its_limit),
		cmocka_unit_test(chunks_cost_more_than_they_carry_up_to_a_limit),
		cmocka_unit_test(once_refused_it_stays_refused),
		cmocka_unit_test(parameters_are_decoded_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
