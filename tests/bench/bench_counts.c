/*
 * What the judgement of falling traffic finds in real series of counts with hand-made
 * labels.
 *
 *     bench_counts SERIES.csv…       lines "time,count,label", at equal distances
 *
 * Each series is the traffic of one gateway: what is given to the collector is one window
 * for each line, in stream order. Labels mark any anomaly; only those are asked for in
 * which a third of what is usual at that hour of the week is missing. A finding counts
 * for a stretch of labels from its begin to an hour (or two lines) after its end; every
 * other finding is false, unless a stretch of another kind covers it.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline.h"

#define POINTS_MAX 100000
#define HOURS_A_WEEK (7 * 24)
#define FALL .67
#define FINDINGS_MAX 10000
#define JOIN_US (6 * MOMENT_HOUR_US) /* findings closer than this are one */

struct point {
	int64_t at_us;
	double value;
	bool label;
};

struct score {
	double weeks;
	unsigned falls, found, findings, false_findings;
};

struct hearing {
	unsigned count;
	int64_t at_us[FINDINGS_MAX];
	enum incident_severity least;
};

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct hearing *hearing = arg;

	if (change != INCIDENT_CHANGE_OPENED && change != INCIDENT_CHANGE_ESCALATED)
		return;
	if (incident->severity < hearing->least || hearing->count == FINDINGS_MAX ||
		!(incident->causes & 1u << CAUSE_TRAFFIC))
		return;
	if (hearing->count &&
		incident->rx.us - hearing->at_us[hearing->count - 1] < JOIN_US)
		return;
	hearing->at_us[hearing->count++] = incident->rx.us;
}

/* "2018-04-25 00:01:00", with a T or quotes or not. */
static bool read_time(const char *text, int64_t *out)
{
	struct tm tm = {0};
	char between;

	if (*text == '"')
		text++;
	if (sscanf(text, "%d-%d-%d%c%d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		    &between, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 7)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*out = (int64_t)timegm(&tm) * MOMENT_SECOND_US;
	return true;
}

static double number_behind(const char **text)
{
	const char *at = strchr(*text, ',');

	*text = at ? at + 1 : "";
	return strtod(**text == '"' ? *text + 1 : *text, NULL);
}

static int read_series(const char *path, struct point *points)
{
	FILE *file = fopen(path, "r");
	char line[256];
	int count = 0;

	if (!file)
		return -1;
	while (count < POINTS_MAX && fgets(line, sizeof(line), file)) {
		struct point *point = &points[count];
		const char *rest = line;

		if (!read_time(line, &point->at_us) ||
			(count && point->at_us <= points[count - 1].at_us))
			continue;
		point->value = number_behind(&rest);
		point->label = number_behind(&rest) != 0;
		count++;
	}
	(void)fclose(file);
	return count;
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double median_of(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return count ? values[count / 2] : 0;
}

static size_t hour_of(const struct point *point)
{
	return (size_t)(point->at_us / MOMENT_HOUR_US % HOURS_A_WEEK);
}

/* What is usual at that hour of the week, of the points without label. */
static double usual_at(const struct point *points, int count, size_t hour, double *room)
{
	size_t used = 0;

	for (int i = 0; i < count; i++)
		if (!points[i].label && hour_of(&points[i]) == hour)
			room[used++] = points[i].value;
	return median_of(room, used);
}

static bool is_fall(const struct point *points, int from, int until, const double *usual,
	double *room)
{
	size_t used = 0;

	for (int i = from; i < until; i++)
		room[used++] = usual[hour_of(&points[i])] > 0
				       ? points[i].value / usual[hour_of(&points[i])]
				       : 1;
	return median_of(room, used) < FALL;
}

static void feed(const struct point *points, int count, double times,
	struct pipeline *pipeline, struct obs *obs)
{
	struct wire_origin origin = {.probe = "gw-1", .boot = "1"};
	int64_t window_us = points[1].at_us - points[0].at_us;

	obs_init(obs, OBS_HELLO, (struct moment){points[0].at_us});
	obs->hello.role = OBS_GATEWAY;
	origin.rx.us = points[0].at_us;
	pipeline_feed(pipeline, &origin, obs);
	for (int i = 0; i < count; i++) {
		obs_init(obs, OBS_TRAFFIC, (struct moment){points[i].at_us});
		(void)snprintf(
			obs->traffic.service, sizeof(obs->traffic.service), "series");
		obs->traffic.window_us = window_us;
		obs->traffic.requests = obs->traffic.responses =
			(int64_t)(points[i].value * times + .5);
		origin.rx.us = points[i].at_us + window_us + 2 * MOMENT_SECOND_US;
		origin.seq++;
		pipeline_feed(pipeline, &origin, obs);
	}
	pipeline_advance(pipeline,
		(struct moment){points[count - 1].at_us + window_us + MOMENT_HOUR_US});
}

/* Whole numbers are counts; others are rates a second. */
static double times_of(const struct point *points, int count)
{
	for (int i = 0; i < count; i++)
		if (floor(points[i].value) < points[i].value)
			return (double)(points[1].at_us - points[0].at_us) /
			       MOMENT_SECOND_US;
	return 1;
}

static void compare(const struct point *points, int count, const struct hearing *hearing,
	double *room, struct score *score)
{
	static bool used[FINDINGS_MAX];
	static double usual[HOURS_A_WEEK];
	int64_t step_us = points[1].at_us - points[0].at_us;

	memset(used, 0, sizeof(used));
	for (size_t hour = 0; hour < HOURS_A_WEEK; hour++)
		usual[hour] = usual_at(points, count, hour, room);
	for (int from = 0, until; from < count; from = until + 1) {
		bool fall, found = false;
		int64_t end_us;

		for (; from < count && !points[from].label; from++)
			;
		for (until = from; until < count && points[until].label; until++)
			;
		if (from == count)
			break;
		fall = is_fall(points, from, until, usual, room);
		end_us = points[until - 1].at_us + step_us +
			 (step_us * 2 > MOMENT_HOUR_US ? step_us * 2 : MOMENT_HOUR_US);
		for (unsigned i = 0; i < hearing->count; i++)
			if (hearing->at_us[i] >= points[from].at_us &&
				hearing->at_us[i] <= end_us)
				used[i] = found = true;
		score->falls += fall;
		score->found += fall && found;
	}
	score->findings = hearing->count;
	for (unsigned i = 0; i < hearing->count; i++)
		score->false_findings += !used[i];
	score->weeks = (double)(points[count - 1].at_us - points[0].at_us) /
		       (7. * MOMENT_DAY_US);
}

static int judge(const struct point *points, int count, enum incident_severity least,
	double *room, struct score *score)
{
	static struct hearing hearing;
	static struct service service;
	struct services services = {1, &service};
	const struct pipeline_hooks hooks = {.changed = changed, .arg = &hearing};
	struct pipeline *pipeline;
	struct obs *obs = malloc(sizeof(*obs));
	int rc;

	hearing = (struct hearing){.least = least};
	(void)snprintf(service.name, sizeof(service.name), "series");
	rc = obs ? pipeline_new(&pipeline, &services, NULL, NULL, &hooks) : -1;
	if (rc == 0) {
		feed(points, count, times_of(points, count), pipeline, obs);
		pipeline_free(pipeline);
		compare(points, count, &hearing, room, score);
	}
	free(obs);
	return rc;
}

static void print(const char *name, const char *what, const struct score *score)
{
	unsigned true_findings = score->findings - score->false_findings;

	printf("%-22.22s %-5s %6.1f weeks %3u falls, found %3u  %4u findings, false %3u  "
	       "precision %.2f  recall %.2f  false a week %.3f\n",
		name, what, score->weeks, score->falls, score->found, score->findings,
		score->false_findings,
		score->findings ? (double)true_findings / score->findings : 1,
		score->falls ? (double)score->found / score->falls : 1,
		score->false_findings / score->weeks);
}

static void add(struct score *into, const struct score *score)
{
	into->weeks += score->weeks;
	into->falls += score->falls;
	into->found += score->found;
	into->findings += score->findings;
	into->false_findings += score->false_findings;
}

int main(int argc, char **argv)
{
	static struct point points[POINTS_MAX];
	static double room[POINTS_MAX];
	struct score warns = {0}, pages = {0};

	if (argc < 2) {
		fprintf(stderr, "bench_counts: SKIPPED: give it series with labels: "
				"SERIES.csv…\n");
		return 77;
	}
	for (int i = 1; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');
		int count = read_series(argv[i], points);
		struct score warn = {0}, page = {0};

		if (count < 2) {
			fprintf(stderr, "bench_counts: %s: no series\n", argv[i]);
			return 66;
		}
		if (judge(points, count, SEVERITY_WARN, room, &warn) ||
			judge(points, count, SEVERITY_PAGE, room, &page))
			return 70;
		name = name ? name + 1 : argv[i];
		print(name, "warn", &warn);
		print(name, "page", &page);
		add(&warns, &warn);
		add(&pages, &page);
	}
	print("all", "warn", &warns);
	print("all", "page", &pages);
	return 0;
}
