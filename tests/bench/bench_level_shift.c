/*
 * What the level-shift rule finds in real round-trip series with hand-made labels.
 *
 *     bench_level_shift SERIES.csv…       lines "epoch;rtt in ms;label", 4 minutes apart
 *
 * An alarm counts for a label from 2 points before it to 8 after it, one for one; every
 * other alarm is false.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "level_shift.h"

#define POINTS_MAX 100000
#define EARLY 2
#define LATE 8
#define POINTS_A_WEEK (7 * 24 * 60 / 4)
#define LOST_MS 1000

struct score {
	unsigned points, labels, alarms, hits;
};

static int read_series(const char *path, double *values, bool *labels)
{
	FILE *file = fopen(path, "r");
	char line[256];
	int count = 0;

	if (!file)
		return -1;
	while (count < POINTS_MAX && fgets(line, sizeof(line), file)) {
		char *rtt = strchr(line, ';'), *label = rtt ? strchr(rtt + 1, ';') : NULL,
		     *end;

		if (!label)
			continue;
		values[count] = strtod(rtt + 1, &end);
		if (end != label)
			continue; /* the heading */
		labels[count++] = strtod(label + 1, NULL) != 0;
	}
	(void)fclose(file);
	return count;
}

static void judge(
	const double *values, const bool *labels, int count, struct score *score)
{
	static bool alarms[POINTS_MAX];
	struct level_shift shift = {0};
	struct level_step step;

	for (int i = 0; i < count; i++) {
		bool lost = values[i] < 0 || values[i] >= LOST_MS;

		alarms[i] = !lost && level_shift_feed(&shift, values[i], &step);
		score->alarms += alarms[i];
	}
	score->points += (unsigned)count;
	for (int i = 0; i < count; i++) {
		if (!labels[i])
			continue;
		score->labels++;
		for (int k = i < EARLY ? 0 : i - EARLY; k <= i + LATE && k < count; k++)
			if (alarms[k]) {
				alarms[k] = false;
				score->hits++;
				break;
			}
	}
}

static void print(const char *name, const struct score *score)
{
	double precision = score->alarms ? (double)score->hits / score->alarms : 0;
	double recall = score->labels ? (double)score->hits / score->labels : 0;
	double weeks = (double)score->points / POINTS_A_WEEK;

	printf("%-24.24s %6.1f weeks %5u labels %5u alarms  precision %.3f  recall %.3f  "
	       "F1 %.3f  "
	       "false a week %.2f\n",
		name, weeks, score->labels, score->alarms, precision, recall,
		precision + recall > 0 ? 2 * precision * recall / (precision + recall)
				       : 0,
		(score->alarms - score->hits) / weeks);
}

int main(int argc, char **argv)
{
	static double values[POINTS_MAX];
	static bool labels[POINTS_MAX];
	struct score all = {0};

	if (argc < 2) {
		fprintf(stderr, "bench_level_shift: SKIPPED: give it series with labels: "
				"SERIES.csv…\n");
		return 77;
	}
	for (int i = 1; i < argc; i++) {
		struct score one = {0};
		const char *name = strrchr(argv[i], '/');
		int count = read_series(argv[i], values, labels);

		if (count < 0) {
			perror(argv[i]);
			return 66;
		}
		judge(values, labels, count, &one);
		print(name ? name + 1 : argv[i], &one);
		all.points += one.points;
		all.labels += one.labels;
		all.alarms += one.alarms;
		all.hits += one.hits;
	}
	print("all", &all);
	return 0;
}
