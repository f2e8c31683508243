#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "answers_sent.h"
#include "slab.h"

#define RECORD 100
#define BEGAN_US INT64_C(1590854700000000)

struct play {
	struct answers_sent sent;
	struct exchange_sink sink;
	struct moment now;
};

static void play_begin(struct play *play, uint32_t cells, uint32_t bytes)
{
	*play = (struct play){
		.sent = {.cell = SLAB_NONE, .bytes = bytes}, .now = {BEGAN_US}};
	assert_int_equal(slab_new(&play->sink.cells, cells, EXCHANGE_CELL), 0);
}

static void play_end(struct play *play)
{
	answers_sent_drop(&play->sent, &play->sink);
	assert_int_equal(play->sent.cell, SLAB_NONE);
	slab_free(play->sink.cells);
}

static void say(struct play *play, int64_t after_us, bool begins)
{
	play->now = moment_plus_us(play->now, after_us);
	answers_sent_record(&play->sent, RECORD);
	answers_sent_add(&play->sent, &play->sink, play->now, RECORD, begins);
}

static unsigned unseen(struct play *play, uint32_t bytes)
{
	return answers_sent_unseen(&play->sent, &play->sink, bytes, true);
}

/* How long ago, seen from the server's latest word. */
static int64_t had_us(const struct play *play)
{
	return moment_since_us(
		play->now, answers_sent_latest_had(&play->sent, &play->sink, play->now));
}

static void beside_the_client_it_costs_nothing(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, 1, 0);
	for (unsigned i = 0; i < 100; i++) {
		say(&play, 1000, true);
		assert_int_equal(unseen(&play, 0), 0);
	}
	assert_int_equal(answers_sent_unseen(&play.sent, &play.sink, RECORD, false), 0);
	assert_int_equal(play.sent.cell, SLAB_NONE);
	assert_int_equal(had_us(&play), 0);
	play_end(&play);
}

static void what_is_on_its_way_is_counted(void **state)
{
	static const uint32_t starts[] = {0, UINT32_MAX - 350}; /* numbers wrap */
	struct play play;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		play_begin(&play, 1, starts[i]);
		assert_int_equal(unseen(&play, 1), 0); /* from here on */
		for (unsigned k = 0; k < 10; k++)
			say(&play, 4000, true);
		assert_int_equal(unseen(&play, 10 * RECORD), 10);
		assert_int_equal(had_us(&play), 0); /* none, as far as is known */
		assert_int_equal(unseen(&play, 3 * RECORD), 3);
		assert_in_range(had_us(&play), 3 * 4000 - 200, 3 * 4000 + 200);
		/* A part of the next has come: the client has its beginning. */
		assert_int_equal(unseen(&play, 3 * RECORD - 1), 2);
		assert_int_equal(unseen(&play, 0), 0);
		assert_in_range(had_us(&play), 0, 200);
		play_end(&play);
	}
}

static void pieces_are_no_answers_but_tell_how_far_the_client_is(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, 1, 0);
	(void)unseen(&play, 1);
	say(&play, 0, true);
	for (unsigned i = 0; i < 200; i++)
		say(&play, 20, false); /* remembered as few */
	say(&play, 5000, false);
	say(&play, 5000, true);
	assert_int_equal(unseen(&play, 203 * RECORD), 2);
	assert_int_equal(unseen(&play, 2 * RECORD), 1);
	assert_in_range(had_us(&play), 10000, 10000 + 4200);
	assert_int_equal(unseen(&play, RECORD), 1);
	assert_in_range(had_us(&play), 5000 - 100, 5000 + 100);
	play_end(&play);
}

static void the_oldest_give_way(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, 1, 0);
	(void)unseen(&play, 1);
	for (unsigned i = 0; i < 3 * ANSWERS_SENT_MAX; i++)
		say(&play, 2000, true);
	assert_int_equal(unseen(&play, UINT32_MAX), ANSWERS_SENT_MAX);
	play_end(&play);
}

static void a_long_silence_is_a_beginning(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, 1, 0);
	(void)unseen(&play, 1);
	say(&play, 0, true);
	say(&play, INT64_C(3600) * 1000000, true);
	assert_int_equal(unseen(&play, UINT32_MAX), 1);
	play_end(&play);
}

static void without_a_cell_nothing_is_remembered(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play, 0, 0);
	assert_int_equal(unseen(&play, 1), 0);
	say(&play, 0, true);
	assert_int_equal(unseen(&play, RECORD), 0);
	assert_int_equal(had_us(&play), 0);
	play_end(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beside_the_client_it_costs_nothing),
		cmocka_unit_test(what_is_on_its_way_is_counted),
		cmocka_unit_test(pieces_are_no_answers_but_tell_how_far_the_client_is),
		cmocka_unit_test(the_oldest_give_way),
		cmocka_unit_test(a_long_silence_is_a_beginning),
		cmocka_unit_test(without_a_cell_nothing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
