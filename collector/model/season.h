/*
 * What is usual at this time of the week: four weeks of quarter hours of one count, coded
 * in the logarithm (15 bits, good to 0.07 %). The expectation is the median over weeks of
 * the mean of a quarter hour and its neighbours. What is stored is cut at a little above
 * the expectation, so that a surge is not next week's normal; whoever judges stores the
 * expectation itself while something is wrong.
 */
#ifndef ASTRAY_SEASON_H
#define ASTRAY_SEASON_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

struct archive;

#define SEASON_QUARTERS (7 * 24 * 4)
#define SEASON_WEEKS 4
#define SEASON_QUARTER_US (15 * MOMENT_MINUTE_US)

struct season {
	int64_t first, newest; /* quarters since 1970 that were stored; 0: none */
	uint16_t values[SEASON_WEEKS][SEASON_QUARTERS];
};

struct season_expectation {
	double value;   /* the same unit as what is stored */
	double exact;   /* of this quarter hour alone, for putting it in place of what was
			   seen */
	double least;   /* the same, were everything a quarter hour early or late */
	double daily;   /* at this hour of the last three days, whatever days they are */
	unsigned weeks; /* how many weeks it stands on; 0: none, value from yesterday if
			   `day` */
	int day;        /* yesterday is known */
};

struct season_expectation season_at(const struct season *season, struct moment at);
/* The least of yesterday within an hour of this time; false when it is not known. */
bool season_yesterday(const struct season *season, struct moment at, double *out);
/* Quarters are stored in order of time; one that is older than the newest is passed over.
 * Whoever stores an expectation in place of what was seen says so. */
void season_store(struct season *season, struct moment at, double value, bool replaced);
/* Whether the same quarter was replaced on the last two days, or in the last two weeks:
 * what comes back at its hour is no incident but a habit, and should be learnt. */
bool season_was_replaced_daily(const struct season *season, struct moment at);
bool season_was_replaced_weekly(const struct season *season, struct moment at);
/* How much quieter the two quietest days of a usual week are than its others, 0 to 1:
 * near 1 a service lives by its staff's working days, near 0 by no such thing. Negative
 * while no whole week is known. */
double season_rest(const struct season *season);
/* Both ways of a snapshot. */
void season_keep(struct archive *archive, struct season *season);

#endif
