#include "presence.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "archive.h"
#include "season.h"
#include "vantages.h"

#define LOOK_US (5 * MOMENT_MINUTE_US)
#define LOOKS_A_QUARTER (SEASON_QUARTER_US / LOOK_US)
/* After so long a silence of all it is the telemetry that is away. */
#define SILENCE_US MOMENT_HOUR_US
/* Fewer endpoints than this are no crowd. */
#define CROWD 4
#define MOSTLY .75
/* Chance of a number of people, in its square root. */
#define SPREADS 1.3

struct site_presence {
	struct season season; /* of endpoints that were on */
	uint32_t on;          /* at the last look */
	bool heard;           /* of anything at the site, then */
	double usual;         /* at this time; negative: not known */
};

struct presence {
	int64_t looked; /* moment / LOOK_US of the last look; 0: never */
	struct moment heard;
	struct site_presence sites[VANTAGES_SITES];
};

int presence_new(struct presence **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void presence_free(struct presence *presence)
{
	free(presence);
}

void presence_hear(struct presence *presence, struct moment rx)
{
	presence->heard = rx;
}

struct moment presence_due(const struct presence *presence, struct moment now)
{
	int64_t last = presence->looked ? presence->looked : now.us / LOOK_US;
	struct moment due = {(last + 1) * LOOK_US};

	if (moment_since_us(due, presence->heard) > SILENCE_US)
		due.us = 0;
	return due;
}

static void count(
	struct presence *presence, const struct vantages *vantages, struct moment now)
{
	for (unsigned i = 0; i < vantages_site_count(vantages); i++) {
		presence->sites[i].on = 0;
		presence->sites[i].heard = false;
	}
	for (unsigned i = 0; i < vantages_count(vantages); i++) {
		const struct vantage *vantage = vantages_at(vantages, i);
		struct site_presence *site = &presence->sites[vantage->site];

		if (moment_since_us(now, vantage->last_rx) > SEASON_QUARTER_US)
			continue;
		site->heard = true;
		site->on += vantage->introduced && vantage->role == OBS_ENDPOINT &&
			    !vantage->roaming;
	}
}

/* People come and go a little earlier or later: the least of the hour around. Negative:
 * not known. */
static double usual_at(const struct season *season, struct moment at)
{
	double least = INFINITY;

	for (int k = -1; k <= 1; k++) {
		struct season_expectation usual =
			season_at(season, moment_plus_us(at, k * SEASON_QUARTER_US));

		if (!usual.weeks)
			return -1;
		least = fmin(least, usual.value);
	}
	return least;
}

bool presence_look(
	struct presence *presence, const struct vantages *vantages, struct moment now)
{
	struct moment ended = {now.us - SEASON_QUARTER_US};
	int64_t number = now.us / LOOK_US;

	if (number <= presence->looked || ended.us < 0 ||
		moment_since_us(now, presence->heard) > SILENCE_US)
		return false;
	presence->looked = number;
	count(presence, vantages, now);
	for (unsigned i = 0; i < vantages_site_count(vantages); i++) {
		struct site_presence *site = &presence->sites[i];

		site->usual = usual_at(&site->season, ended);
		if (number % LOOKS_A_QUARTER == 0 && site->heard)
			season_store(&site->season, ended, site->on, false);
	}
	return true;
}

double presence_share(const struct presence *presence, unsigned site)
{
	const struct site_presence *at = presence ? &presence->sites[site] : NULL;

	if (!at || !at->heard || at->usual < CROWD || at->on >= MOSTLY * at->usual)
		return 1;
	return fmax(at->on - SPREADS * sqrt(at->on + .5), 0) / at->usual;
}

static void keep_site(struct archive *archive, struct site_presence *site)
{
	season_keep(archive, &site->season);
	archive_u32(archive, &site->on);
	archive_bool(archive, &site->heard);
	archive_double(archive, &site->usual);
}

void presence_keep(struct archive *archive, struct presence *presence, unsigned sites)
{
	archive_index(archive, &presence->looked);
	archive_moment(archive, &presence->heard);
	if (presence->looked > ARCHIVE_MOST / LOOK_US)
		archive_refuse(archive);
	for (unsigned i = 0; i < sites; i++)
		keep_site(archive, &presence->sites[i]);
}
