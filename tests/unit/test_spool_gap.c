#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "astray/wire.h"
#include "obs_maker.h"
#include "spool_gap.h"

static void add(struct spool_gap *all, int64_t from, int64_t until, int64_t observations)
{
	struct obs_gap gap = {{from}, {until}, observations};

	spool_gap_add(all, &gap);
}

static void assert_gap(const struct spool_gap *all, unsigned at, int64_t from,
	int64_t until, int64_t lost)
{
	assert_true(at < all->count);
	assert_int_equal(all->gaps[at].from.us, from);
	assert_int_equal(all->gaps[at].until.us, until);
	assert_int_equal(all->gaps[at].observations, lost);
}

static void gaps_apart_stand_in_order(void **state)
{
	struct spool_gap all = {0};

	(void)state;
	add(&all, 300, 400, 3);
	add(&all, 100, 200, 1);
	add(&all, 500, 500, 5);
	assert_int_equal(all.count, 3);
	assert_gap(&all, 0, 100, 200, 1);
	assert_gap(&all, 1, 300, 400, 3);
	assert_gap(&all, 2, 500, 500, 5);
}

static void gaps_that_touch_become_one(void **state)
{
	struct spool_gap all = {0};

	(void)state;
	add(&all, 100, 200, 1);
	add(&all, 200, 300, 2);
	add(&all, 150, 160, 4);
	assert_int_equal(all.count, 1);
	assert_gap(&all, 0, 100, 300, 7);
}

static void a_gap_over_several_takes_them_all(void **state)
{
	struct spool_gap all = {0};

	(void)state;
	for (int64_t i = 0; i < 5; i++)
		add(&all, i * 100, i * 100 + 10, 1);
	add(&all, 105, 305, 10);
	assert_int_equal(all.count, 3);
	assert_gap(&all, 0, 0, 10, 1);
	assert_gap(&all, 1, 100, 310, 13);
	assert_gap(&all, 2, 400, 410, 1);
}

static void beyond_the_bound_the_nearest_are_joined(void **state)
{
	struct spool_gap all = {0};

	(void)state;
	for (int64_t i = 0; i < OBS_GAPS; i++)
		add(&all, i * 1000, i * 1000 + (i == 4 ? 900 : 10), 1);
	add(&all, 99000, 99010, 1);
	assert_int_equal(all.count, OBS_GAPS);
	assert_gap(&all, 4, 4000, 5010, 2);
	assert_gap(&all, OBS_GAPS - 1, 99000, 99010, 1);
	assert_int_equal(spool_gap_lost(&all), OBS_GAPS + 1);
}

/* Whatever comes: the count is exact, the order holds, and nothing lost lies outside. */
static void any_losses_are_counted_exactly(void **state)
{
	(void)state;
	for (uint64_t run = 1; run <= 300; run++) {
		uint64_t seed = run;
		struct spool_gap all = {0};
		struct obs_gap added[60];
		int64_t lost = 0;

		for (unsigned i = 0; i < 60; i++) {
			added[i].from.us = obs_maker_int(&seed, 1000000);
			added[i].until.us =
				added[i].from.us + obs_maker_int(&seed, 20000);
			added[i].observations = obs_maker_int(&seed, 5000);
			lost += added[i].observations;
			spool_gap_add(&all, &added[i]);
		}
		assert_int_equal(spool_gap_lost(&all), lost);
		assert_in_range(all.count, 1, OBS_GAPS);
		for (unsigned i = 1; i < all.count; i++)
			assert_true(
				moment_before(all.gaps[i - 1].until, all.gaps[i].from));
		for (unsigned i = 0; i < 60; i++) {
			unsigned at = 0;

			while (at < all.count &&
				moment_before(all.gaps[at].until, added[i].from))
				at++;
			assert_true(at < all.count);
			assert_false(moment_before(added[i].from, all.gaps[at].from));
			assert_false(moment_before(all.gaps[at].until, added[i].until));
		}
	}
}

static void losses_leave_as_a_health_line(void **state)
{
	struct spool_gap all = {0};
	struct obs *obs = malloc(sizeof(*obs));
	char line[8192];
	int len;

	(void)state;
	assert_non_null(obs);
	for (int64_t i = 0; i < OBS_GAPS; i++)
		add(&all, MOMENT_MAX_US - 1000 + i * 10, MOMENT_MAX_US - 999 + i * 10,
			1000000000000);
	len = spool_gap_line(
		line, sizeof(line), &all, 17, (struct moment){1590854700000000});
	assert_true(len > 0);
	assert_int_equal(wire_decode(obs, line, (size_t)len, NULL), 0);
	assert_int_equal(obs->kind, OBS_HEALTH);
	assert_int_equal(obs->at.us, 1590854700000000);
	assert_int_equal(obs->health.dropped_observations, 17);
	assert_int_equal(obs->health.gap_count, OBS_GAPS);
	assert_int_equal(obs->health.gaps[3].observations, 1000000000000);
	assert_int_equal(obs->health.cpu_us, OBS_ABSENT);
	free(obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_apart_stand_in_order),
		cmocka_unit_test(gaps_that_touch_become_one),
		cmocka_unit_test(a_gap_over_several_takes_them_all),
		cmocka_unit_test(beyond_the_bound_the_nearest_are_joined),
		cmocka_unit_test(any_losses_are_counted_exactly),
		cmocka_unit_test(losses_leave_as_a_health_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
