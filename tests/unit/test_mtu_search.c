#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mtu_search.h"

#define PATIENCE_US 100000

static const struct address router = {.family = 4, .bytes = {192, 0, 2, 7}};

/* A path that carries `mtu` bytes and says so, or not; returns what is found, and how
 * many probes it took. */
static unsigned search_path(unsigned mtu, bool says, bool says_size, unsigned *probes)
{
	struct mtu_search search;
	struct tick now = {1000};
	unsigned size, number;

	mtu_search_init(&search, 4, 1500, PATIENCE_US);
	while (mtu_search_next(&search, now, &size, &number) || !search.done) {
		if (size <= mtu) {
			mtu_search_arrived(&search, number);
		} else if (says) {
			mtu_search_too_big(
				&search, number, &router, says_size ? (uint16_t)mtu : 0);
		} else {
			now.us += PATIENCE_US;
			mtu_search_expire(&search, now);
		}
	}
	*probes = search.sent;
	return mtu_search_result(&search);
}

static void a_path_that_carries_all_takes_one_probe(void **state)
{
	unsigned probes;

	(void)state;
	assert_int_equal(search_path(1500, true, true, &probes), 1500);
	assert_int_equal(probes, 1);
}

static void a_router_that_says_its_size_is_believed_once_it_passes(void **state)
{
	unsigned probes;

	(void)state;
	for (unsigned mtu = 69; mtu < 1500; mtu++) {
		assert_int_equal(search_path(mtu, true, true, &probes), mtu);
		assert_int_equal(probes, 2);
	}
}

static void a_router_that_says_nothing_is_found_out(void **state)
{
	unsigned probes;

	(void)state;
	for (unsigned mtu = 68; mtu < 1500; mtu++) {
		assert_int_equal(search_path(mtu, true, false, &probes), mtu);
		assert_true(probes <= MTU_SEARCH_PROBES);
	}
}

static void a_black_hole_for_large_packets_is_measured_by_halving(void **state)
{
	unsigned probes;

	(void)state;
	assert_int_equal(search_path(1400, false, false, &probes), 1400);
	assert_int_equal(search_path(1476, false, false, &probes), 1476);
}

static void a_lie_is_not_followed(void **state)
{
	struct mtu_search search;
	unsigned size, number;

	(void)state;
	mtu_search_init(&search, 4, 1500, PATIENCE_US);
	assert_true(mtu_search_next(&search, (struct tick){0}, &size, &number));
	/* Larger than what was sent, and smaller than all links carry. */
	mtu_search_too_big(&search, number, &router, 1600);
	assert_true(mtu_search_next(&search, (struct tick){0}, &size, &number));
	assert_true(size < 1500 && size > 68);
	mtu_search_too_big(&search, number, &router, 20);
	assert_true(mtu_search_next(&search, (struct tick){0}, &size, &number));
	assert_true(size > 68);
}

static void a_late_answer_changes_nothing(void **state)
{
	struct mtu_search search;
	unsigned size, number, first;

	(void)state;
	mtu_search_init(&search, 4, 1500, PATIENCE_US);
	assert_true(mtu_search_next(&search, (struct tick){0}, &size, &first));
	mtu_search_expire(&search, (struct tick){PATIENCE_US});
	assert_true(mtu_search_next(&search, (struct tick){PATIENCE_US}, &size, &number));
	mtu_search_too_big(&search, first, &router, 1000);
	assert_int_equal(search.bad, 0);
	mtu_search_arrived(&search, number);
	assert_int_equal(mtu_search_result(&search), 1500);
}

static void ipv6_needs_no_search_below_its_least(void **state)
{
	struct mtu_search search;

	(void)state;
	mtu_search_init(&search, 6, 1280, PATIENCE_US);
	assert_int_equal(mtu_search_result(&search), 1280);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_carries_all_takes_one_probe),
		cmocka_unit_test(a_router_that_says_its_size_is_believed_once_it_passes),
		cmocka_unit_test(a_router_that_says_nothing_is_found_out),
		cmocka_unit_test(a_black_hole_for_large_packets_is_measured_by_halving),
		cmocka_unit_test(a_lie_is_not_followed),
		cmocka_unit_test(a_late_answer_changes_nothing),
		cmocka_unit_test(ipv6_needs_no_search_below_its_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
