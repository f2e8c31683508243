#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/obs.h"
#include "obs_maker.h"

static struct obs *new_obs(void)
{
	struct obs *obs = malloc(sizeof(*obs));

	assert_non_null(obs);
	memset(obs, 0xa5, sizeof(*obs)); /* whatever was there before must not matter */
	return obs;
}

static void nothing_has_been_measured_at_first(void **state)
{
	struct obs *obs = new_obs();

	(void)state;
	obs_init(obs, OBS_TRAFFIC, (struct moment){7});
	assert_int_equal(obs->at.us, 7);
	assert_int_equal(obs->traffic.window_us, OBS_ABSENT);
	assert_int_equal(obs->traffic.lost_packets, OBS_ABSENT);
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		assert_true(sketch_is_empty(&obs->traffic.sketches[i]));
	obs_init(obs, OBS_CHECK, (struct moment){7});
	assert_int_equal(obs->check.total_us, OBS_ABSENT);
	assert_int_equal(obs->check.status, OBS_ABSENT);
	assert_int_equal(obs->check.peer.family, 0);
	obs_init(obs, OBS_TRACE, (struct moment){7});
	assert_int_equal(obs->trace.port, OBS_ABSENT);
	assert_int_equal(obs->trace.hop_count, 0);
	obs_init(obs, OBS_HEALTH, (struct moment){7});
	assert_int_equal(obs->health.capture_drops, OBS_ABSENT);
	free(obs);
}

static void every_kind_has_its_word_and_its_service(void **state)
{
	static const char *const words[] = {"hello", "traffic", "check", "trace", "dns",
		"registry", "health", "maintenance", "acknowledge"};
	struct obs *obs = new_obs();

	(void)state;
	for (int kind = 0; kind < OBS_KINDS; kind++) {
		assert_string_equal(obs_kind_text((enum obs_kind)kind), words[kind]);
		obs_init(obs, (enum obs_kind)kind, (struct moment){0});
		assert_string_equal(obs_service(obs), "");
	}
	obs_init(obs, OBS_DNS, (struct moment){0});
	(void)strcpy(obs->dns.service, "exchange");
	assert_string_equal(obs_service(obs), "exchange");
	assert_string_equal(obs_kind_text(OBS_KINDS), "");
	assert_string_equal(obs_sketch_text(OBS_CLIENT_CONNECT), "client_connect_us");
	assert_string_equal(obs_check_error_text(OBS_CHECK_UNREACHABLE), "unreachable");
	free(obs);
}

static void what_is_not_in_use_does_not_count(void **state)
{
	struct obs *left = new_obs(), *right = new_obs();

	(void)state;
	memset(right, 0x5a, sizeof(*right));
	for (int kind = 0; kind < OBS_KINDS; kind++) {
		uint64_t left_seed = 11, right_seed = 11;

		obs_maker_fill(left, (enum obs_kind)kind, &left_seed);
		obs_maker_fill(right, (enum obs_kind)kind, &right_seed);
		assert_true(obs_equal(left, right));
	}
	free(left);
	free(right);
}

static void its_first_bytes_are_all_of_it(void **state)
{
	struct obs *whole = new_obs(), *copy = new_obs();

	(void)state;
	for (int kind = 0; kind < OBS_KINDS; kind++) {
		uint64_t seed = 17;

		obs_maker_fill(whole, (enum obs_kind)kind, &seed);
		memset(copy, 0x5a, sizeof(*copy));
		assert_true(obs_held_bytes(whole) <= sizeof(*whole));
		memcpy(copy, whole, obs_held_bytes(whole));
		assert_true(obs_equal(whole, copy));
	}
	free(whole);
	free(copy);
}

static void others_are_not_equal(void **state)
{
	struct obs *left = new_obs(), *right = new_obs();
	uint64_t seed = 5;

	(void)state;
	for (int kind = 0; kind < OBS_KINDS; kind++) {
		obs_maker_fill(left, (enum obs_kind)kind, &seed);
		for (int other = 0; other < OBS_KINDS; other++) {
			obs_maker_fill(right, (enum obs_kind)other, &seed);
			right->at = left->at;
			assert_false(obs_equal(left, right));
		}
	}
	free(left);
	free(right);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_has_been_measured_at_first),
		cmocka_unit_test(every_kind_has_its_word_and_its_service),
		cmocka_unit_test(what_is_not_in_use_does_not_count),
		cmocka_unit_test(its_first_bytes_are_all_of_it),
		cmocka_unit_test(others_are_not_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
