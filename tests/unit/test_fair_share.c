#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fair_share.h"

#define SLOT_US (5 * MOMENT_MINUTE_US)

static struct track *track_of(unsigned reporters, float rate)
{
	struct track *track = calloc(1, sizeof(*track));

	assert_non_null(track);
	track->slot_us = SLOT_US;
	track->reporter_count = reporters;
	for (unsigned i = 0; i < reporters; i++) {
		track->reporters[i].vantage = i;
		track->reporters[i].rate = rate;
	}
	return track;
}

static double share(struct track *track, int64_t window_us, int64_t requests)
{
	struct obs_traffic *window = calloc(1, sizeof(*window));
	double out;

	assert_non_null(window);
	window->window_us = window_us;
	window->requests = requests;
	window->connections = OBS_ABSENT;
	out = fair_share_of(track, 0, window);
	free(window);
	return out;
}

static void what_people_do_counts_whole(void **state)
{
	struct track *track = track_of(10, 200);

	(void)state;
	assert_true(share(track, SLOT_US, 200) >= 1);
	assert_true(share(track, SLOT_US, 300) >= 1);
	assert_true(share(track, SLOT_US / 30, 10) >= 1);
	free(track);
}

static void a_million_counts_as_a_person(void **state)
{
	struct track *track = track_of(10, 200);

	(void)state;
	assert_float_equal(share(track, SLOT_US, 1000000) * 1000000, 300, .1);
	assert_float_equal(share(track, SLOT_US / 30, 1000000) * 1000000, 10, .1);
	free(track);
}

static void among_few_nobody_knows(void **state)
{
	struct track *track = track_of(3, 200);

	(void)state;
	assert_true(share(track, SLOT_US, 1000000) >= 1);
	free(track);
}

static void what_is_cut_keeps_its_proportions(void **state)
{
	struct obs_traffic *window = calloc(1, sizeof(*window));

	(void)state;
	assert_non_null(window);
	window->requests = 1000;
	window->errors = 500;
	window->responses = OBS_ABSENT;
	fair_share_cut(window, .1);
	assert_int_equal(window->requests, 100);
	assert_int_equal(window->errors, 50);
	assert_int_equal(window->responses, OBS_ABSENT);
	free(window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_do_counts_whole),
		cmocka_unit_test(a_million_counts_as_a_person),
		cmocka_unit_test(among_few_nobody_knows),
		cmocka_unit_test(what_is_cut_keeps_its_proportions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
