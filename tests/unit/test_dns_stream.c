#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dns_stream.h"
#include "exchange_recorder.h"

#define LONG 5000

struct play {
	struct buffer_pool *pool;
	struct recorder heard;
	struct dns_stream stream;
	uint8_t bytes[LONG + 100];
	size_t len;
};

static void begin(struct play *play)
{
	*play = (struct play){0};
	assert_int_equal(buffer_pool_new(&play->pool, 4), 0);
	recorder_init(&play->heard, play->pool);
	dns_stream_init(&play->stream);
}

static void end(struct play *play)
{
	dns_stream_drop(&play->stream, &play->heard.sink);
	buffer_pool_free(play->pool);
}

static void add_message(struct play *play, unsigned len, uint8_t fill)
{
	play->bytes[play->len++] = (uint8_t)(len >> 8);
	play->bytes[play->len++] = (uint8_t)len;
	memset(play->bytes + play->len, fill, len);
	play->len += len;
}

/* Every piece as an allocation of its own, so that reading too far is seen. */
static void send(struct play *play, size_t from, size_t until)
{
	uint8_t *copy = malloc(until - from + 1);

	memcpy(copy, play->bytes + from, until - from);
	dns_stream_bytes(&play->stream, &play->heard.sink, EXCHANGE_CLIENT,
		cursor_over(copy, until - from), (struct moment){1});
	free(copy);
}

static void messages_are_whole_however_they_are_cut(void **state)
{
	struct play play;

	(void)state;
	for (size_t piece = 1; piece < 120; piece++) {
		begin(&play);
		add_message(&play, 40, 'a');
		add_message(&play, 17, 'b');
		add_message(&play, 50, 'c');
		for (size_t at = 0; at < play.len; at += piece)
			send(&play, at, at + piece < play.len ? at + piece : play.len);
		assert_int_equal(play.heard.messages, 3);
		assert_int_equal(play.heard.message_len, 50);
		assert_int_equal(play.heard.message_have, 50);
		assert_int_equal(play.heard.message_first, 'c');
		end(&play);
	}
}

static void a_long_message_is_kept_as_far_as_a_buffer_goes(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	add_message(&play, LONG, 'a');
	send(&play, 0, 1400);
	send(&play, 1400, play.len);
	assert_int_equal(play.heard.messages, 1);
	assert_int_equal(play.heard.message_len, LONG);
	assert_int_equal(play.heard.message_have, BUFFER_POOL_SIZE);
	end(&play);
}

static void a_hole_inside_a_message_is_survived(void **state)
{
	struct play play;

	(void)state;
	begin(&play);
	add_message(&play, 1000, 'a');
	add_message(&play, 20, 'b');
	send(&play, 0, 402);
	assert_int_equal(dns_stream_skippable(&play.stream, EXCHANGE_CLIENT), 600);
	dns_stream_skip(
		&play.stream, &play.heard.sink, EXCHANGE_CLIENT, 100, (struct moment){1});
	send(&play, 502, play.len);
	assert_int_equal(play.heard.messages, 2);
	assert_int_equal(play.heard.message_first, 'b');
	dns_stream_skip(
		&play.stream, &play.heard.sink, EXCHANGE_CLIENT, 100, (struct moment){1});
	send(&play, 0, 402); /* nobody knows where a message begins */
	assert_int_equal(play.heard.messages, 2);
	end(&play);
}

static void only_questions_begin_like_questions(void **state)
{
	const uint8_t question[] = {0, 33, 0x12, 0x34, 1, 0x20, 0, 1};
	const uint8_t answer[] = {0, 33, 0x12, 0x34, 0x81, 0x80, 0, 1};
	const uint8_t database[] = {0, 0, 0, 8, 4, 210, 22, 47};

	(void)state;
	for (size_t len = 0; len <= sizeof(question); len++)
		assert_true(dns_stream_may_begin(question, len));
	assert_false(dns_stream_may_begin(answer, sizeof(answer)));
	assert_false(dns_stream_may_begin(database, sizeof(database)));
	assert_false(dns_stream_may_begin((const uint8_t *)"GET / HT", 8));
	assert_false(dns_stream_may_begin((const uint8_t *)"\x16\3\1\1\0\1\0\0", 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_whole_however_they_are_cut),
		cmocka_unit_test(a_long_message_is_kept_as_far_as_a_buffer_goes),
		cmocka_unit_test(a_hole_inside_a_message_is_survived),
		cmocka_unit_test(only_questions_begin_like_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
