#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_recorder.h"
#include "open_requests.h"

struct play {
	struct open_requests open;
	struct answer_cut cut;
	struct recorder heard;
	struct moment now;
	struct moment asked, still;
	uint32_t away_us;
};

static void play_begin(struct play *play)
{
	*play = (struct play){.now = {INT64_C(1590854700000000)}};
	recorder_init(&play->heard, NULL);
}

static void ask(struct play *play, int64_t wait_us)
{
	play->now = moment_plus_us(play->now, wait_us);
	open_requests_turn(&play->open, &play->heard.sink, &play->cut,
		&(struct open_requests_turn){.asked = play->asked,
			.still = play->still,
			.at = play->now,
			.away_us = play->away_us});
	play->asked = play->now;
	play->open.older = play->open.count;
	open_requests_infer(&play->open, &play->heard.sink, 1, play->cut.at);
	open_requests_open(&play->open, &play->heard.sink,
		open_requests_since(&play->open, play->now));
}

/* A record of the server's after the client's turn, which begins an answer and may hold
 * more. */
static void answer(struct play *play, int64_t wait_us, int content)
{
	play->now = moment_plus_us(play->now, wait_us);
	open_requests_server_turn(&play->open);
	play->cut.at = play->now;
	answer_cut_note_least(&play->cut, content);
	(void)open_requests_said(
		&play->open, &play->heard.sink, &play->cut, ANSWER_CUT_FIRST, content);
	play->open.said_answers++;
	open_requests_close(&play->open, &play->heard.sink, play->now);
}

static int64_t sum_of(const struct play *play)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < play->heard.count[EXCHANGE_RESPONSE]; i++)
		sum += play->heard.response_us[i];
	return sum;
}

static void the_mean_is_exact_whatever_the_order(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	ask(&play, 0);
	ask(&play, 1000);
	ask(&play, 1000);
	for (int i = 0; i < 3; i++)
		answer(&play, 5000, 300);
	/* At 0, 1 and 2 ms; at 7, 12 and 17. */
	assert_int_equal(sum_of(&play), 33000);
	assert_int_equal(play.heard.count[EXCHANGE_MULTIPLEXED], 3);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 0);
}

static void who_asks_for_more_than_was_answered_was_answered_more(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 4; i++)
		ask(&play, 0);
	answer(&play, 1000, 300);
	ask(&play, 10);
	answer(&play, 1000, 600); /* of two */
	ask(&play, 10);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	ask(&play, 10);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 3);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 1);
	assert_int_equal(play.open.count, 4);
	assert_int_equal(play.open.most, 4);
}

static void who_keeps_to_a_number_needs_no_other_proof(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	ask(&play, 0);
	ask(&play, 0);
	for (int i = 0; i < 20; i++) {
		answer(&play, 1000, 300);
		ask(&play, 10);
	}
	ask(&play, 10); /* what was answered looked like nothing at all */
	assert_int_equal(play.open.most, 2);
	assert_int_equal(play.open.count, 2);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 1);
}

static void a_client_may_come_to_ask_for_more(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	ask(&play, 0);
	ask(&play, 0);
	answer(&play, 1000, 40); /* has room for no other */
	ask(&play, 10);
	ask(&play, 0);
	assert_int_equal(play.open.count, 3);
	assert_int_equal(play.open.most, 3);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 0);
}

/* Three requests, and answers that are on their way when it asks for the next: to it none
 * of these has been answered. */
static void answers_on_their_way_are_open_to_the_client(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 3; i++)
		ask(&play, 0);
	for (int i = 0; i < 20; i++) {
		answer(&play, 1000, 40);
		play.open.ahead = play.open.far = 1;
		ask(&play, 10); /* for the answer before that one */
		assert_int_equal(play.open.count, 3);
		play.open.ahead = 0;
	}
	assert_int_equal(play.open.most, 4);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 0);
	/* It keeps to four: who would have a fifth has had an answer more, and by that
	 * the place is only guessed until none is open. */
	play.open.ahead = 1;
	ask(&play, 10);
	assert_int_equal(play.open.count, 3);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 1);
	play.open.ahead = 0;
	for (int i = 0; i < 3; i++)
		answer(&play, 1000, 40);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 4);
	ask(&play, 10);
	answer(&play, 1000, 40);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 4);
}

static void what_is_answered_late_takes_no_time_from_none(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	ask(&play, 0);
	ask(&play, 9000);
	ask(&play, 1000);
	/* Its answer, at 4 ms, shows only now: their mean is later. */
	open_requests_close(
		&play.open, &play.heard.sink, moment_plus_us(play.open.base, 4000));
	answer(&play, 5000, 300);
	answer(&play, 5000, 300);
	assert_int_equal(play.heard.response_us[0], 0);
	/* 4 - 0, 15 - 9 and 20 - 10: the sum is right. */
	assert_int_equal(sum_of(&play), 20000);
}

static void the_only_one_loses_its_time_with_the_answer(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	ask(&play, 0);
	open_requests_answer_lost(&play.open, &play.heard.sink);
	ask(&play, 1000000);
	answer(&play, 700, 300);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 1);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
	assert_int_equal(play.heard.response_us[0], 700);
	assert_int_equal(play.open.count, 0);
}

static void no_more_are_kept_than_a_server_would(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < OPEN_REQUESTS_MAX + 5; i++)
		open_requests_open(&play.open, &play.heard.sink, 0);
	assert_int_equal(play.open.count, OPEN_REQUESTS_MAX);
	assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], 5);
}

/* A record that may begin an answer, or go on with one. */
static void go_on(struct play *play, int64_t wait_us, int content)
{
	play->now = moment_plus_us(play->now, wait_us);
	play->cut.at = play->now;
	(void)open_requests_said(
		&play->open, &play->heard.sink, &play->cut, ANSWER_CUT_MAYBE, content);
}

static void what_looked_like_control_is_an_answer_if_more_is_asked_for(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 4; i++)
		ask(&play, 0);
	open_requests_may_be_said(&play.open);
	answer(&play, 1000, 300);
	ask(&play, 10);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 1);
	ask(&play, 10);
	assert_int_equal(play.heard.count[EXCHANGE_RESPONSE], 2);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 1);
	assert_int_equal(play.open.most, 4);
}

static void what_may_be_answered_at_the_end_has_been(void **state)
{
	struct play play;

	(void)state;
	for (int records = 0; records < 5; records++) {
		play_begin(&play);
		ask(&play, 0);
		ask(&play, 0);
		open_requests_server_turn(&play.open);
		for (int i = 0; i < records; i++)
			go_on(&play, 1000, 9000);
		open_requests_end(&play.open, &play.heard.sink, &play.cut);
		/* Of more records than requests nobody knows which began answers. */
		assert_int_equal(
			play.heard.count[EXCHANGE_RESPONSE], records > 2 ? 0 : records);
		assert_int_equal(
			play.heard.count[EXCHANGE_ANSWERED], records > 2 ? 2 : 0);
		assert_int_equal(play.heard.count[EXCHANGE_UNTIMED], records > 2 ? 2 : 0);
		assert_int_equal(
			play.heard.count[EXCHANGE_ESTIMATED], records > 2 ? 2 : records);
		assert_int_equal(play.open.count, records > 2 ? 0 : 2 - records);
	}
}

/* A browser's page: the rest of four answers comes in rows of full records. How many are
 * open once it asks again. */
static unsigned open_after(struct play *play, int64_t pause_us, uint32_t away_us)
{
	play_begin(play);
	play->away_us = away_us;
	for (int i = 0; i < 4; i++)
		ask(play, 0);
	answer(play, 10000, 900);
	for (int i = 0; i < 6; i++)
		go_on(play, 1000, 9000);
	ask(play, pause_us);
	return play->open.count;
}

static void after_a_pause_all_that_may_be_answered_has_been(void **state)
{
	struct play play;

	(void)state;
	assert_int_equal(open_after(&play, 1000, 0), 4);
	assert_int_equal(open_after(&play, 5000, 0), 1);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 3);
	/* From 0 to 16 ms the server spoke: 2.7, 8 and 13.3, beside the first of 10. */
	assert_in_range(sum_of(&play), 33990, 34010);
}

static void a_pause_is_one_only_beyond_the_way_to_the_client(void **state)
{
	struct play play;

	(void)state;
	assert_int_equal(open_after(&play, 41000, 40000), 4);
	assert_int_equal(open_after(&play, 45000, 40000), 1);
}

static void one_large_answer_ends_no_slow_ones(void **state)
{
	struct play play;
	unsigned open, estimated;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 3; i++) { /* how short answers are */
		ask(&play, 1000);
		answer(&play, 1000, 300);
	}
	for (int i = 0; i < 6; i++)
		ask(&play, 0);
	answer(&play, 10000, 16000);
	open = play.open.count;
	estimated = play.heard.count[EXCHANGE_ESTIMATED];
	ask(&play, 50000);
	assert_true(open >= 4);
	assert_int_equal(play.open.count, open + 1);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], estimated);
}

/* It thinks before it asks again. */
static void who_keeps_to_a_number_may_pause(void **state)
{
	struct play play;

	(void)state;
	play_begin(&play);
	for (int i = 0; i < 4; i++)
		ask(&play, 0);
	for (int i = 0; i < 20; i++) {
		answer(&play, 1000, 300);
		ask(&play, 10);
	}
	for (int i = 0; i < 20; i++) {
		answer(&play, 1000, 900);
		go_on(&play, 100, 9000);
		ask(&play, 10000);
		assert_int_equal(play.open.count, 4);
	}
}

/* Four of twelve are told as open still; how many are once the next ones were asked for
 * one by one. */
static unsigned open_after_turns(struct play *play, struct moment still)
{
	play_begin(play);
	for (int i = 0; i < 12; i++)
		ask(play, 0);
	for (int i = 0; i < 8; i++)
		answer(play, 1000, 900);
	for (int i = 0; i < 6; i++)
		go_on(play, 1000, 9000);
	play->still = still;
	ask(play, 1000);
	return play->open.count;
}

static void what_stays_open_turn_after_turn_has_been_answered(void **state)
{
	struct play play;
	struct moment still;

	(void)state;
	assert_int_equal(open_after_turns(&play, (struct moment){0}), 5);
	still = moment_plus_us(play.open.base, 12000);
	assert_int_equal(open_after_turns(&play, still), 1);
	assert_int_equal(play.heard.count[EXCHANGE_ESTIMATED], 4);
	/* At 1.5, 4.5, 7.5 and 10.5 ms, beside those of 1 to 8. */
	assert_in_range(sum_of(&play), 59900, 60100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mean_is_exact_whatever_the_order),
		cmocka_unit_test(who_asks_for_more_than_was_answered_was_answered_more),
		cmocka_unit_test(who_keeps_to_a_number_needs_no_other_proof),
		cmocka_unit_test(a_client_may_come_to_ask_for_more),
		cmocka_unit_test(answers_on_their_way_are_open_to_the_client),
		cmocka_unit_test(what_is_answered_late_takes_no_time_from_none),
		cmocka_unit_test(the_only_one_loses_its_time_with_the_answer),
		cmocka_unit_test(
			what_looked_like_control_is_an_answer_if_more_is_asked_for),
		cmocka_unit_test(what_may_be_answered_at_the_end_has_been),
		cmocka_unit_test(after_a_pause_all_that_may_be_answered_has_been),
		cmocka_unit_test(a_pause_is_one_only_beyond_the_way_to_the_client),
		cmocka_unit_test(one_large_answer_ends_no_slow_ones),
		cmocka_unit_test(who_keeps_to_a_number_may_pause),
		cmocka_unit_test(what_stays_open_turn_after_turn_has_been_answered),
		cmocka_unit_test(no_more_are_kept_than_a_server_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
