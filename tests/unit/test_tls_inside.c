#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_recorder.h"
#include "tls_inside.h"

#define OVERHEAD 17
#define BUFFERS 4
#define PREFACE (24 + 9 + 12 + 13)
#define SETTINGS (9 + 18 + 13)
#define ACKNOWLEDGEMENT 9

struct play {
	struct buffer_pool *pool;
	struct tls_inside inside;
	struct recorder heard;
	struct moment now;
};

static void play_begin(struct play *play)
{
	assert_int_equal(buffer_pool_new(&play->pool, BUFFERS), 0);
	recorder_init(&play->heard, play->pool);
	assert_int_equal(slab_new(&play->heard.sink.cells, 1, EXCHANGE_CELL), 0);
	play->now = (struct moment){INT64_C(1590854700000000)};
	tls_inside_init(&play->inside);
	tls_inside_begin(
		&play->inside, &play->heard.sink, TLS_INSIDE_UNDECIDED, OVERHEAD, true);
}

static void say(
	struct play *play, enum exchange_side side, int64_t wait_us, unsigned content)
{
	play->now = moment_plus_us(play->now, wait_us);
	tls_inside_record(&play->inside, &play->heard.sink, side, play->now,
		(uint16_t)(content + OVERHEAD));
}

static void play_end(struct play *play, unsigned requests, unsigned responses)
{
	tls_inside_end(&play->inside, &play->heard.sink);
	tls_inside_drop(&play->inside, &play->heard.sink);
	for (unsigned i = 0; i < BUFFERS; i++)
		assert_int_not_equal(buffer_pool_take(play->pool), BUFFER_POOL_NONE);
	buffer_pool_free(play->pool);
	assert_int_not_equal(slab_take(play->heard.sink.cells), SLAB_NONE);
	slab_free(play->heard.sink.cells);
	assert_int_equal(play->heard.count[EXCHANGE_REQUEST], requests);
	assert_int_equal(play->heard.count[EXCHANGE_RESPONSE], responses);
}

static void ask(struct play *play, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		say(play, EXCHANGE_CLIENT, 500, 40);
		say(play, EXCHANGE_SERVER, 3000, 300);
	}
}

static void a_client_that_acknowledges_settings_speaks_http2(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	say(&play, EXCHANGE_CLIENT, 0, PREFACE);
	say(&play, EXCHANGE_SERVER, 100, 265); /* tickets */
	say(&play, EXCHANGE_SERVER, 1, 265);
	say(&play, EXCHANGE_CLIENT, 50, 110);
	say(&play, EXCHANGE_SERVER, 2000, SETTINGS);
	say(&play, EXCHANGE_CLIENT, 10, ACKNOWLEDGEMENT);
	say(&play, EXCHANGE_SERVER, 10, 300);
	ask(&play, 5);
	assert_int_equal(play.inside.state, TLS_INSIDE_STREAMS);
	play_end(&play, 6, 6);
	assert_int_equal(play.heard.response_us[0], 2020);
	assert_int_equal(play.heard.response_us[1], 3000);
}

static void settings_before_the_preface_tell_as_well(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	say(&play, EXCHANGE_SERVER, 0, 265);
	say(&play, EXCHANGE_SERVER, 0, SETTINGS);
	say(&play, EXCHANGE_CLIENT, 50, PREFACE + 48); /* and the first request */
	say(&play, EXCHANGE_SERVER, 5, ACKNOWLEDGEMENT);
	say(&play, EXCHANGE_CLIENT, 5, ACKNOWLEDGEMENT);
	say(&play, EXCHANGE_SERVER, 990, 300);
	ask(&play, 8);
	assert_int_equal(play.inside.state, TLS_INSIDE_STREAMS);
	play_end(&play, 9, 9);
	assert_int_equal(play.heard.response_us[0], 1000);
}

/* It had had all that came: nothing waits, and nothing was told without its doubt. */
static void a_client_of_http2_that_leaves_has_its_answers(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	say(&play, EXCHANGE_SERVER, 0, 265);
	say(&play, EXCHANGE_SERVER, 0, SETTINGS);
	say(&play, EXCHANGE_CLIENT, 50, PREFACE);
	say(&play, EXCHANGE_SERVER, 5, ACKNOWLEDGEMENT);
	say(&play, EXCHANGE_CLIENT, 5, ACKNOWLEDGEMENT);
	ask(&play, 5);
	for (unsigned i = 0; i < 3; i++)
		say(&play, EXCHANGE_CLIENT, 0, 40);
	say(&play, EXCHANGE_SERVER, 3000, 9000);
	for (unsigned i = 0; i < 4; i++)
		say(&play, EXCHANGE_SERVER, 10, 5000 + i);
	assert_true(tls_inside_is_open(&play.inside, &play.heard.sink));
	tls_inside_leave(&play.inside, &play.heard.sink);
	assert_false(tls_inside_is_open(&play.inside, &play.heard.sink));
	assert_int_equal(play.heard.count[EXCHANGE_ANSWERED], 2);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 2);
	play_end(&play, 8, 6);
}

static void http1_behind_the_same_offer_is_read_by_turns(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	say(&play, EXCHANGE_SERVER, 0, 265);
	say(&play, EXCHANGE_SERVER, 0, 265);
	say(&play, EXCHANGE_CLIENT, 50, 130);
	say(&play, EXCHANGE_SERVER, 1000, 400);
	for (unsigned i = 0; i < 5; i++) {
		say(&play, EXCHANGE_CLIENT, 500, 130);
		say(&play, EXCHANGE_SERVER, 1000, 400);
		say(&play, EXCHANGE_SERVER, 10, 3000);
	}
	assert_int_equal(play.inside.state, TLS_INSIDE_TURNS);
	play_end(&play, 6, 6);
}

static void a_connection_that_ends_undecided_keeps_nothing(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	play_end(&play, 0, 0);
	play_begin(&play);
	for (unsigned i = 0; i < 300; i++) /* an upload before any answer */
		say(&play, EXCHANGE_CLIENT, 10, 16384);
	say(&play, EXCHANGE_SERVER, 5000, 400);
	play_end(&play, 1, 1);
	assert_int_equal(play.heard.response_us[0], 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_acknowledges_settings_speaks_http2),
		cmocka_unit_test(settings_before_the_preface_tell_as_well),
		cmocka_unit_test(a_client_of_http2_that_leaves_has_its_answers),
		cmocka_unit_test(http1_behind_the_same_offer_is_read_by_turns),
		cmocka_unit_test(a_connection_that_ends_undecided_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
