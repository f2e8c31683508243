#include "store_series.h"

#include <errno.h>
#include <stdlib.h>

#include "astray/status.h"
#include "store_inside.h"

/* Rows that one answer may look up: at about 2 us each the loop is not held for long. */
#define LOOKUPS 30000
#define SITES 256
#define TEN_SECONDS_REACH_US (6 * MOMENT_HOUR_US)

struct plan {
	enum rollup_step tier;
	int64_t tier_us, step_us, from_us, until_us;
	size_t points, series_count;
	int64_t series[SITES];
};

static int find_series(
	struct store *store, struct plan *plan, const struct store_series_order *order)
{
	struct database_statement *statement;
	int rc = database_prepare(&statement, store->database,
		"SELECT id FROM series WHERE service = ?1 AND (?2 IS NULL OR site = ?2)");

	if (rc)
		return rc;
	database_bind_text(statement, 1, order->service);
	database_bind_text(statement, 2, order->site);
	while ((rc = database_step(statement)) > 0 && plan->series_count < SITES)
		plan->series[plan->series_count++] = database_int(statement, 0);
	database_finalize(statement);
	return rc < 0 ? rc : 0;
}

static bool tier_serves(const struct store *store, const struct plan *plan,
	const struct store_series_order *order, enum rollup_step tier)
{
	int64_t tier_us = rollup_row_step_us(tier);
	int64_t rows = moment_since_us(order->until, order->from) / tier_us + 1;

	if (tier == ROLLUP_TEN_SECONDS &&
		order->from.us < store->newest.us - TEN_SECONDS_REACH_US)
		return false;
	return rows <= LOOKUPS / (int64_t)(plan->series_count + 1);
}

/* The coarsest rows that are not coarser than asked; where that were too many, coarser
 * ones. */
static void choose_tier(const struct store *store, struct plan *plan,
	const struct store_series_order *order)
{
	int tier = order->whole ? ROLLUP_TEN_SECONDS : ROLLUP_HOUR;

	while (tier > 0 && rollup_row_step_us((enum rollup_step)tier) > order->step_us)
		tier--;
	while (tier < ROLLUP_HOUR &&
		!tier_serves(store, plan, order, (enum rollup_step)tier))
		tier++;
	plan->tier = (enum rollup_step)tier;
	plan->tier_us = rollup_row_step_us(plan->tier);
}

static int64_t round_up(int64_t value, int64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static void choose_points(struct plan *plan, const struct store_series_order *order)
{
	int64_t span_us = moment_since_us(order->until, order->from);
	int64_t least_us =
		round_up(span_us, STORE_SERIES_POINTS - 1) / (STORE_SERIES_POINTS - 1);

	plan->until_us = order->until.us;
	if (order->whole) {
		plan->from_us = order->from.us - order->from.us % plan->tier_us;
		plan->step_us = round_up(order->until.us - plan->from_us, plan->tier_us);
		plan->points = 1;
		return;
	}
	plan->step_us = round_up(
		order->step_us > least_us ? order->step_us : least_us, plan->tier_us);
	plan->from_us = order->from.us - order->from.us % plan->step_us;
	plan->points = (size_t)((order->until.us - plan->from_us + plan->step_us - 1) /
				plan->step_us);
}

static void finish_point(struct store_point *point, const struct rollup_row *row)
{
	for (unsigned i = 0; i < ROLLUP_COUNTS; i++)
		point->counts[i] = row->counts[i];
	for (unsigned i = 0; i < ROLLUP_SKETCHES; i++) {
		const struct sketch *sketch = row->sketches[i];

		if (!sketch)
			continue;
		point->timed[i] = true;
		point->p50_us[i] = sketch_quantile(sketch, 0.5);
		point->p90_us[i] = sketch_quantile(sketch, 0.9);
		point->p99_us[i] = sketch_quantile(sketch, 0.99);
	}
}

/* The rows of all sites at one time, added to a sum. */
static int read_rows(const struct plan *plan, struct database_statement *read,
	int64_t at_us, struct rollup_row *sum, bool *seen)
{
	for (size_t i = 0; i < plan->series_count; i++) {
		int rc;

		database_bind_int(read, 1, plan->tier_us / MOMENT_SECOND_US);
		database_bind_int(read, 2, at_us);
		database_bind_int(read, 3, plan->series[i]);
		rc = database_step(read);
		if (rc > 0) {
			*seen = true;
			rc = rollup_add_stored(sum, read);
		}
		database_reset(read);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_point(const struct plan *plan, struct database_statement *read,
	struct store_point *point)
{
	struct rollup_row sum = {0};
	int64_t left_us = plan->until_us - point->at_us;
	int rc = 0;

	for (int64_t at = point->at_us; !rc && at < point->at_us + plan->step_us;
		at += plan->tier_us) {
		sum.window_us = 0;
		rc = read_rows(plan, read, at, &sum, &point->seen);
		if (sum.window_us > 0)
			point->covered_us += sum.window_us > plan->tier_us
						     ? sum.window_us
						     : plan->tier_us;
	}
	if (point->covered_us > left_us && left_us > 0 && left_us < plan->step_us)
		point->covered_us =
			left_us; /* the last one has not had all its time yet */
	finish_point(point, &sum);
	rollup_row_clear(&sum);
	return rc;
}

int store_series_read(struct store *store, struct store_series *out,
	const struct store_series_order *order)
{
	struct database_statement *read = NULL;
	struct plan plan = {0};
	int rc;

	*out = (struct store_series){0};
	if (order->from.us < 0 || (order->step_us <= 0 && !order->whole) ||
		!moment_before(order->from, order->until))
		return STATUS_RANGE;
	rc = find_series(store, &plan, order);
	if (rc)
		return rc;
	choose_tier(store, &plan, order);
	choose_points(&plan, order);
	out->step_us = plan.step_us;
	out->count = plan.points;
	out->points = calloc(plan.points, sizeof(*out->points));
	if (!out->points)
		return -ENOMEM;
	rc = rollup_prepare_read(&read, store->database);
	for (size_t i = 0; !rc && i < plan.points; i++) {
		out->points[i].at_us = plan.from_us + (int64_t)i * plan.step_us;
		rc = read_point(&plan, read, &out->points[i]);
	}
	database_finalize(read);
	if (rc) {
		free(out->points);
		*out = (struct store_series){0};
	}
	return rc;
}
