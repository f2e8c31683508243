#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exchange_recorder.h"
#include "h2_exchange.h"
#include "hpack_pool.h"

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
/* Heads as HPACK writes them. */
#define GET                    \
	"\x82\x86\x84\x01\x10" \
	"exchange.example"
#define OK "\x88"
#define CONTINUE   \
	"\x08\x03" \
	"100"
#define BUSY       \
	"\x48\x03" \
	"503" /* to be remembered */
#define BUSY_AGAIN "\xbe"
#define DATA 0
#define HEADERS 1
#define RESET 3
#define SETTINGS 4
#define GO_AWAY 7
#define CONTINUATION 9
#define END_STREAM 1u
#define END_HEADERS 4u

struct play {
	struct buffer_pool *pool;
	struct recorder heard;
	struct h2_exchange h2;
	struct moment now;
	size_t piece;            /* bytes at once */
	uint8_t bytes[2][65536]; /* by side */
};

static struct play *begin(size_t piece)
{
	struct play *play = calloc(1, sizeof(*play));

	play->now.us = INT64_C(1590854700000000);
	play->piece = piece;
	assert_int_equal(buffer_pool_new(&play->pool, 1), 0);
	recorder_init(&play->heard, play->pool);
	assert_int_equal(hpack_pool_new(&play->heard.sink.readers, 1), 0);
	h2_exchange_init(&play->h2, &play->heard.sink, false);
	return play;
}

static void end(struct play *play)
{
	h2_exchange_drop(&play->h2, &play->heard.sink);
	assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	hpack_pool_free(play->heard.sink.readers);
	buffer_pool_free(play->pool);
	free(play);
}

static void wait_ms(struct play *play, int64_t ms)
{
	play->now = moment_plus_us(play->now, ms * 1000);
}

static void send(
	struct play *play, enum exchange_side side, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += play->piece) {
		size_t part = len - at < play->piece ? len - at : play->piece;
		uint8_t *copy = malloc(part);

		memcpy(copy, (const uint8_t *)bytes + at, part);
		h2_exchange_bytes(&play->h2, &play->heard.sink, side,
			cursor_over(copy, part), play->now);
		free(copy);
	}
}

static void frame(struct play *play, enum exchange_side side, uint8_t type,
	unsigned flags, uint32_t stream, const void *payload, size_t len)
{
	uint8_t *out = play->bytes[side];

	out[0] = (uint8_t)(len >> 16);
	out[1] = (uint8_t)(len >> 8);
	out[2] = (uint8_t)len;
	out[3] = type;
	out[4] = (uint8_t)flags;
	out[5] = (uint8_t)(stream >> 24);
	out[6] = (uint8_t)(stream >> 16);
	out[7] = (uint8_t)(stream >> 8);
	out[8] = (uint8_t)stream;
	if (len)
		memcpy(out + 9, payload, len);
	send(play, side, out, 9 + len);
}

static void head(struct play *play, enum exchange_side side, uint32_t stream,
	unsigned flags, const char *block)
{
	frame(play, side, HEADERS, END_HEADERS | flags, stream, block, strlen(block));
}

static void open_connection(struct play *play)
{
	send(play, CLIENT, PREFACE, sizeof(PREFACE) - 1);
	frame(play, CLIENT, SETTINGS, 0, 0, "\0\3\0\0\0\x64", 6);
	frame(play, SERVER, SETTINGS, 0, 0, NULL, 0);
}

static void answers_meet_their_requests_in_any_order(void **state)
{
	struct play *play;

	(void)state;
	for (size_t piece = 1; piece < 60; piece += 7) {
		play = begin(piece);
		open_connection(play);
		head(play, CLIENT, 1, END_STREAM, GET);
		wait_ms(play, 1);
		head(play, CLIENT, 3, END_STREAM, GET);
		wait_ms(play, 9);
		head(play, SERVER, 3, 0, OK);
		wait_ms(play, 5);
		head(play, SERVER, 1, END_STREAM, OK);
		wait_ms(play, 5);
		frame(play, SERVER, DATA, 0, 3, "abc", 3);
		frame(play, SERVER, DATA, END_STREAM, 3, NULL, 0);
		assert_string_equal(play->heard.host, "exchange.example");
		assert_int_equal(play->heard.host_by, OBS_BY_HOST);
		assert_int_equal(play->heard.hosts, 1);
		assert_int_equal(play->heard.count[EXCHANGE_REQUEST], 2);
		assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], 2);
		assert_int_equal(play->heard.count[EXCHANGE_UNTIMED], 0);
		assert_int_equal(play->heard.response_us[0], 9000);
		assert_int_equal(play->heard.response_us[1], 15000);
		assert_int_equal(play->heard.last_byte_us[0], 15000);
		assert_int_equal(play->heard.last_byte_us[1], 19000);
		assert_false(h2_exchange_is_open(&play->h2));
		end(play);
	}
}

static void many_requests_may_share_a_segment(void **state)
{
	struct play *play = begin(65536);
	uint8_t all[2000];
	size_t len = 0;

	(void)state;
	open_connection(play);
	head(play, CLIENT, 1, END_STREAM,
		"\x82\x86\x84\x41\x10"
		"exchange.example");
	for (uint8_t stream = 3; stream < 100; stream += 2) {
		uint8_t frame[] = {0, 0, 9, HEADERS, 0x25, 0, 0, 0, stream, 0, 0, 0, 0,
			15, 0x82, 0x86, 0x84, 0xbe};

		memcpy(all + len, frame, sizeof(frame));
		len += sizeof(frame);
	}
	send(play, CLIENT, all, len);
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], 50);
	len = 0;
	for (uint8_t stream = 1; stream < 100; stream += 2) {
		uint8_t frames[] = {0, 0, 1, HEADERS, END_HEADERS, 0, 0, 0, stream, 0x88,
			0, 0, 2, DATA, END_STREAM, 0, 0, 0, stream, 'o', 'k'};

		memcpy(all + len, frames, sizeof(frames));
		len += sizeof(frames);
	}
	send(play, SERVER, all, len);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], 50);
	assert_int_equal(play->heard.count[EXCHANGE_LAST_BYTE], 50);
	assert_false(h2_exchange_is_open(&play->h2));
	end(play);
}

static void errors_are_known_also_where_they_are_only_remembered(void **state)
{
	struct play *play = begin(1000);

	(void)state;
	open_connection(play);
	for (uint32_t stream = 1; stream < 9; stream += 2)
		head(play, CLIENT, stream, END_STREAM, GET);
	head(play, SERVER, 1, 0, CONTINUE); /* not final */
	head(play, SERVER, 1, END_STREAM, BUSY);
	head(play, SERVER, 3, END_STREAM, BUSY_AGAIN);
	head(play, SERVER, 5, 0, OK);
	head(play, SERVER, 5, END_STREAM, BUSY_AGAIN); /* trailers */
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], 3);
	assert_int_equal(play->heard.count[EXCHANGE_ERROR], 2);
	assert_int_equal(play->heard.count[EXCHANGE_LAST_BYTE], 3);
	assert_true(h2_exchange_is_open(&play->h2));
	end(play);
}

static void a_head_in_parts_with_padding_and_priority_is_read(void **state)
{
	uint8_t block[64] = {2, 0, 0, 0, 0, 15};
	struct play *play;

	(void)state;
	memcpy(block + 6, GET, 10);
	for (size_t piece = 1; piece < 40; piece++) {
		play = begin(piece);
		open_connection(play);
		frame(play, CLIENT, HEADERS, 0x08 | 0x20 | END_STREAM, 1, block, 18);
		wait_ms(play, 3);
		frame(play, CLIENT, CONTINUATION, END_HEADERS, 1, GET + 10,
			sizeof(GET) - 11);
		wait_ms(play, 3);
		head(play, SERVER, 1, END_STREAM, OK);
		assert_string_equal(play->heard.host, "exchange.example");
		assert_int_equal(play->heard.response_us[0], 3000);
		end(play);
	}
}

static void streams_that_end_without_an_answer_are_told_apart(void **state)
{
	struct play *play = begin(1000);

	(void)state;
	open_connection(play);
	for (uint32_t stream = 1; stream < 11; stream += 2)
		head(play, CLIENT, stream, END_STREAM, GET);
	frame(play, SERVER, RESET, 0, 1, "\0\0\0\2", 4);
	frame(play, CLIENT, RESET, 0, 3, "\0\0\0\x8", 4);
	frame(play, SERVER, GO_AWAY, 0, 0, "\0\0\0\7\0\0\0\0", 8);
	assert_int_equal(play->heard.count[EXCHANGE_RESET], 1);
	assert_int_equal(play->heard.count[EXCHANGE_UNTIMED], 3); /* 1, 3, 9 */
	assert_int_equal(play->h2.open, 2);
	end(play);
}

static void lost_bytes_cost_no_more_than_they_hold(void **state)
{
	struct play *play = begin(1000);
	uint8_t body[9 + 500] = {0, 1, 0xf4, DATA, END_STREAM, 0, 0, 0, 1};

	(void)state;
	open_connection(play);
	head(play, CLIENT, 1, END_STREAM, GET);
	head(play, SERVER, 1, 0, OK);
	send(play, SERVER, body, 109);
	assert_int_equal(h2_exchange_skippable(&play->h2, SERVER), 399);
	h2_exchange_skip(&play->h2, &play->heard.sink, SERVER, 300);
	send(play, SERVER, body + 409, 100);
	assert_int_equal(play->heard.count[EXCHANGE_LAST_BYTE], 1);
	head(play, CLIENT, 3, END_STREAM, GET);
	h2_exchange_skip(&play->h2, &play->heard.sink, SERVER, 1);
	head(play, CLIENT, 5, END_STREAM, GET);
	head(play, SERVER, 3, 0, OK); /* where this stands nobody knows */
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], 3);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], 1);
	assert_int_equal(play->heard.count[EXCHANGE_UNTIMED], 2);
	end(play);
}

static void who_finds_no_buffer_and_no_reader_still_counts(void **state)
{
	struct play *play = begin(1000);
	struct h2_exchange first = play->h2;

	(void)state;
	h2_exchange_init(&play->h2, &play->heard.sink, false); /* both are taken */
	open_connection(play);
	head(play, CLIENT, 1, END_STREAM, GET);
	head(play, SERVER, 1, END_STREAM, OK);
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], 1);
	assert_int_equal(play->heard.count[EXCHANGE_UNTIMED], 1);
	assert_string_equal(play->heard.host, "");
	assert_int_equal(hpack_pool_refusals(play->heard.sink.readers), 1);
	assert_int_equal(buffer_pool_refusals(play->pool), 1);
	h2_exchange_drop(&first, &play->heard.sink);
	end(play);
}

static void a_head_that_is_none_costs_the_names_only(void **state)
{
	struct play *play = begin(1000);

	(void)state;
	open_connection(play);
	head(play, CLIENT, 1, END_STREAM, "\xff\xff\xff\xff\xff\xff");
	head(play, CLIENT, 3, END_STREAM, GET);
	head(play, SERVER, 3, END_STREAM, OK);
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], 2);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], 1);
	assert_string_equal(play->heard.host, "");
	end(play);
}

static void only_the_preface_begins_like_it(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(PREFACE); len++)
		assert_true(h2_exchange_may_begin((const uint8_t *)PREFACE, len));
	assert_false(h2_exchange_may_begin((const uint8_t *)"PRI / HTTP/1.1", 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_meet_their_requests_in_any_order),
		cmocka_unit_test(many_requests_may_share_a_segment),
		cmocka_unit_test(errors_are_known_also_where_they_are_only_remembered),
		cmocka_unit_test(a_head_in_parts_with_padding_and_priority_is_read),
		cmocka_unit_test(streams_that_end_without_an_answer_are_told_apart),
		cmocka_unit_test(lost_bytes_cost_no_more_than_they_hold),
		cmocka_unit_test(who_finds_no_buffer_and_no_reader_still_counts),
		cmocka_unit_test(a_head_that_is_none_costs_the_names_only),
		cmocka_unit_test(only_the_preface_begins_like_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
