#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "exchange_recorder.h"
#include "http_exchange.h"
#include "http_head.h"

static int read_head(struct http_head *head, const char *text)
{
	return http_head_read(head, (const uint8_t *)text, strlen(text));
}

static void a_request_head_is_read(void **state)
{
	struct http_head head;

	(void)state;
	assert_int_equal(
		read_head(&head, "POST /a HTTP/1.1\r\nhOST:  Exchange.Example:8080 \r\n"
				 "Content-Length: 12\r\n\r\n"),
		0);
	assert_true(head.is_request);
	assert_int_equal(head.content_length, 12);
	assert_int_equal(head.host_len, 16);
	assert_memory_equal(head.host, "Exchange.Example", 16);
	assert_int_equal(
		read_head(&head, "HEAD / HTTP/1.0\nHost: [2001:db8::1]:80\n\n"), 0);
	assert_true(head.is_head);
	assert_memory_equal(head.host, "2001:db8::1", head.host_len);
}

static void a_proxys_request_names_where_it_goes(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} heads[] = {
		{"CONNECT Exchange.example:8443 HTTP/1.1\r\nHost: proxy\r\n\r\n",
			"Exchange.example", 8443},
		{"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n", "2001:db8::1", 443},
		{"GET http://exchange.example/a?b=http://c HTTP/1.1\r\nHost: d\r\n\r\n",
			"exchange.example", 80},
		{"GET HTTP://me:secret@exchange.example:81 HTTP/1.1\r\n\r\n",
			"exchange.example", 81},
		{"GET https://exchange.example?x HTTP/1.0\r\n\r\n", "exchange.example",
			443},
		{"GET http:/// HTTP/1.1\r\nHost: exchange.example\r\n\r\n",
			"exchange.example", 0},
		{"GET http://exchange.example:99999/ HTTP/1.1\r\n\r\n",
			"exchange.example", 80},
		{"GET /http://a/ HTTP/1.1\r\nHost: exchange.example:82\r\n\r\n",
			"exchange.example", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct http_head head;

		assert_int_equal(read_head(&head, heads[i].text), 0);
		assert_int_equal(head.host_len, strlen(heads[i].host));
		assert_memory_equal(head.host, heads[i].host, head.host_len);
		assert_int_equal(head.port, heads[i].port);
	}
}

static void an_answer_head_is_read(void **state)
{
	struct http_head head;

	(void)state;
	assert_int_equal(read_head(&head, "HTTP/1.1 503 Gone Fishing\r\n"
					  "Transfer-Encoding: gzip, Chunked\r\n\r\n"),
		0);
	assert_false(head.is_request);
	assert_int_equal(head.status, 503);
	assert_true(head.chunked);
	assert_int_equal(head.content_length, HTTP_HEAD_NO_LENGTH);
	assert_int_equal(read_head(&head, "HTTP/1.1 204"), 0);
	assert_int_equal(head.status, 204);
}

static void what_is_no_head_is_refused(void **state)
{
	static const char *const bad[] = {"", "\r\n\r\n", "GET\r\n\r\n",
		"GET / HTTP/2.0\r\n\r\n", "get / HTTP/1.1\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
		"HTTP/1.1 099 x\r\n\r\n", "HTTP/1", "G",
		"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"};
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_head(&head, bad[i]), STATUS_SYNTAX);
}

static void every_prefix_of_a_head_is_survived(void **state)
{
	static const char text[] =
		"\r\nOPTIONS * HTTP/1.1\r\nHost: [::1\r\nContent-Length:\t1 "
		"\r\nTransfer-Encoding: ,chunked\r\nX\r\n\r\n";
	struct http_head head;

	(void)state;
	for (size_t len = 0; len <= strlen(text); len++) {
		char *exact = malloc(len ? len : 1);

		memcpy(exact, text, len);
		(void)http_head_read(&head, (const uint8_t *)exact, len);
		free(exact);
	}
}

/* A connection in the clear, told in pieces of `step` bytes. */
struct play {
	struct buffer_pool *pool;
	struct recorder heard;
	struct http_exchange http;
	struct moment now;
	size_t step;
};

static void play_init(struct play *play, size_t step)
{
	*play = (struct play){.now = {1000000}, .step = step};
	assert_int_equal(buffer_pool_new(&play->pool, 4), 0);
	recorder_init(&play->heard, play->pool);
	assert_int_equal(slab_new(&play->heard.sink.cells, 1, EXCHANGE_CELL), 0);
	http_exchange_init(&play->http, false);
}

static void play_end(struct play *play)
{
	http_exchange_end(&play->http, &play->heard.sink, play->now);
	http_exchange_drop(&play->http, &play->heard.sink);
	for (unsigned i = 0; i < 4; i++)
		assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	buffer_pool_free(play->pool);
	assert_int_not_equal(slab_take(play->heard.sink.cells), SLAB_NONE);
	slab_free(play->heard.sink.cells);
}

static void say(
	struct play *play, enum exchange_side side, int64_t after_us, const char *text)
{
	size_t len = strlen(text), step = play->step ? play->step : len;

	play->now = moment_plus_us(play->now, after_us);
	for (size_t at = 0; at < len; at += step) {
		struct cursor bytes =
			cursor_over(text + at, step < len - at ? step : len - at);

		http_exchange_bytes(
			&play->http, &play->heard.sink, side, &bytes, at == 0, play->now);
	}
}

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER
#define GET "GET / HTTP/1.1\r\nHost: exchange.example\r\n\r\n"
#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void assert_counts(const struct play *play, unsigned requests, unsigned responses)
{
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], requests);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], responses);
	assert_int_equal(play->heard.count[EXCHANGE_LAST_BYTE], responses);
	assert_int_equal(play->heard.count[EXCHANGE_UNTIMED], 0);
}

static void keep_alive_is_counted_and_timed(void **state)
{
	struct play play;

	(void)state;
	for (size_t step = 0; step < 40; step++) {
		play_init(&play, step);
		say(&play, CLIENT, 0, GET);
		say(&play, SERVER, 5000,
			"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789");
		say(&play, SERVER, 700, "HTTP/1.1 2");
		say(&play, CLIENT, 100, GET);
		say(&play, SERVER, 6000, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
		play_end(&play);
		assert_counts(&play, 2, 2);
		assert_int_equal(play.heard.count[EXCHANGE_ERROR], 1);
		assert_int_equal(play.heard.response_us[0], 5000);
		assert_int_equal(play.heard.last_byte_us[0], 5700);
		assert_int_equal(play.heard.response_us[1], 6000);
		assert_string_equal(play.heard.host, "exchange.example");
	}
}

static void pipelined_requests_are_all_timed(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, GET GET GET GET);
	say(&play, SERVER, 1000, OK_EMPTY);
	say(&play, SERVER, 1000, OK_EMPTY OK_EMPTY);
	say(&play, SERVER, 1000, OK_EMPTY);
	play_end(&play);
	assert_counts(&play, 4, 4);
	assert_int_equal(play.heard.response_us[0], 1000);
	assert_int_equal(play.heard.response_us[1], 2000);
	assert_int_equal(play.heard.response_us[2], 2000);
	assert_int_equal(play.heard.response_us[3], 3000);
}

/* The HEAD is the third of three, the first of which was answered before. */
static void a_pipeline_that_outgrows_its_place_keeps_its_order(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, GET);
	say(&play, CLIENT, 100, GET);
	say(&play, SERVER, 100, OK_EMPTY);
	say(&play, CLIENT, 100, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	say(&play, CLIENT, 100, GET);
	say(&play, SERVER, 1000, OK_EMPTY);
	say(&play, SERVER, 0, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	say(&play, SERVER, 0, OK_EMPTY);
	play_end(&play);
	assert_counts(&play, 4, 4);
	assert_int_equal(play.heard.response_us[0], 200);
	assert_int_equal(play.heard.response_us[1], 1300);
	assert_int_equal(play.heard.response_us[2], 1100);
	assert_int_equal(play.heard.response_us[3], 1000);
}

static void a_pipeline_too_deep_is_counted_but_not_timed(void **state)
{
	struct play play;
	unsigned deep = HTTP_PIPELINE + 5;

	(void)state;
	play_init(&play, 0);
	for (unsigned i = 0; i < deep; i++)
		say(&play, CLIENT, 10, GET);
	for (unsigned i = 0; i < deep; i++)
		say(&play, SERVER, 10, OK_EMPTY);
	assert_int_equal(play.heard.response_us[RECORDER_TIMES - 1], 10 * deep);
	say(&play, CLIENT, 10, GET);
	say(&play, SERVER, 400, OK_EMPTY);
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], deep + 1);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], HTTP_PIPELINE + 1);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 5);
	assert_int_equal(play.heard.count[EXCHANGE_ANSWERED], 5);
	assert_int_equal(play.heard.last_us, 400);
}

static void who_never_gets_an_answer_takes_no_buffer(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	for (unsigned i = 0; i < 100; i++)
		say(&play, CLIENT, 100000, GET);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 100);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 0);
	assert_int_equal(play.http.buffer, BUFFER_POOL_NONE);
	play_end(&play);
}

static void a_hundred_is_not_the_answer(void **state)
{
	struct play play;

	(void)state;
	for (size_t step = 0; step < 20; step++) {
		play_init(&play, step);
		say(&play, CLIENT, 0,
			"PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
			"Content-Length: 18\r\n\r\n");
		say(&play, SERVER, 1000, "HTTP/1.1 100 Continue\r\n\r\n");
		say(&play, CLIENT, 1000,
			"GET / HTTP/1.1\r\n\r\n"); /* a body, not a request */
		say(&play, SERVER, 15000, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
		say(&play, SERVER, 500,
			"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
		play_end(&play);
		assert_counts(&play, 1, 1);
		assert_int_equal(play.heard.response_us[0], 17500);
	}
}

static void answers_without_bodies_are_known(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" GET GET);
	say(&play, SERVER, 10, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	say(&play, SERVER, 10,
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n");
	say(&play, SERVER, 10, "HTTP/1.1 204 No Content\r\n\r\n");
	play_end(&play);
	assert_counts(&play, 3, 3);
}

static void chunks_are_followed(void **state)
{
	struct play play;

	(void)state;
	for (size_t step = 0; step < 30; step++) {
		play_init(&play, step);
		say(&play, CLIENT, 0, GET);
		say(&play, SERVER, 1000,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
		say(&play, SERVER, 10, "1A;x=y\r\nHTTP/1.1 200 OK\r\n\r\nabcdefg\r\n");
		say(&play, SERVER, 10, "3\nabc\n0\r\nTrailer: x\r\n\r\n");
		say(&play, CLIENT, 0, GET);
		say(&play, SERVER, 2000, OK_EMPTY);
		play_end(&play);
		assert_counts(&play, 2, 2);
		assert_int_equal(play.heard.last_byte_us[0], 1020);
	}
}

static void an_old_answer_ends_with_the_connection(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, "GET / HTTP/1.0\r\n\r\n");
	say(&play, SERVER, 1000, "HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
	play.now = moment_plus_us(play.now, 500);
	assert_false(http_exchange_is_open(&play.http));
	play_end(&play);
	assert_counts(&play, 1, 1);
	assert_int_equal(play.heard.last_byte_us[0], 1500);
}

static void an_upgrade_becomes_a_tunnel(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0,
		"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
	say(&play, SERVER, 900, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
	say(&play, CLIENT, 0, GET);
	say(&play, SERVER, 10, OK_EMPTY);
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 1);
	assert_int_equal(play.heard.response_us[0], 900);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
	play_init(&play, 0);
	say(&play, CLIENT, 0, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
	say(&play, SERVER, 900, "HTTP/1.1 200 OK\r\n\r\n");
	say(&play, SERVER, 10, OK_EMPTY);
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 1);
	assert_int_equal(play.heard.response_us[0], 900);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
}

static void an_answer_that_nobody_asked_for_is_ignored(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, SERVER, 0,
		"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
	say(&play, CLIENT, 0, GET);
	say(&play, SERVER, 70, OK_EMPTY);
	play_end(&play);
	assert_counts(&play, 1, 1);
	assert_int_equal(play.heard.response_us[0], 70);
}

static void lost_bytes_leave_counts_right(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, GET);
	http_exchange_hole(
		&play.http, &play.heard.sink, SERVER, 700); /* the whole answer */
	say(&play, CLIENT, 1000, GET);
	say(&play, SERVER, 300, OK_EMPTY);
	http_exchange_hole(
		&play.http, &play.heard.sink, CLIENT, 43); /* a whole request */
	say(&play, SERVER, 300, OK_EMPTY);
	say(&play, CLIENT, 1000, GET);
	say(&play, SERVER, 200, OK_EMPTY);
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 4);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 2);
	assert_int_equal(play.heard.count[EXCHANGE_ANSWERED], 1);
	assert_int_equal(play.heard.response_us[0], 300);
	assert_int_equal(play.heard.response_us[1], 200);
}

static void two_lost_answers_in_a_row_shift_no_later_ones(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	for (unsigned i = 0; i < 2; i++) {
		say(&play, CLIENT, 0, GET);
		http_exchange_hole(&play.http, &play.heard.sink, SERVER, 700);
	}
	for (int i = 0; i < 3; i++) {
		say(&play, CLIENT, 1000, GET);
		say(&play, SERVER, 300 + i, OK_EMPTY);
	}
	play_end(&play);
	assert_int_equal(play.heard.count[EXCHANGE_REQUEST], 5);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 3);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(play.heard.response_us[i], 300 + i);
}

static void a_body_may_have_holes(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, GET);
	say(&play, SERVER, 300, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	assert_int_equal(http_exchange_skippable(&play.http, SERVER), 1000);
	http_exchange_hole(&play.http, &play.heard.sink, SERVER, 900);
	http_exchange_skip(&play.http, &play.heard.sink, SERVER, 100, play.now);
	say(&play, CLIENT, 10, GET);
	say(&play, SERVER, 300, OK_EMPTY);
	play_end(&play);
	assert_counts(&play, 2, 2);
}

static void an_endless_head_is_not_http(void **state)
{
	struct play play;

	(void)state;
	play_init(&play, 0);
	say(&play, CLIENT, 0, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < 2000; i++)
		say(&play, CLIENT, 0,
			"X-Long: 0123456789012345678901234567890123456789\r\n");
	assert_true(http_exchange_is_foreign(&play.http));
	play_end(&play);
	assert_counts(&play, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_head_is_read),
		cmocka_unit_test(a_proxys_request_names_where_it_goes),
		cmocka_unit_test(an_answer_head_is_read),
		cmocka_unit_test(what_is_no_head_is_refused),
		cmocka_unit_test(every_prefix_of_a_head_is_survived),
		cmocka_unit_test(keep_alive_is_counted_and_timed),
		cmocka_unit_test(pipelined_requests_are_all_timed),
		cmocka_unit_test(a_pipeline_that_outgrows_its_place_keeps_its_order),
		cmocka_unit_test(a_pipeline_too_deep_is_counted_but_not_timed),
		cmocka_unit_test(who_never_gets_an_answer_takes_no_buffer),
		cmocka_unit_test(a_hundred_is_not_the_answer),
		cmocka_unit_test(answers_without_bodies_are_known),
		cmocka_unit_test(chunks_are_followed),
		cmocka_unit_test(an_old_answer_ends_with_the_connection),
		cmocka_unit_test(an_upgrade_becomes_a_tunnel),
		cmocka_unit_test(an_answer_that_nobody_asked_for_is_ignored),
		cmocka_unit_test(lost_bytes_leave_counts_right),
		cmocka_unit_test(two_lost_answers_in_a_row_shift_no_later_ones),
		cmocka_unit_test(a_body_may_have_holes),
		cmocka_unit_test(an_endless_head_is_not_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
