#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_world.h"
#include "astray/status.h"
#include "database.h"
#include "rollup.h"
#include "store_read.h"
#include "store_series.h"

static struct store_series read_series(struct store_world *world, const char *site,
	int64_t from_us, int64_t until_us, int64_t step_us)
{
	const struct store_series_order order = {.service = "exchange",
		.site = site,
		.from = {from_us},
		.until = {until_us},
		.step_us = step_us};
	struct store_series series;

	assert_int_equal(store_series_read(world->store, &series, &order), 0);
	return series;
}

static int64_t requests_in(struct store_world *world, const char *site, int64_t from_us,
	int64_t until_us, int64_t step_us)
{
	struct store_series series = read_series(world, site, from_us, until_us, step_us);
	int64_t sum = 0;

	for (size_t i = 0; i < series.count; i++)
		sum += series.points[i].counts[ROLLUP_REQUESTS];
	free(series.points);
	return sum;
}

static int64_t all_requests(struct store_world *world)
{
	return requests_in(world, NULL, STORE_WORLD_START - MOMENT_HOUR_US,
		world->rx_us + MOMENT_HOUR_US, MOMENT_MINUTE_US);
}

static void traffic_is_summed_by_step_and_site(void **state)
{
	struct store_world *world = *state;
	struct store_series series;

	store_world_hello(world, "tyo-gw-1", "tokyo");
	store_world_hello(world, "ams-gw-1", "amsterdam");
	for (int i = 0; i < 12; i++, world->rx_us += 10 * MOMENT_SECOND_US) {
		store_world_traffic(world, "tyo-gw-1", 100, 20000);
		store_world_traffic(world, "ams-gw-1", 10, 90000);
	}
	store_world_flush(world);
	series = read_series(world, NULL, STORE_WORLD_START,
		STORE_WORLD_START + 2 * MOMENT_MINUTE_US, MOMENT_MINUTE_US);
	assert_int_equal(series.count, 2);
	assert_int_equal(series.step_us, MOMENT_MINUTE_US);
	for (int i = 0; i < 2; i++) {
		const struct store_point *point = &series.points[i];

		assert_int_equal(point->at_us, STORE_WORLD_START + i * MOMENT_MINUTE_US);
		assert_int_equal(point->counts[ROLLUP_REQUESTS], 660);
		assert_int_equal(point->counts[ROLLUP_WINDOWS], 12);
		assert_int_equal(point->covered_us, MOMENT_MINUTE_US);
		assert_true(point->p50_us[ROLLUP_RESPONSE] > 19600 &&
			    point->p50_us[ROLLUP_RESPONSE] < 20400);
		assert_true(point->p99_us[ROLLUP_RESPONSE] > 88000 &&
			    point->p99_us[ROLLUP_RESPONSE] < 92000);
		assert_false(point->timed[ROLLUP_CONNECT]);
	}
	free(series.points);
	assert_int_equal(requests_in(world, "amsterdam", STORE_WORLD_START, world->rx_us,
				 10 * MOMENT_SECOND_US),
		120);
	assert_int_equal(requests_in(world, "london", STORE_WORLD_START, world->rx_us,
				 10 * MOMENT_SECOND_US),
		0);
}

static void the_three_steps_agree(void **state)
{
	struct store_world *world = *state;
	int64_t until_us = STORE_WORLD_START + 3 * MOMENT_HOUR_US;

	for (; world->rx_us < until_us; world->rx_us += 70 * MOMENT_SECOND_US) {
		store_world_traffic(world, "tyo-gw-1", 7, 20000);
		if (world->rx_us % 3 == 0)
			store_world_flush(world);
	}
	store_world_flush(world);
	for (int64_t step = 10; step <= 3600; step *= 60)
		assert_int_equal(requests_in(world, NULL, STORE_WORLD_START, until_us,
					 step * MOMENT_SECOND_US),
			7 * 155);
}

static void a_whole_is_one_point_with_the_time_that_it_covers(void **state)
{
	struct store_world *world = *state;
	struct store_series_order order = {.service = "exchange", .whole = true};
	struct store_series series;

	for (int i = 0; i < 12; i++, world->rx_us += 10 * MOMENT_SECOND_US)
		if (i != 5) /* a window that is missing is not time without requests */
			store_world_traffic(world, "tyo-gw-1", 100, 20000);
	store_world_flush(world);
	order.from.us = STORE_WORLD_START;
	order.until.us = STORE_WORLD_START + 2 * MOMENT_MINUTE_US;
	assert_int_equal(store_series_read(world->store, &series, &order), 0);
	assert_int_equal(series.count, 1);
	assert_int_equal(series.points[0].counts[ROLLUP_REQUESTS], 1100);
	assert_int_equal(series.points[0].covered_us, 110 * MOMENT_SECOND_US);
	free(series.points);
}

static void late_windows_find_their_minute(void **state)
{
	struct store_world *world = *state;
	int64_t minute = MOMENT_MINUTE_US;

	store_world_traffic(world, "tyo-gw-1", 5, 20000);
	store_world_flush(world);
	world->rx_us +=
		2 * MOMENT_HOUR_US; /* a batch from a spool, with the old window's time */
	store_world_begin(world, OBS_TRAFFIC)->at.us = STORE_WORLD_START + 1;
	(void)strcpy(world->obs.traffic.service, "exchange");
	world->obs.traffic.window_us = minute;
	world->obs.traffic.requests = 8;
	store_world_send(world, "tyo-gw-1");
	store_world_flush(world);
	assert_int_equal(requests_in(world, NULL, STORE_WORLD_START,
				 STORE_WORLD_START + minute, minute),
		13);
}

static void a_clock_in_the_future_is_not_believed(void **state)
{
	struct store_world *world = *state;

	store_world_begin(world, OBS_TRAFFIC)->at.us += MOMENT_DAY_US;
	(void)strcpy(world->obs.traffic.service, "exchange");
	world->obs.traffic.window_us = MOMENT_MINUTE_US;
	world->obs.traffic.requests = 8;
	store_world_send(world, "tyo-gw-1");
	store_world_flush(world);
	assert_int_equal(all_requests(world), 8);
}

static void absent_adds_nothing_and_sums_do_not_overflow(void **state)
{
	struct store_world *world = *state;
	struct store_series series;

	for (int i = 0; i < 3; i++) {
		(void)store_world_begin(world, OBS_TRAFFIC);
		(void)strcpy(world->obs.traffic.service, "exchange");
		world->obs.traffic.window_us = MOMENT_MINUTE_US;
		world->obs.traffic.sent_bytes = MOMENT_MAX_US;
		store_world_send(world, "tyo-gw-1");
	}
	store_world_flush(world);
	series = read_series(world, NULL, STORE_WORLD_START,
		STORE_WORLD_START + MOMENT_MINUTE_US, MOMENT_MINUTE_US);
	assert_int_equal(series.points[0].counts[ROLLUP_REQUESTS], 0);
	assert_true(series.points[0].counts[ROLLUP_SENT_BYTES] == MOMENT_MAX_US);
	free(series.points);
}

static void checks_are_counted_and_timed(void **state)
{
	struct store_world *world = *state;
	struct store_series series;

	for (int i = 0; i < 10; i++) {
		store_world_check(world, "tyo-1", OBS_CHECK_OK, 50000);
		world->rx_us += MOMENT_SECOND_US;
	}
	store_world_check(world, "tyo-1", OBS_CHECK_TIMEOUT, OBS_ABSENT);
	store_world_flush(world);
	series = read_series(world, NULL, STORE_WORLD_START,
		STORE_WORLD_START + MOMENT_MINUTE_US, MOMENT_MINUTE_US);
	assert_int_equal(series.points[0].counts[ROLLUP_CHECKS], 11);
	assert_int_equal(series.points[0].counts[ROLLUP_CHECK_FAILURES], 1);
	assert_true(series.points[0].timed[ROLLUP_CHECK_TOTAL]);
	assert_true(series.points[0].p90_us[ROLLUP_CHECK_TOTAL] < 51500);
	free(series.points);
}

static void feed(struct store_world *world, int from, int until)
{
	for (int i = 0; i < until; i++) {
		world->rx_us = STORE_WORLD_START +
			       i / 4 * MOMENT_SECOND_US; /* four share an rx */
		if (i >= from)
			store_world_traffic(world, "tyo-gw-1", 1, 20000);
	}
}

static void what_is_in_the_file_is_not_counted_again_after_a_restart(void **state)
{
	struct store_world *world = *state;
	struct store_counters counters;

	feed(world, 0, 10); /* stops in the middle of four */
	store_world_reopen(world);
	assert_int_equal(store_watermark(world->store).us,
		STORE_WORLD_START + 2 * MOMENT_SECOND_US);
	feed(world, 0, 23);
	store_world_flush(world);
	assert_int_equal(all_requests(world), 23);
	store_read_counters(world->store, &counters);
	assert_int_equal(counters.observations, 13);
}

/* A copy of the file as a power cut would leave it: nothing that was not flushed is in
 * it, and the mark says so. */
static void what_was_not_flushed_comes_again_from_the_journal(void **state)
{
	struct store_world *world = *state;
	struct database *copier;
	struct fault fault = {0};
	char sql[256];

	feed(world, 0, 8);
	store_world_flush(world);
	feed(world, 8, 12); /* in memory only */
	(void)snprintf(sql, sizeof(sql), "VACUUM INTO '%s.copy'", world->file);
	assert_int_equal(
		database_open(&copier, world->file, (const char *const[]){"", NULL},
			DATABASE_READ_ONLY, &fault),
		0);
	assert_int_equal(database_run(copier, sql), 0);
	database_close(copier);
	store_close(world->store);
	(void)snprintf(sql, sizeof(sql), "%s.copy", world->file);
	assert_int_equal(rename(sql, world->file), 0);
	store_world_open(world);
	assert_int_equal(
		store_watermark(world->store).us, STORE_WORLD_START + MOMENT_SECOND_US);
	feed(world, 0, 12);
	store_world_flush(world);
	assert_int_equal(all_requests(world), 12);
}

static void old_rows_go_in_small_steps_and_incidents_stay(void **state)
{
	struct store_world *world = *state;
	struct incident incident = {.id = "i-1", .state = INCIDENT_RESOLVED};
	struct store_counters counters;
	int64_t rows = 0;

	incident.rx.us = incident.opened.us = incident.since.us = world->rx_us;
	incident.change_number = 2;
	store_changed(world->store, INCIDENT_CHANGE_RESOLVED, &incident);
	for (int i = 0; i < 500; i++, world->rx_us += MOMENT_MINUTE_US)
		store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_world_check(world, "tyo-1", OBS_CHECK_OK, 50000);
	store_world_flush(world);
	assert_int_equal(requests_in(world, NULL, STORE_WORLD_START, world->rx_us,
				 MOMENT_MINUTE_US),
		500);
	world->rx_us += 40 * MOMENT_DAY_US;
	for (int i = 0; i < 20; i++) {
		int64_t before = rows;

		store_world_traffic(world, "ams-gw-1", 1, 20000);
		store_world_flush(world);
		store_read_counters(world->store, &counters);
		rows = (int64_t)counters.forgotten_rows;
		assert_in_range(rows - before, 0, 200 * 9);
	}
	assert_int_equal(requests_in(world, NULL, STORE_WORLD_START,
				 STORE_WORLD_START + MOMENT_DAY_US, MOMENT_MINUTE_US),
		0);
	assert_int_equal(requests_in(world, NULL, world->rx_us - MOMENT_MINUTE_US,
				 world->rx_us + MOMENT_MINUTE_US, MOMENT_MINUTE_US),
		20);
	assert_true(rows > 1000);
	world->rx_us += 300 * MOMENT_DAY_US;
	for (int i = 0; i < 3; i++) {
		store_world_traffic(world, "ams-gw-1", 1, 20000);
		store_world_flush(world);
	}
}

static void more_rows_than_memory_holds_are_written_early(void **state)
{
	struct store_world *world = *state;
	struct store_counters counters;

	for (int i = 0; i < 5000; i++, world->rx_us += 10 * MOMENT_SECOND_US)
		store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_read_counters(world->store, &counters);
	assert_int_equal(counters.flushes, 2);
	store_world_flush(world);
	assert_int_equal(
		requests_in(world, NULL, STORE_WORLD_START, world->rx_us, MOMENT_HOUR_US),
		5000);
}

static void a_long_view_is_answered_in_coarser_steps(void **state)
{
	struct store_world *world = *state;
	struct store_series series;

	store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_world_flush(world);
	series = read_series(world, NULL, STORE_WORLD_START - 365 * MOMENT_DAY_US,
		STORE_WORLD_START + MOMENT_DAY_US, 10 * MOMENT_SECOND_US);
	assert_in_range(series.count, 1, STORE_SERIES_POINTS);
	assert_int_equal(series.step_us % MOMENT_HOUR_US, 0);
	free(series.points);
}

static void a_view_that_cannot_be_is_refused(void **state)
{
	struct store_world *world = *state;
	struct store_series_order order = {
		.service = "exchange", .from = {5}, .until = {5}, .step_us = 1};
	struct store_series series;

	assert_int_equal(store_series_read(world->store, &series, &order), STATUS_RANGE);
	order.until.us = 6;
	order.step_us = 0;
	assert_int_equal(store_series_read(world->store, &series, &order), STATUS_RANGE);
	order.from.us = -5;
	assert_int_equal(store_series_read(world->store, &series, &order), STATUS_RANGE);
}

static void count_subject(void *arg, const struct store_subject *row)
{
	(void)row;
	++*(int *)arg;
}

static void one_sender_cannot_fill_the_store(void **state)
{
	struct store_world *world = *state;
	static const struct store_world_hop hops[] = {{"192.0.2.1", "JP", 64496}};
	struct store_counters counters;
	int count = 0;

	for (int i = 0; i < 300; i++) {
		store_world_trace(world, "evil", hops, 1);
		world->obs.trace.flow =
			2 + i; /* sent again below, as another flow each time */
		store_world_send(world, "evil");
	}
	store_world_trace(world, "good", hops, 1);
	store_world_flush(world);
	store_read_counters(world->store, &counters);
	assert_true(counters.refused > 200);
	assert_int_equal(counters.failures, 0);
	assert_int_equal(store_read_subjects(world->store, "path", "exchange", NULL,
				 count_subject, &count),
		0);
	assert_in_range(count, 60, 70);
}

static void a_database_that_fails_is_reported_and_tried_again(void **state)
{
	struct store_world *world = *state;
	struct database *other;
	struct store_counters counters;
	struct fault fault = {0};

	store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_world_flush(world);
	/* Another process destroys a table under it. */
	assert_int_equal(database_open(&other, world->file,
				 (const char *const[]){"", NULL}, 0, &fault),
		0);
	assert_int_equal(database_run(other, "ALTER TABLE rollup RENAME TO gone"), 0);
	world->rx_us += MOMENT_MINUTE_US;
	store_world_traffic(world, "tyo-gw-1", 1, 20000);
	assert_true(store_flush(world->store, &fault) < 0);
	assert_non_null(strstr(fault.why, "rollup"));
	assert_string_equal(fault.input, world->file);
	store_read_counters(world->store, &counters);
	assert_int_equal(counters.failures, 1);
	assert_int_equal(counters.lost, 1);
	assert_int_equal(database_run(other, "ALTER TABLE gone RENAME TO rollup"), 0);
	database_close(other);
	world->rx_us += MOMENT_MINUTE_US;
	store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_world_flush(world);
	assert_int_equal(all_requests(world), 2);
}

static void a_stored_row_that_is_spoilt_is_begun_anew(void **state)
{
	struct store_world *world = *state;
	struct database *other;
	struct fault fault = {0};

	store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_world_flush(world);
	assert_int_equal(database_open(&other, world->file,
				 (const char *const[]){"", NULL}, 0, &fault),
		0);
	assert_int_equal(
		database_run(other, "UPDATE rollup SET response = x'0102ffff'"), 0);
	database_close(other);
	store_world_traffic(world, "tyo-gw-1", 1, 20000);
	store_world_flush(world);
	assert_true(all_requests(world) >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_world_test(traffic_is_summed_by_step_and_site),
		store_world_test(the_three_steps_agree),
		store_world_test(a_whole_is_one_point_with_the_time_that_it_covers),
		store_world_test(late_windows_find_their_minute),
		store_world_test(a_clock_in_the_future_is_not_believed),
		store_world_test(absent_adds_nothing_and_sums_do_not_overflow),
		store_world_test(checks_are_counted_and_timed),
		store_world_test(
			what_is_in_the_file_is_not_counted_again_after_a_restart),
		store_world_test(what_was_not_flushed_comes_again_from_the_journal),
		store_world_test(old_rows_go_in_small_steps_and_incidents_stay),
		store_world_test(more_rows_than_memory_holds_are_written_early),
		store_world_test(a_long_view_is_answered_in_coarser_steps),
		store_world_test(a_view_that_cannot_be_is_refused),
		store_world_test(one_sender_cannot_fill_the_store),
		store_world_test(a_database_that_fails_is_reported_and_tried_again),
		store_world_test(a_stored_row_that_is_spoilt_is_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
