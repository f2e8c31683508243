/*
 * When people work, where they are, and how much they ask of a service: the rhythm of
 * ordinary days, with holidays, closed offices, leave, homes and travel.
 */
#ifndef FLEET_PEOPLE_H
#define FLEET_PEOPLE_H

#include "fleet_world.h"

enum fleet_whereabouts { AT_OFFICE, AT_HOME, ABROAD };

/* Local time at a site: hours since midnight, and the number of the day. */
double fleet_people_hour(const struct fleet_world *world, unsigned site, int64_t at_us);
/* Hours since the local week began, on Monday. */
double fleet_people_week_hour(
	const struct fleet_world *world, unsigned site, int64_t at_us);
int64_t fleet_people_day(const struct fleet_world *world, unsigned site, int64_t at_us);

/* The share of a site's staff that is at work, 0..1. */
double fleet_people_share(const struct fleet_world *world, unsigned site, int64_t at_us);
bool fleet_people_is_on(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us);
enum fleet_whereabouts fleet_people_where(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us);
/* Whether what it says is made up. */
bool fleet_people_lies(const struct fleet_world *world, const struct fleet_probe *probe);
/* How busy a service is at a site, 1 at the height of an ordinary day, without chance. */
double fleet_people_rhythm(const struct fleet_world *world,
	const struct fleet_service *service, unsigned site, int64_t at_us);

#endif
