/*
 * What gateways and laptops count, and what checks find: requests, failures, response
 * times of one slot.
 */
#ifndef FLEET_TRAFFIC_H
#define FLEET_TRAFFIC_H

#include "fleet_path.h"

/* Work that an operator announced: no trouble, whatever it looks like. */
struct fleet_work {
	bool announced_now; /* this slot carries the announcement */
	bool running;
	int64_t from_us, until_us;
};
struct fleet_work fleet_traffic_work(
	const struct fleet_world *world, unsigned service, int64_t at_us);

void fleet_traffic_gateway(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us);
/* False when this laptop asked nothing of it. */
bool fleet_traffic_endpoint(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us);
void fleet_traffic_check(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us);

#endif
