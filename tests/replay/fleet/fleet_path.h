/*
 * Paths through the world: which routers lie between a vantage and a service, how long
 * the light takes, and what a database says of where they stand. Writes trace
 * observations.
 */
#ifndef FLEET_PATH_H
#define FLEET_PATH_H

#include "fleet_people.h"
#include "fleet_trouble.h"

#define FLEET_PATH_HOPS 24

struct fleet_hop {
	uint32_t asn; /* 0: a private network */
	unsigned city, router;
	double rtt_us; /* by light and a little work */
};

struct fleet_path {
	unsigned count;
	struct fleet_hop hops[FLEET_PATH_HOPS]; /* the last is the destination */
};

struct fleet_vantage {
	const struct fleet_probe *probe;
	enum fleet_whereabouts where;
	unsigned city;
	uint32_t asn;
};

struct fleet_vantage fleet_path_vantage(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us);
/* The city where a service answers a vantage now. */
unsigned fleet_path_answer_city(const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us);
void fleet_path_build(struct fleet_path *path, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service, unsigned flow,
	const struct fleet_effect *effect, int64_t at_us);
/* The network that answers: a hijacker's where a hosted service was led away. */
uint32_t fleet_path_answer_asn(const struct fleet_world *world, unsigned service,
	const struct fleet_effect *effect);

struct address fleet_path_address(
	const struct fleet_world *world, uint32_t asn, unsigned city, unsigned router);
/* What the database of that day says of such an address. */
void fleet_path_place(struct place *place, const struct fleet_world *world, uint32_t asn,
	unsigned city, unsigned router, bool anycast, int64_t at_us);

void fleet_path_trace(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service, unsigned flow,
	const struct fleet_effect *effect, int64_t at_us);

#endif
