#include "fleet_people.h"

#include <math.h>
#include <string.h>

#include "fleet_dice.h"

/* In every second world, one of the offices. */
static bool is_summer_time(const struct fleet_world *world, unsigned site, int64_t at_us)
{
	int64_t changes_us =
		FLEET_BEGIN_US + (world->options.history_days + 13) * MOMENT_DAY_US;
	uint64_t hash = fleet_dice_hash(world->options.seed, DICE_CLOCK_CHANGE, 0, 0);

	return fleet_world_has(world, NOISE_CLOCK_CHANGE) && hash & 1 &&
	       (hash >> 1) % world->options.sites == site && at_us >= changes_us;
}

static int64_t local_us(const struct fleet_world *world, unsigned site, int64_t at_us)
{
	int64_t hours = world->sites[site].utc_offset_hours;

	return at_us + (hours - is_summer_time(world, site, at_us)) * MOMENT_HOUR_US;
}

double fleet_people_hour(const struct fleet_world *world, unsigned site, int64_t at_us)
{
	return (double)(local_us(world, site, at_us) % MOMENT_DAY_US) /
	       (double)MOMENT_HOUR_US;
}

int64_t fleet_people_day(const struct fleet_world *world, unsigned site, int64_t at_us)
{
	return local_us(world, site, at_us) / MOMENT_DAY_US;
}

static bool is_weekend(int64_t day)
{
	return (day + 3) % 7 >= 5; /* day 0 was a Thursday */
}

static bool is_holiday(const struct fleet_world *world, unsigned site, int64_t day)
{
	const char *country = fleet_world_city(world->sites[site].city)->country;
	uint64_t who = (uint64_t)(country[0] * 256 + country[1]);

	return fleet_world_has(world, NOISE_HOLIDAYS) &&
	       fleet_dice_happens(
		       .04, world->options.seed, DICE_HOLIDAY, who, (uint64_t)day);
}

/* The eve of a feast. */
static bool is_half(const struct fleet_world *world, unsigned site, int64_t day)
{
	const char *country = fleet_world_city(world->sites[site].city)->country;
	uint64_t who = (uint64_t)(country[0] * 256 + country[1]);

	return fleet_world_has(world, NOISE_HALF_DAYS) &&
	       fleet_dice_happens(
		       .02, world->options.seed, DICE_HALF_DAY, who, (uint64_t)day);
}

static bool is_closed(const struct fleet_world *world, unsigned site, int64_t day)
{
	return fleet_world_has(world, NOISE_CLOSURES) &&
	       fleet_dice_happens(
		       .015, world->options.seed, DICE_CLOSURE, site, (uint64_t)day);
}

/* The share of staff that works on that day at all. */
static double day_share(const struct fleet_world *world, unsigned site, int64_t day)
{
	double leave = 0;

	if (is_weekend(day))
		return .04;
	if (is_holiday(world, site, day) || is_closed(world, site, day))
		return .06;
	if (fleet_world_has(world, NOISE_LEAVE))
		leave = .15 * fleet_dice_uniform(world->options.seed, DICE_LEAVE, site,
				      (uint64_t)day);
	return 1 - leave;
}

static double rise(double from, double to, double x)
{
	double t = (x - from) / (to - from);

	t = fmin(fmax(t, 0), 1);
	return t * t * (3 - 2 * t);
}

static double work_shape(double hour)
{
	double shape = rise(8, 10, hour) * (1 - rise(17.5, 20, hour));
	double lunch = 1 - .25 * exp(-pow((hour - 12.5) / .5, 2));

	return shape * lunch;
}

double fleet_people_share(const struct fleet_world *world, unsigned site, int64_t at_us)
{
	int64_t day = fleet_people_day(world, site, at_us);
	double hour = fleet_people_hour(world, site, at_us);
	double left = is_half(world, site, day) ? rise(11.5, 13.5, hour) : 0;

	return day_share(world, site, day) * work_shape(hour) * (1 - left);
}

double fleet_people_week_hour(
	const struct fleet_world *world, unsigned site, int64_t at_us)
{
	return (double)((fleet_people_day(world, site, at_us) + 3) % 7 * 24) +
	       fleet_people_hour(world, site, at_us);
}

bool fleet_people_is_on(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	uint64_t seed = world->options.seed, who = probe->number;
	int64_t day = fleet_people_day(world, probe->site, at_us);
	double hour = fleet_people_hour(world, probe->site, at_us);
	double begin, end, lid = .04;

	if (probe->role != OBS_ENDPOINT)
		return true;
	if (!fleet_dice_happens(day_share(world, probe->site, day), seed, DICE_LEAVE,
		    1000 + who, (uint64_t)day))
		return false;
	begin = 8.3 + 1.4 * fleet_dice_uniform(seed, DICE_LID, who, (uint64_t)day * 2);
	end = is_half(world, probe->site, day) ? 11.5 : 17.3;
	end += 2.2 * fleet_dice_uniform(seed, DICE_LID, who, (uint64_t)day * 2 + 1);
	if (hour > 12 && hour < 13)
		lid = .35;
	return hour >= begin && hour < end &&
	       !fleet_dice_happens(lid, seed, DICE_LID, 1000 + who,
		       (uint64_t)(at_us / FLEET_SLOT_US / 3));
}

bool fleet_people_lies(const struct fleet_world *world, const struct fleet_probe *probe)
{
	return probe->role == OBS_ENDPOINT && fleet_world_has(world, NOISE_LIARS) &&
	       fleet_dice_happens(.05, world->options.seed, DICE_LIAR, probe->number, 0);
}

enum fleet_whereabouts fleet_people_where(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	uint64_t seed = world->options.seed, who = probe->number;
	int64_t day = fleet_people_day(world, probe->site, at_us);

	if (probe->role != OBS_ENDPOINT)
		return AT_OFFICE;
	if (fleet_world_has(world, NOISE_TRAVEL) &&
		fleet_dice_happens(.03, seed, DICE_TRAVEL, who, (uint64_t)(day / 3)))
		return ABROAD;
	if (fleet_world_has(world, NOISE_HOMES) &&
		fleet_dice_happens(.3, seed, DICE_HOME, who, (uint64_t)day))
		return AT_HOME;
	return AT_OFFICE;
}

/* Hours around the clock between two times of day. */
static double apart(double a, double b)
{
	double d = fabs(a - b);

	return fmin(d, 24 - d);
}

static double public_shape(double hour)
{
	return .2 + .65 * exp(-pow(apart(hour, 20.5) / 4, 2)) +
	       .35 * exp(-pow(apart(hour, 12.5) / 2.5, 2));
}

double fleet_people_rhythm(const struct fleet_world *world,
	const struct fleet_service *service, unsigned site, int64_t at_us)
{
	double hour = fleet_people_hour(world, site, at_us);
	int64_t day = fleet_people_day(world, site, at_us);

	switch (service->rhythm) {
	case RHYTHM_PUBLIC:
		return public_shape(hour) * (is_weekend(day) ? 1.15 : 1);
	case RHYTHM_STAFF:
		return .015 + .985 * fleet_people_share(world, site, at_us);
	case RHYTHM_MACHINE:
		return .95 + .05 * sin(hour / 12 * M_PI);
	case RHYTHM_BATCH:
		return hour >= 2 && hour < 4 ? 1 : .02;
	case RHYTHM_LOW:
		return .4 + .6 * public_shape(hour);
	}
	return 0;
}
