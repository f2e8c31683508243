#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "detect_latency.h"
#include "hearing.h"

static unsigned random_below(unsigned *seed, unsigned limit)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % limit;
}

static double noise(unsigned *seed)
{
	double sum = 0;
	for (unsigned i = 0; i < 12; i++)
		sum += (double)random_below(seed, 1 << 20) / (1 << 20);
	return sum - 6;
}

#define SLOTS_A_DAY 288

static void pass_some(struct hearing *hearing, const char *probe, unsigned count,
	double median_ms, double tenth_times, unsigned *seed)
{
	obs_init(hearing->obs, OBS_TRAFFIC, hearing->now);
	hearing->obs->traffic.window_us = DETECTOR_SLOW_US;
	hearing->obs->traffic.requests = hearing->obs->traffic.responses = count;
	for (unsigned i = 0; i < count; i++)
		(void)sketch_add(&hearing->obs->traffic.sketches[OBS_RESPONSE],
			1000 * median_ms * exp(.4 * noise(seed)) *
				(i % 5 ? 1 : tenth_times));
	hearing_traffic(hearing, probe, DETECTOR_SLOW);
}

static void pass(struct hearing *hearing, const char *probe, double median_ms,
	double tenth_times, unsigned *seed)
{
	pass_some(hearing, probe, 150, median_ms, tenth_times, seed);
}

static void live(struct hearing *hearing, unsigned slots, double tokyo_ms,
	double osaka_ms, double tenth, unsigned *seed)
{
	for (unsigned i = 0; i < slots; i++) {
		pass(hearing, "tyo-gw-1", tokyo_ms, tenth, seed);
		pass(hearing, "osa-gw-1", osaka_ms, tenth, seed);
		pass(hearing, "ngo-gw-1", osaka_ms, tenth, seed);
		hearing_judge(hearing, DETECTOR_SLOW, hearing->now);
		hearing_pass(hearing, DETECTOR_SLOW_US);
	}
}

static void prepare(struct hearing *hearing, unsigned *seed)
{
	hearing_open(hearing, &detect_latency);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "osa-gw-1", OBS_GATEWAY, "osaka", "JP", 64496);
	hearing_introduce(hearing, "ngo-gw-1", OBS_GATEWAY, "nagoya", "JP", 64496);
	live(hearing, 3 * SLOTS_A_DAY, 40, 55, 1, seed);
}

static void days_of_noise_page_nobody(void **state)
{
	struct hearing hearing;
	unsigned seed = 1;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 4 * SLOTS_A_DAY, 40, 55, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void twice_as_slow_pages_within_twenty_minutes(void **state)
{
	struct hearing hearing;
	unsigned seed = 2;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 4, 80, 110, 1, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	assert_non_null(strstr(hearing.findings[0].brief, "slow"));
	hearing_close(&hearing);
}

static void half_as_slow_again_pages_within_forty_minutes(void **state)
{
	struct hearing hearing;
	unsigned seed = 3;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 8, 62, 84, 1, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static unsigned slots_until_a_page(double pages_per_week, double times)
{
	struct hearing hearing;
	unsigned seed = 12, slots = 0;

	prepare(&hearing, &seed);
	hearing_forget(&hearing);
	hearing.settings.pages_per_week = pages_per_week;
	for (; slots < 24 && hearing_pages(&hearing) == 0; slots++)
		live(&hearing, 1, 40 * times, 55 * times, 1, &seed);
	hearing_close(&hearing);
	return slots;
}

static void more_false_pages_allowed_never_page_later(void **state)
{
	static const double slower[] = {1.3, 1.35, 1.5};

	(void)state;
	for (unsigned i = 0; i < sizeof(slower) / sizeof(slower[0]); i++) {
		unsigned before = 24;

		for (double pages = .0005; pages < 5; pages *= 10) {
			unsigned now = slots_until_a_page(pages, slower[i]);

			assert_true(now <= before);
			before = now;
		}
	}
}

static void a_tenth_slower_is_a_deployment(void **state)
{
	struct hearing hearing;
	unsigned seed = 4;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 2 * SLOTS_A_DAY, 44, 60, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void a_quarter_slower_is_no_page_where_values_are_few(void **state)
{
	static const char *const probes[] = {"tyo-gw-1", "osa-gw-1", "ngo-gw-1"};
	struct hearing hearing;
	unsigned seed = 14;

	(void)state;
	prepare(&hearing, &seed);
	for (unsigned slot = 0; slot < SLOTS_A_DAY / 2; slot++) {
		for (unsigned i = 0; i < 3; i++)
			pass_some(&hearing, probes[i], 8, 1.24 * (i ? 55 : 40), 1, &seed);
		hearing_judge(&hearing, DETECTOR_SLOW, hearing.now);
		hearing_pass(&hearing, DETECTOR_SLOW_US);
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void one_slow_site_of_three_is_not_the_service(void **state)
{
	struct hearing hearing;
	unsigned seed = 5;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 24, 160, 55, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void a_slow_tail_alone_is_seen(void **state)
{
	struct hearing hearing;
	unsigned seed = 6;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 8, 40, 55, 4, &seed);
	assert_true(hearing_pages(&hearing) > 0);
	assert_string_equal(hearing.findings[0].subject, "tenth");
	hearing_close(&hearing);
}

static void a_creep_is_not_learnt_away(void **state)
{
	struct hearing hearing;
	unsigned seed = 7;

	(void)state;
	prepare(&hearing, &seed);
	for (unsigned i = 0; i < 240; i++)
		live(&hearing, 1, 40 * (1 + .6 * i / 240), 55 * (1 + .6 * i / 240), 1,
			&seed);
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void one_slow_window_is_noise(void **state)
{
	struct hearing hearing;
	unsigned seed = 8;

	(void)state;
	prepare(&hearing, &seed);
	for (unsigned i = 0; i < 30; i++) {
		live(&hearing, 1, 150, 200, 1, &seed);
		live(&hearing, 12, 40, 55, 1, &seed);
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void it_ends_when_it_is_fast_again(void **state)
{
	struct hearing hearing;
	unsigned seed = 9;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 12, 80, 110, 1, &seed);
	hearing_forget(&hearing);
	live(&hearing, 12, 40, 55, 1, &seed);
	assert_true(hearing_ends(&hearing) > 0);
	hearing_close(&hearing);
}

/* Two slow slots, hours with too few answers to say anything, and one ordinary slot. */
static void what_was_slow_hours_ago_is_no_witness(void **state)
{
	struct hearing hearing;
	unsigned seed = 12;

	(void)state;
	prepare(&hearing, &seed);
	live(&hearing, 2, 160, 220, 1, &seed);
	hearing_pass(&hearing, 5 * MOMENT_HOUR_US);
	hearing_forget(&hearing);
	live(&hearing, 1, 40, 55, 1, &seed);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_of_noise_page_nobody),
		cmocka_unit_test(twice_as_slow_pages_within_twenty_minutes),
		cmocka_unit_test(half_as_slow_again_pages_within_forty_minutes),
		cmocka_unit_test(more_false_pages_allowed_never_page_later),
		cmocka_unit_test(a_tenth_slower_is_a_deployment),
		cmocka_unit_test(a_quarter_slower_is_no_page_where_values_are_few),
		cmocka_unit_test(one_slow_site_of_three_is_not_the_service),
		cmocka_unit_test(a_slow_tail_alone_is_seen),
		cmocka_unit_test(a_creep_is_not_learnt_away),
		cmocka_unit_test(one_slow_window_is_noise),
		cmocka_unit_test(it_ends_when_it_is_fast_again),
		cmocka_unit_test(what_was_slow_hours_ago_is_no_witness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
