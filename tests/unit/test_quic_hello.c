#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "quic_builder.h"
#include "quic_hello.h"

struct play {
	struct buffer_pool *pool;
	struct quic_hello hello;
	struct quic_hello_frames seen;
	uint8_t message[4096];
	size_t len;
};

static void begin(struct play *play, size_t padding)
{
	*play = (struct play){0};
	assert_int_equal(buffer_pool_new(&play->pool, 2), 0);
	quic_hello_init(&play->hello);
	play->len = quic_builder_hello(play->message, "exchange.example", padding);
}

static void end(struct play *play)
{
	quic_hello_drop(&play->hello, play->pool);
	assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	buffer_pool_free(play->pool);
}

static int read_frames(struct play *play, const struct quic_builder *frames)
{
	uint8_t *copy = malloc(frames->len + 1);
	int rc;

	memcpy(copy, frames->bytes, frames->len);
	rc = quic_hello_read(
		&play->hello, play->pool, &play->seen, cursor_over(copy, frames->len));
	free(copy);
	return rc;
}

static void send(struct play *play, size_t from, size_t len)
{
	struct quic_builder frames = {0};

	quic_builder_put(&frames, "\1\0", 2); /* PING and PADDING */
	quic_builder_crypto(&frames, play->message, from,
		from + len < play->len ? len : play->len - from);
	assert_int_equal(read_frames(play, &frames), 0);
}

static void check_whole(struct play *play)
{
	struct cursor bytes = quic_hello_bytes(&play->hello, play->pool);

	assert_true(quic_hello_is_whole(&play->hello, play->pool));
	assert_int_equal(cursor_left(&bytes), play->len);
	assert_memory_equal(bytes.at, play->message, play->len);
}

static void pieces_in_any_order_make_the_same_hello(void **state)
{
	struct play play;

	(void)state;
	for (size_t step = 1; step < 13; step++) {
		begin(&play, 1500);
		for (size_t i = 0; i < 13; i++) {
			assert_false(quic_hello_is_whole(&play.hello, play.pool));
			send(&play, i * step % 13 * 130, 130);
			assert_true(play.seen.news);
		}
		check_whole(&play);
		send(&play, 100, 200);
		assert_true(play.seen.crypto && !play.seen.news);
		end(&play);
	}
}

static void overlapping_pieces_count_once(void **state)
{
	struct play play;

	(void)state;
	begin(&play, 300);
	send(&play, 50, 100);
	send(&play, 250, 500);
	send(&play, 20, 300);
	assert_true(play.seen.news);
	send(&play, 0, 60);
	check_whole(&play);
	end(&play);
}

static void more_scattered_pieces_than_we_keep_are_passed_over(void **state)
{
	struct play play;

	(void)state;
	begin(&play, 3000);
	for (size_t i = 0; i < 3 * QUIC_HELLO_PIECES; i++)
		send(&play, i * 40, 10);
	assert_int_equal(play.hello.piece_count, QUIC_HELLO_PIECES);
	send(&play, 0, 2000); /* joins them */
	send(&play, 2000, 2000);
	check_whole(&play);
	end(&play);
}

static void frames_that_do_not_belong_there_are_refused(void **state)
{
	struct quic_builder frames = {0};
	struct play play;

	(void)state;
	begin(&play, 0);
	quic_builder_put(&frames, "\x08\x01", 2); /* STREAM */
	assert_int_equal(read_frames(&play, &frames), STATUS_SYNTAX);
	frames.len = 0;
	quic_builder_crypto(&frames, play.message, 0, 60);
	for (; frames.len > 0; frames.len--)
		if (frames.len < 63)
			assert_int_equal(read_frames(&play, &frames), STATUS_SYNTAX);
	quic_builder_put(&frames, "\x02\x0a\x00\x01\x02\x03\x04\x1c\x02", 9);
	assert_int_equal(read_frames(&play, &frames), 0); /* an ACK, then a close */
	assert_true(play.seen.close);
	end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_in_any_order_make_the_same_hello),
		cmocka_unit_test(overlapping_pieces_count_once),
		cmocka_unit_test(more_scattered_pieces_than_we_keep_are_passed_over),
		cmocka_unit_test(frames_that_do_not_belong_there_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
