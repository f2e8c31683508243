/*
 * What happens once in the life of a fleet and is nobody's trouble: an office changes its
 * provider, a gateway its name, a new version of the probe counts otherwise, a service is
 * given up by those who use it, an office switches its gateway off at weekends. In every
 * second world each.
 */
#ifndef FLEET_CHANGE_H
#define FLEET_CHANGE_H

#include "fleet_world.h"

/* The network by which a site goes out. */
uint32_t fleet_change_asn(const struct fleet_world *world, unsigned site, int64_t at_us);
/* A gateway that was replaced has another name. */
bool fleet_change_is_renamed(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us);
/* The part of the requests that its version counts. */
double fleet_change_counted(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us);
/* The part of its users that a service still has. */
double fleet_change_users(
	const struct fleet_world *world, unsigned service, int64_t at_us);
/* Whether the gateway is off over the weekend, by a clock that counts the hours of a
 * local week. */
bool fleet_change_is_dark(
	const struct fleet_world *world, const struct fleet_probe *probe, double hour);

#endif
