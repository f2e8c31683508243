#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "answer_cut.h"

#define FULL 16384
#define CHUNK 1300
#define AT_ONCE 20
#define LATER 5000

struct play {
	struct answer_cut cut;
	struct answer_cut_asked asked;
	struct moment now;
};

static void play_begin(struct play *play)
{
	*play = (struct play){.now = {INT64_C(1590854700000000)}};
}

static enum answer_cut_piece say(struct play *play, int64_t wait_us, int content)
{
	struct answer_cut_asked asked = play->asked;

	play->now = moment_plus_us(play->now, wait_us);
	play->asked = (struct answer_cut_asked){false, false};
	return answer_cut_record(&play->cut, asked, play->now, content);
}

static void ask(struct play *play)
{
	play->asked.since = true;
}

static void what_follows_a_long_record_at_once_goes_on(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	assert_int_equal(say(&play, LATER, 8821), ANSWER_CUT_FIRST);
	assert_int_equal(say(&play, AT_ONCE, FULL), ANSWER_CUT_MAYBE);
	assert_int_equal(say(&play, AT_ONCE, 12245), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, LATER, 8973), ANSWER_CUT_FIRST);
}

/* A window of the network that is full makes pauses of a round trip. */
static void a_buffer_behind_its_head_goes_on_after_a_pause(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	assert_int_equal(say(&play, LATER, 8192 + 9 + 80), ANSWER_CUT_FIRST);
	assert_int_equal(say(&play, 40000, 8192 + 9), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, 40000, 2067), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, LATER, 8192 + 9 + 80), ANSWER_CUT_FIRST);
}

/* Who asks and has nothing else open is answered: only a record that is full for certain
 * could go on. */
static void an_answer_may_be_as_long_as_a_buffer_behind_its_head(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	assert_int_equal(say(&play, LATER, 8192 + 9 + 26), ANSWER_CUT_FIRST);
	play.asked = (struct answer_cut_asked){.since = true, .one = true};
	assert_int_equal(say(&play, 80, 10137), ANSWER_CUT_FIRST);
	(void)say(&play, AT_ONCE, 8192 + 9);
	play.asked = (struct answer_cut_asked){.since = true, .one = true};
	assert_int_equal(say(&play, 80, 8192 + 9), ANSWER_CUT_MORE);
}

static void short_records_at_once_are_answers_each(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	assert_int_equal(say(&play, LATER, 300), ANSWER_CUT_FIRST);
	assert_int_equal(say(&play, AT_ONCE, 410), ANSWER_CUT_FIRST);
	assert_int_equal(say(&play, AT_ONCE, 410), ANSWER_CUT_FIRST);
	assert_true(play.cut.again);
}

static void long_ones_of_one_length_are_answers_each(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 4; i++)
		assert_int_equal(say(&play, AT_ONCE, 5000), ANSWER_CUT_FIRST);
}

/* Two records each, the first as long as a piece of anything. */
static void an_end_as_long_as_the_one_before_is_an_end(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	(void)say(&play, LATER, FULL);
	(void)say(&play, AT_ONCE, 13778);
	assert_int_equal(say(&play, LATER, FULL), ANSWER_CUT_FIRST);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(say(&play, AT_ONCE, 13778), ANSWER_CUT_MORE);
		assert_int_equal(say(&play, AT_ONCE, FULL), ANSWER_CUT_FIRST);
	}
}

static void chunks_go_on_and_a_shorter_one_ends_them(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	assert_int_equal(say(&play, LATER, CHUNK), ANSWER_CUT_FIRST);
	(void)say(&play, AT_ONCE, CHUNK);
	assert_int_equal(say(&play, LATER, CHUNK), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, AT_ONCE, 784), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, AT_ONCE, CHUNK), ANSWER_CUT_MAYBE);
	assert_int_equal(say(&play, LATER, CHUNK), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, AT_ONCE, 40), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, LATER, CHUNK), ANSWER_CUT_FIRST);
}

/* Its frames fill a buffer, not an answer. */
static void a_buffer_that_was_full_goes_on_behind_its_last_chunk(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 3; i++) {
		for (int chunk = 0; chunk < 12; chunk++)
			assert_int_equal(say(&play, AT_ONCE, CHUNK),
				i || chunk ? ANSWER_CUT_MORE : ANSWER_CUT_FIRST);
		assert_int_equal(say(&play, AT_ONCE, FULL - 12 * CHUNK), ANSWER_CUT_MORE);
	}
	assert_int_equal(say(&play, LATER, 1000), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, LATER, 1000), ANSWER_CUT_FIRST);
}

static void records_of_two_lengths_fill_no_buffer(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int chunk = 0; chunk < 12; chunk++)
		(void)say(&play, AT_ONCE, chunk < 9 ? CHUNK + 100 : CHUNK);
	(void)say(&play, AT_ONCE, FULL - 12 * CHUNK);
	assert_int_equal(say(&play, LATER, 1000), ANSWER_CUT_FIRST);
	for (int chunk = 0; chunk < 12; chunk++)
		(void)say(&play, AT_ONCE, CHUNK);
	(void)say(&play, AT_ONCE, FULL - 12 * CHUNK);
	answer_cut_lost(&play.cut);
	assert_int_equal(say(&play, LATER, 1000), ANSWER_CUT_FIRST);
}

static void who_asks_again_is_answered_sooner_than_a_gap(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	(void)say(&play, LATER, 9000);
	ask(&play);
	assert_int_equal(say(&play, 200, 3000), ANSWER_CUT_FIRST);
	assert_int_equal(say(&play, 200, 2500), ANSWER_CUT_MAYBE);
}

static void an_answer_goes_on_while_others_are_asked_for(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	(void)say(&play, LATER, FULL);
	ask(&play);
	assert_int_equal(say(&play, LATER, FULL), ANSWER_CUT_MORE);
}

static void one_that_stalls_is_not_waited_for_where_one_is_open(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	(void)say(&play, LATER, FULL);
	play.asked = (struct answer_cut_asked){true, true};
	assert_int_equal(say(&play, LATER, FULL), ANSWER_CUT_FIRST);
}

static void empty_frames_end_answers_of_servers_that_send_them(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 3; i++) {
		(void)say(&play, LATER, 3000);
		assert_false(answer_cut_ends(&play.cut));
	}
	assert_int_equal(say(&play, AT_ONCE, 8194), ANSWER_CUT_FIRST);
	assert_int_equal(say(&play, LATER, 3541), ANSWER_CUT_MORE);
	assert_int_equal(say(&play, LATER, 700), ANSWER_CUT_MORE);
	assert_false(answer_cut_ends(&play.cut));
	assert_true(answer_cut_ends(&play.cut)); /* of one that came between */
}

static void the_rest_of_a_full_record_is_awaited_for_a_moment(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	(void)say(&play, LATER, 700);
	assert_false(answer_cut_awaits(&play.cut, play.now));
	(void)say(&play, LATER, FULL);
	assert_true(answer_cut_awaits(&play.cut, moment_plus_us(play.now, AT_ONCE)));
	assert_false(answer_cut_awaits(&play.cut, moment_plus_us(play.now, LATER)));
	answer_cut_more(&play.cut, moment_plus_us(play.now, LATER));
	assert_true(answer_cut_awaits(&play.cut, moment_plus_us(play.now, LATER)));
}

static void behind_a_hole_a_long_answer_goes_on(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	(void)say(&play, LATER, 700);
	answer_cut_lost(&play.cut);
	assert_int_equal(say(&play, LATER, 900), ANSWER_CUT_FIRST);
	(void)say(&play, LATER, FULL);
	(void)say(&play, AT_ONCE, 700);
	answer_cut_lost(&play.cut);
	assert_int_equal(say(&play, LATER, 9000), ANSWER_CUT_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_a_long_record_at_once_goes_on),
		cmocka_unit_test(a_buffer_behind_its_head_goes_on_after_a_pause),
		cmocka_unit_test(an_answer_may_be_as_long_as_a_buffer_behind_its_head),
		cmocka_unit_test(short_records_at_once_are_answers_each),
		cmocka_unit_test(long_ones_of_one_length_are_answers_each),
		cmocka_unit_test(an_end_as_long_as_the_one_before_is_an_end),
		cmocka_unit_test(chunks_go_on_and_a_shorter_one_ends_them),
		cmocka_unit_test(a_buffer_that_was_full_goes_on_behind_its_last_chunk),
		cmocka_unit_test(records_of_two_lengths_fill_no_buffer),
		cmocka_unit_test(who_asks_again_is_answered_sooner_than_a_gap),
		cmocka_unit_test(an_answer_goes_on_while_others_are_asked_for),
		cmocka_unit_test(one_that_stalls_is_not_waited_for_where_one_is_open),
		cmocka_unit_test(empty_frames_end_answers_of_servers_that_send_them),
		cmocka_unit_test(behind_a_hole_a_long_answer_goes_on),
		cmocka_unit_test(the_rest_of_a_full_record_is_awaited_for_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
