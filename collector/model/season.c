#include "season.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"

#define CODE_STEPS 1024.0
#define CODE_MOST (UINT16_MAX / 2)
#define DAY_QUARTERS 96
#define HOUR_QUARTERS 4
/* Something may begin or end a quarter hour early; what only changes by a fifth, or by
 * less than chance does (three standard deviations of what nine slots hold), is no such
 * edge. What is switched on and off may be an hour away when clocks change. */
#define EDGE .8
#define SWITCH .6
#define SWITCH_QUARTERS 5
#define DAYS 3
#define ALIKE .6
#define REST_DAYS 2

static uint16_t code(double value, bool replaced)
{
	double steps = 1 + round(log2(1 + (value > 0 ? value : 0)) * CODE_STEPS);
	unsigned kept = steps < CODE_MOST ? (unsigned)steps : CODE_MOST;

	return (uint16_t)(kept << 1 | replaced);
}

static double decode(uint16_t stored)
{
	return exp2(((stored >> 1) - 1) / CODE_STEPS) - 1;
}

static int64_t quarter_of(struct moment at)
{
	return at.us / SEASON_QUARTER_US;
}

/* What is stored of that quarter, if it is still held; else 0. */
static uint16_t stored_at(const struct season *season, int64_t quarter)
{
	if (!season->newest || quarter > season->newest || quarter < season->first ||
		quarter <= season->newest - SEASON_WEEKS * SEASON_QUARTERS)
		return 0;
	return season->values[quarter / SEASON_QUARTERS % SEASON_WEEKS]
			     [quarter % SEASON_QUARTERS];
}

static bool look_up(const struct season *season, int64_t quarter, double *out)
{
	uint16_t stored = stored_at(season, quarter);

	if (!stored)
		return false;
	*out = decode(stored);
	return true;
}

/* The mean of a quarter and its neighbours, so that a shift of minutes is no surprise. */
static bool smooth(const struct season *season, int64_t quarter, double *out)
{
	double sum = 0, value;
	unsigned count = 0;

	for (int64_t q = quarter - 1; q <= quarter + 1; q++)
		if (look_up(season, q, &value)) {
			sum += value;
			count++;
		}
	if (!count)
		return false;
	*out = sum / count;
	return true;
}

static double median_of(double *values, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		for (unsigned k = i; k > 0 && values[k] < values[k - 1]; k--) {
			double swap = values[k];

			values[k] = values[k - 1];
			values[k - 1] = swap;
		}
	/* Of two weeks the lower: one of them may hold a surge. */
	return count % 2 || count == 2 ? values[(count - 1) / 2]
				       : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static struct season_expectation expect(const struct season *season, int64_t quarter)
{
	struct season_expectation out = {0};
	double weeks[SEASON_WEEKS], exact[SEASON_WEEKS], yesterday;
	unsigned count = 0;

	for (unsigned k = 1; k <= SEASON_WEEKS; k++)
		if (smooth(season, quarter - k * SEASON_QUARTERS, &weeks[out.weeks]))
			out.weeks++;
	for (unsigned k = 1; k <= SEASON_WEEKS; k++)
		if (look_up(season, quarter - k * SEASON_QUARTERS, &exact[count]))
			count++;
	out.exact = count ? median_of(exact, count) : 0;
	out.day = smooth(season, quarter - DAY_QUARTERS, &yesterday);
	if (out.weeks)
		out.value = median_of(weeks, out.weeks);
	else if (out.day)
		out.value = yesterday;
	/* One week alone may be a surge: yesterday pulls it down, never up. */
	if (out.weeks == 1 && out.day && yesterday < out.value)
		out.value = 0.7 * out.value + 0.3 * yesterday;
	return out;
}

static bool was_replaced_twice(
	const struct season *season, int64_t quarter, int64_t apart)
{
	return stored_at(season, quarter - apart) & 1 &&
	       stored_at(season, quarter - 2 * apart) & 1;
}

/* Whether as much was expected that day; a weekend says nothing of a Monday. */
static bool is_alike(const struct season *season, int64_t quarter, double usual)
{
	struct season_expectation then = expect(season, quarter);

	return then.weeks && then.value >= ALIKE * usual && ALIKE * then.value <= usual;
}

bool season_was_replaced_daily(const struct season *season, struct moment at)
{
	int64_t now = quarter_of(at);
	double usual;

	if (!was_replaced_twice(season, now, DAY_QUARTERS))
		return false;
	usual = expect(season, now).value;
	return is_alike(season, now - DAY_QUARTERS, usual) &&
	       is_alike(season, now - 2 * DAY_QUARTERS, usual);
}

bool season_was_replaced_weekly(const struct season *season, struct moment at)
{
	return was_replaced_twice(season, quarter_of(at), SEASON_QUARTERS);
}

static double least_around(const struct season *season, int64_t quarter,
	const struct season_expectation *here, int64_t apart, double share)
{
	double least = here->value;

	for (int64_t beside = quarter - apart; beside <= quarter + apart; beside++) {
		struct season_expectation there = expect(season, beside);

		/* What was stored this week has taken the place of four weeks ago. */
		if (there.weeks && there.weeks + 1 >= here->weeks &&
			there.value < share * here->value &&
			here->value - there.value > sqrt(here->value))
			least = fmin(least, there.value);
	}
	return least;
}

/* Of two neighbouring quarters in the last week in which both were measured, how much
 * came or went from one to the next; 0 when none was. */
static double step_after(const struct season *season, int64_t quarter, double *most)
{
	double before, after;

	for (unsigned k = 1; k <= SEASON_WEEKS; k++) {
		int64_t then = quarter - k * SEASON_QUARTERS;

		if (look_up(season, then, &before) && look_up(season, then + 1, &after)) {
			*most = fmax(before, after);
			return fabs(after - before);
		}
	}
	*most = 0;
	return 0;
}

/* Whether last week something was switched on or off close to this hour: more than half
 * of it, and of what is expected now, came or went from one quarter to the next. */
static bool is_switched(const struct season *season, int64_t quarter, double expected)
{
	double most;

	for (int64_t q = quarter - SWITCH_QUARTERS; q < quarter + SWITCH_QUARTERS; q++) {
		double step = step_after(season, q, &most);

		if (step > SWITCH * fmax(expected, most))
			return true;
	}
	return false;
}

/* The least of the quarters up to so far away. */
static bool least_smooth(
	const struct season *season, int64_t quarter, int64_t apart, double *out)
{
	bool any = false;

	*out = INFINITY;
	for (int64_t q = quarter - apart; q <= quarter + apart; q++) {
		double value;

		if (smooth(season, q, &value)) {
			*out = fmin(*out, value);
			any = true;
		}
	}
	return any;
}

/* At that hour of the last days: their median; 0 when nothing was measured. */
static double daily_at(const struct season *season, int64_t quarter)
{
	double days[DAYS];
	unsigned count = 0;

	for (unsigned k = 1; k <= DAYS; k++)
		if (smooth(season, quarter - k * DAY_QUARTERS, &days[count]))
			count++;
	return count ? median_of(days, count) : 0;
}

struct season_expectation season_at(const struct season *season, struct moment at)
{
	int64_t now = quarter_of(at);
	struct season_expectation out = expect(season, now);
	double yesterday, before;

	if (!out.weeks)
		return out;
	out.daily = daily_at(season, now);
	out.least = least_around(season, now, &out, 1, EDGE);
	if (is_switched(season, now, out.value))
		out.least = fmin(out.least,
			least_around(season, now, &out, SWITCH_QUARTERS, EDGE));
	/* Missing at its hour for two days: it has moved, and may have left an edge. */
	if (season_was_replaced_daily(season, at) &&
		least_smooth(season, now - DAY_QUARTERS, 1, &yesterday) &&
		least_smooth(season, now - 2 * DAY_QUARTERS, 1, &before))
		out.least = fmin(out.least, fmax(yesterday, before));
	return out;
}

bool season_yesterday(const struct season *season, struct moment at, double *out)
{
	return least_smooth(season, quarter_of(at) - DAY_QUARTERS, HOUR_QUARTERS, out);
}

/* Quarters that were never measured must not show what the ring held four weeks ago. */
static void clear_between(struct season *season, int64_t from, int64_t until)
{
	if (until - from > SEASON_WEEKS * SEASON_QUARTERS)
		from = until - SEASON_WEEKS * SEASON_QUARTERS;
	for (int64_t q = from + 1; q < until; q++)
		season->values[q / SEASON_QUARTERS % SEASON_WEEKS][q % SEASON_QUARTERS] =
			0;
}

void season_store(struct season *season, struct moment at, double value, bool replaced)
{
	int64_t quarter = quarter_of(at);

	if (quarter <= season->newest)
		return;
	if (!season->newest)
		season->first = quarter;
	else
		clear_between(season, season->newest, quarter);
	season->newest = quarter;
	season->values[quarter / SEASON_QUARTERS % SEASON_WEEKS]
		      [quarter % SEASON_QUARTERS] = code(value, replaced);
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

double season_rest(const struct season *season)
{
	double days[7] = {0}, rest = 0, work;
	unsigned measured[7] = {0};

	for (int64_t ahead = 0; ahead < SEASON_QUARTERS; ahead++) {
		struct season_expectation usual =
			expect(season, season->newest + 1 + ahead);

		if (usual.weeks) {
			days[ahead / DAY_QUARTERS] += usual.value;
			measured[ahead / DAY_QUARTERS]++;
		}
	}
	for (unsigned i = 0; i < 7; i++) {
		if (measured[i] < DAY_QUARTERS / 2)
			return -1;
		days[i] /= measured[i];
	}
	qsort(days, 7, sizeof(days[0]), by_value);
	for (unsigned i = 0; i < REST_DAYS; i++)
		rest += days[i] / REST_DAYS;
	work = days[(REST_DAYS + 7) / 2];
	return work > 0 ? fmax(1 - rest / work, 0) : 0;
}

void season_keep(struct archive *archive, struct season *season)
{
	archive_index(archive, &season->first);
	archive_index(archive, &season->newest);
	for (unsigned week = 0; week < SEASON_WEEKS; week++)
		archive_u16_row(archive, season->values[week], SEASON_QUARTERS);
}
