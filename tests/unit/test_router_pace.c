#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "router_pace.h"

#define RATE 10

static struct address peer_of(unsigned number)
{
	uint8_t bytes[4] = {203, 0, 113, (uint8_t)number};

	return address_v4(bytes);
}

static struct address router_of(unsigned number)
{
	uint8_t bytes[4] = {192, 0, 2, (uint8_t)number};

	return address_v4(bytes);
}

/* Asks whenever it may, and the router answers at once. Returns how often within the
 * span. */
static unsigned ask_for(struct router_pace *pace, unsigned peers, uint8_t ttl,
	struct address (*answers)(unsigned peer), int64_t span_us, int64_t *now_us)
{
	unsigned asked = 0;

	for (int64_t until_us = *now_us + span_us; *now_us < until_us; *now_us += 1000)
		for (unsigned i = 0; i < peers; i++) {
			struct address peer = peer_of(i), from = answers(i);
			struct tick now = {*now_us};

			if (router_pace_wait_us(pace, &peer, ttl, now) > 0)
				continue;
			router_pace_asked(pace, &peer, ttl, now);
			router_pace_answered(pace, &peer, ttl, &from, now);
			asked++;
		}
	return asked;
}

static struct address the_same(unsigned peer)
{
	(void)peer;
	return router_of(1);
}

static struct address its_own(unsigned peer)
{
	return router_of(peer);
}

static void a_first_hop_is_asked_no_faster_for_all_destinations_together(void **state)
{
	struct router_pace *pace;
	int64_t now_us = 0;

	(void)state;
	assert_int_equal(router_pace_new(&pace, RATE), 0);
	assert_in_range(ask_for(pace, 50, 1, the_same, 10 * MOMENT_SECOND_US, &now_us),
		10 * RATE, 10 * RATE + ROUTER_PACE_BURST);
	router_pace_free(pace);
}

static void before_any_answer_a_ttl_counts_as_one_router(void **state)
{
	struct router_pace *pace;
	struct tick now = {0};
	struct address from = router_of(1), peer;

	(void)state;
	assert_int_equal(router_pace_new(&pace, RATE), 0);
	for (unsigned i = 0; i < ROUTER_PACE_BURST; i++) {
		peer = peer_of(i);
		assert_int_equal(router_pace_wait_us(pace, &peer, 3, now), 0);
		router_pace_asked(pace, &peer, 3, now);
	}
	peer = peer_of(77);
	assert_int_equal(router_pace_wait_us(pace, &peer, 3, now), 100000);
	assert_int_equal(router_pace_wait_us(pace, &peer, 4, now), 0);
	/* What was asked of nobody in particular was asked of who answers now. */
	for (unsigned i = 0; i < ROUTER_PACE_BURST; i++) {
		peer = peer_of(i);
		router_pace_answered(pace, &peer, 3, &from, now);
	}
	peer = peer_of(77);
	assert_int_equal(router_pace_wait_us(pace, &peer, 3, now), 100000);
	router_pace_free(pace);
}

static void routers_behind_a_fork_are_paced_each_by_itself(void **state)
{
	struct router_pace *pace;
	int64_t now_us = 0;
	unsigned asked;

	(void)state;
	assert_int_equal(router_pace_new(&pace, RATE), 0);
	(void)ask_for(pace, 20, 8, its_own, MOMENT_SECOND_US, &now_us);
	asked = ask_for(pace, 20, 8, its_own, 10 * MOMENT_SECOND_US, &now_us);
	assert_in_range(asked, 20 * 10 * RATE, 20 * (10 * RATE + ROUTER_PACE_BURST));
	router_pace_free(pace);
}

static void one_router_at_two_ttls_is_one(void **state)
{
	struct router_pace *pace;
	struct address peer = peer_of(1), from = router_of(1);
	struct tick now = {0};

	(void)state;
	assert_int_equal(router_pace_new(&pace, RATE), 0);
	router_pace_asked(pace, &peer, 4, now);
	router_pace_answered(pace, &peer, 4, &from, now);
	router_pace_asked(pace, &peer, 6, now);
	router_pace_answered(pace, &peer, 6, &from, now);
	now.us = 10 * MOMENT_SECOND_US;
	for (unsigned i = 0; i < ROUTER_PACE_BURST; i++)
		router_pace_asked(pace, &peer, 4, now);
	assert_int_equal(router_pace_wait_us(pace, &peer, 6, now), 100000);
	router_pace_free(pace);
}

static void an_unexpected_router_is_charged_for_what_it_was_asked(void **state)
{
	struct router_pace *pace;
	struct address peer = peer_of(1), before = router_of(1), after = router_of(2);
	struct tick now = {0};

	(void)state;
	assert_int_equal(router_pace_new(&pace, RATE), 0);
	router_pace_asked(pace, &peer, 2, now);
	router_pace_answered(pace, &peer, 2, &before, now);
	now.us = MOMENT_SECOND_US;
	for (unsigned i = 0; i < ROUTER_PACE_BURST; i++)
		router_pace_asked(pace, &peer, 2, now);
	assert_int_equal(router_pace_wait_us(pace, &peer, 2, now), 100000);
	router_pace_answered(pace, &peer, 2, &after, now); /* the path has changed */
	assert_int_equal(router_pace_wait_us(pace, &peer, 2, now), 0);
	for (unsigned i = 1; i < ROUTER_PACE_BURST; i++)
		router_pace_asked(pace, &peer, 2, now);
	assert_int_equal(router_pace_wait_us(pace, &peer, 2, now), 100000);
	router_pace_free(pace);
}

static void the_destination_itself_says_nothing_of_the_way_to_others(void **state)
{
	struct router_pace *pace;
	int64_t now_us = 0;

	(void)state;
	assert_int_equal(router_pace_new(&pace, RATE), 0);
	/* Each is its own fifth hop. */
	assert_in_range(ask_for(pace, 20, 5, peer_of, MOMENT_SECOND_US, &now_us), 20,
		20 * (RATE + ROUTER_PACE_BURST));
	for (unsigned i = 0; i < 20; i++) {
		struct address peer = peer_of(100 + i);

		assert_int_equal(router_pace_wait_us(pace, &peer, 5,
					 (struct tick){now_us + 10 * MOMENT_SECOND_US}),
			0);
	}
	router_pace_free(pace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_first_hop_is_asked_no_faster_for_all_destinations_together),
		cmocka_unit_test(before_any_answer_a_ttl_counts_as_one_router),
		cmocka_unit_test(routers_behind_a_fork_are_paced_each_by_itself),
		cmocka_unit_test(one_router_at_two_ttls_is_one),
		cmocka_unit_test(an_unexpected_router_is_charged_for_what_it_was_asked),
		cmocka_unit_test(
			the_destination_itself_says_nothing_of_the_way_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
