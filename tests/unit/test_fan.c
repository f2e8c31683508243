#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fan_play.h"

static void every_router_of_a_wide_diamond_is_found(void **state)
{
	static const unsigned widths[] = {1, 2, 4, 8, 16};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		unsigned complete = 0;

		for (uint32_t seed = 0; seed < 40; seed++) {
			struct diamond diamond = {.width = widths[i]};
			const struct fan_node *nodes;
			struct fan *fan;

			assert_in_range(play(&fan, &diamond, seed * 1000), 1, 40);
			assert_true(fan_is_reached(fan));
			assert_int_equal(fan_length(fan), FAN_PLAY_LENGTH);
			complete += fan_nodes(fan, 3, &nodes) == widths[i];
			assert_int_equal(fan_nodes(fan, 2, &nodes), 1);
			assert_false(fan_is_cut_short(fan));
			assert_false(fan_balances_packets(fan, 3));
			fan_free(fan);
		}
		/* At 95 % a few of forty may lack one. */
		assert_in_range(complete, 36, 40);
	}
}

static void links_join_what_one_flow_crossed(void **state)
{
	struct diamond diamond = {.width = 4};
	struct fan_link links[64];
	const struct fan_node *nodes;
	struct fan *fan;

	(void)state;
	(void)play(&fan, &diamond, 5);
	assert_int_equal(fan_nodes(fan, 3, &nodes), 4);
	assert_int_equal(fan_links(fan, 2, links, 64), 4);
	assert_int_equal(fan_links(fan, 3, links, 64), 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(links[i].flows >= 6);
	assert_int_equal(fan_links(fan, 1, links, 64), 1);
	fan_free(fan);
}

static void balancing_by_packet_is_recognised(void **state)
{
	struct diamond diamond = {.width = 4, .by_packet = true};
	struct fan *fan;

	(void)state;
	(void)play(&fan, &diamond, 5);
	assert_true(fan_balances_packets(fan, 3));
	assert_false(fan_balances_packets(fan, 2));
	assert_true(fan_flow_count(fan) < 200);
	fan_free(fan);
}

static void a_silent_hop_ends_nothing(void **state)
{
	struct diamond diamond = {.width = 2, .silent_hop = true};
	const struct fan_node *nodes;
	struct fan *fan;

	(void)state;
	(void)play(&fan, &diamond, 1);
	assert_true(fan_is_reached(fan));
	assert_int_equal(fan_nodes(fan, 3, &nodes), 2);
	assert_int_equal(fan_nodes(fan, 4, &nodes), 0);
	assert_int_equal(fan_nodes(fan, 5, &nodes), 1);
	fan_free(fan);
}

static void forged_and_duplicate_answers_do_not_count(void **state)
{
	struct fan_plan plan = {.max_ttl = 3, .first_id = FAN_PLAY_FIRST_ID};
	struct diamond diamond = {.width = 1};
	struct reply_packet reply;
	struct fan_probe probe;
	struct fan *fan;

	(void)state;
	assert_int_equal(fan_new(&fan, &plan), 0);
	assert_true(fan_next(fan, (struct tick){0}, NULL, &probe));
	reply = fan_play_answer(&diamond, &probe, 0);
	assert_false(
		fan_take_reply(fan, FAN_PLAY_FIRST_ID - 1, &reply, (struct tick){1}));
	assert_false(
		fan_take_reply(fan, (uint16_t)(probe.id + 1), &reply, (struct tick){1}));
	assert_true(fan_take_reply(fan, probe.id, &reply, (struct tick){1}));
	assert_false(fan_take_reply(fan, probe.id, &reply, (struct tick){1}));
	fan_free(fan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_router_of_a_wide_diamond_is_found),
		cmocka_unit_test(links_join_what_one_flow_crossed),
		cmocka_unit_test(balancing_by_packet_is_recognised),
		cmocka_unit_test(a_silent_hop_ends_nothing),
		cmocka_unit_test(forged_and_duplicate_answers_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
