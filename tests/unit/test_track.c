#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "track.h"

#define SLOT_US (5 * MOMENT_MINUTE_US)
#define START INT64_C(5000000)

static struct obs *window_of(int64_t window_us, int64_t requests)
{
	struct obs *obs = malloc(sizeof(*obs));
	obs_init(obs, OBS_TRAFFIC, (struct moment){0});
	obs->traffic.window_us = window_us;
	obs->traffic.requests = obs->traffic.responses = requests;
	return obs;
}

static bool add(struct track *track, uint32_t vantage, int64_t slot, int64_t offset_us,
	int64_t window_us, int64_t requests)
{
	struct obs *obs = window_of(window_us, requests);
	bool taken = track_add(track, SLOT_US, vantage,
		(struct moment){slot * SLOT_US + offset_us}, &obs->traffic);
	free(obs);
	return taken;
}

static void windows_add_up_in_their_slot(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	assert_true(add(track, 1, START, 0, MOMENT_MINUTE_US, 10));
	assert_true(add(track, 1, START, MOMENT_MINUTE_US, MOMENT_MINUTE_US, 20));
	assert_true(fabs(track_slot_at(track, START)->requests - 30) < .01);
	assert_null(track_slot_at(track, START + 1));
	free(track);
}

static void a_long_window_is_spread_over_its_slots(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	assert_true(add(track, 1, START, 0, 3 * SLOT_US, 90));
	for (int64_t slot = START; slot < START + 3; slot++)
		assert_true(fabs(track_slot_at(track, slot)->requests - 30) < .01);
	free(track);
}

static void a_slot_is_complete_once_all_have_reported_to_its_end(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	(void)add(track, 1, START, 0, SLOT_US, 10);
	(void)add(track, 2, START, 0, SLOT_US, 10);
	assert_true(track_is_complete(track, START));
	(void)add(track, 1, START + 1, 0, SLOT_US, 10);
	assert_false(track_is_complete(track, START + 1));
	(void)add(track, 2, START + 1, 0, SLOT_US / 5, 10);
	assert_false(track_is_complete(track, START + 1));
	(void)add(track, 2, START + 1, SLOT_US / 5, SLOT_US * 4 / 5, 10);
	assert_true(track_is_complete(track, START + 1));
	free(track);
}

static void one_who_has_left_is_not_waited_for(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	(void)add(track, 1, START, 0, SLOT_US, 10);
	for (int64_t slot = START; slot < START + 4; slot++)
		(void)add(track, 2, slot, 0, SLOT_US, 10);
	assert_false(track_is_complete(track, START + 3));
	(void)add(track, 2, START + 4, 0, SLOT_US, 10);
	assert_true(track_is_complete(track, START + 4));
	free(track);
}

static void a_silent_gateway_takes_its_share_along(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	for (int64_t slot = START; slot < START + 20; slot++) {
		(void)add(track, 1, slot, 0, SLOT_US, 75);
		(void)add(track, 2, slot, 0, SLOT_US, 25);
	}
	(void)add(track, 1, START + 20, 0, SLOT_US, 75);
	assert_true(fabs(track_exposure(track, START + 10) - 1) < .01);
	assert_true(fabs(track_exposure(track, START + 20) - .75) < .02);
	assert_true(track_exposure(track, START + 21) == 0);
	free(track);
}

static void half_a_slot_is_half_exposed(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	(void)add(track, 1, START, 0, SLOT_US / 2, 10);
	assert_true(fabs(track_exposure(track, START) - .5) < .01);
	free(track);
}

static void what_is_too_old_is_refused(void **state)
{
	struct track *track = calloc(1, sizeof(*track));

	(void)state;
	(void)add(track, 1, START, 0, SLOT_US, 10);
	assert_false(add(track, 1, START - TRACK_SLOTS, 0, SLOT_US, 10));
	assert_true(add(track, 1, START - TRACK_SLOTS + 1, 0, SLOT_US, 10));
	free(track);
}

static void an_answer_in_the_next_window_is_no_failure_of_both(void **state)
{
	struct track *track = calloc(1, sizeof(*track));
	struct obs *obs = window_of(SLOT_US, 100);

	(void)state;
	obs->traffic.responses = 90;
	obs->traffic.errors = 0;
	(void)track_add(
		track, SLOT_US, 1, (struct moment){START * SLOT_US}, &obs->traffic);
	obs->traffic.responses = 110;
	(void)track_add(
		track, SLOT_US, 1, (struct moment){(START + 1) * SLOT_US}, &obs->traffic);
	assert_true(fabs(track_slot_at(track, START)->failures +
			    track_slot_at(track, START + 1)->failures) < .01);
	free(obs);
	free(track);
}

static void who_counts_connections_only_says_nothing_of_requests(void **state)
{
	struct track *track = calloc(1, sizeof(*track));
	struct obs *obs = window_of(SLOT_US, OBS_ABSENT);

	(void)state;
	(void)add(track, 1, START, 0, SLOT_US, 30);
	obs->traffic.connections = 4;
	obs->traffic.timed_out = 1;
	assert_int_equal(track_add(track, SLOT_US, 2, (struct moment){START * SLOT_US},
				 &obs->traffic),
		START);
	assert_true(fabs(track_exposure(track, START) - 1) < .01);
	assert_true(fabs(track_slot_at(track, START)->requests - 30) < .01);
	assert_true(track_slot_at(track, START)->failures == 0);
	assert_true(track_slot_at(track, START)->failed_connections > .9f);
	(void)track_add(
		track, SLOT_US, 2, (struct moment){(START + 1) * SLOT_US}, &obs->traffic);
	assert_true(track_exposure(track, START + 1) == 0);
	free(obs);
	free(track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_add_up_in_their_slot),
		cmocka_unit_test(a_long_window_is_spread_over_its_slots),
		cmocka_unit_test(a_slot_is_complete_once_all_have_reported_to_its_end),
		cmocka_unit_test(one_who_has_left_is_not_waited_for),
		cmocka_unit_test(a_silent_gateway_takes_its_share_along),
		cmocka_unit_test(half_a_slot_is_half_exposed),
		cmocka_unit_test(what_is_too_old_is_refused),
		cmocka_unit_test(who_counts_connections_only_says_nothing_of_requests),
		cmocka_unit_test(an_answer_in_the_next_window_is_no_failure_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
