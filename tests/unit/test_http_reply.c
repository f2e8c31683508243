#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http_reply.h"

static const struct moment at = {INT64_C(1590883500000000)};

static void expect(const struct http_reply *reply, const struct http_reply_form *form,
	const char *text)
{
	size_t len;
	char *bytes = http_reply_compose(reply, form, &len);

	assert_non_null(bytes);
	assert_int_equal(len, strlen(text));
	assert_string_equal(bytes, text);
	free(bytes);
}

static void an_answer_has_its_length_and_date(void **state)
{
	const struct http_reply reply = {.status = 200,
		.content_type = "text/plain",
		.body = "hello",
		.body_len = 5};

	(void)state;
	expect(&reply, &(struct http_reply_form){.now = at},
		"HTTP/1.1 200 OK\r\nDate: Sun, 31 May 2020 00:05:00 GMT\r\n"
		"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
	expect(&reply,
		&(struct http_reply_form){.now = at, .head_only = true, .close = true},
		"HTTP/1.1 200 OK\r\nDate: Sun, 31 May 2020 00:05:00 GMT\r\n"
		"Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: "
		"close\r\n\r\n");
}

static void not_modified_has_neither_body_nor_length(void **state)
{
	const struct http_header headers[] = {{"ETag", "\"a\""}, {0}};
	const struct http_reply reply = {.status = 304, .headers = headers};

	(void)state;
	expect(&reply, &(struct http_reply_form){.now = at},
		"HTTP/1.1 304 Not Modified\r\nDate: Sun, 31 May 2020 00:05:00 GMT\r\n"
		"ETag: \"a\"\r\n\r\n");
}

static void a_value_cannot_begin_a_line_of_its_own(void **state)
{
	const struct http_header headers[] = {
		{"X-Bad", "a\r\nSet-Cookie: b"}, {"X-Good", "c"}, {0}};
	const struct http_reply reply = {.status = 204, .headers = headers};

	(void)state;
	expect(&reply, &(struct http_reply_form){.now = at},
		"HTTP/1.1 204 No Content\r\nDate: Sun, 31 May 2020 00:05:00 GMT\r\n"
		"X-Good: c\r\n\r\n");
}

static void an_endless_answer_ends_with_the_connection(void **state)
{
	const struct http_reply reply = {
		.status = 200, .content_type = "text/event-stream"};

	(void)state;
	expect(&reply, &(struct http_reply_form){.now = at, .endless = true},
		"HTTP/1.1 200 OK\r\nDate: Sun, 31 May 2020 00:05:00 GMT\r\n"
		"Content-Type: text/event-stream\r\nConnection: close\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_has_its_length_and_date),
		cmocka_unit_test(not_modified_has_neither_body_nor_length),
		cmocka_unit_test(a_value_cannot_begin_a_line_of_its_own),
		cmocka_unit_test(an_endless_answer_ends_with_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
