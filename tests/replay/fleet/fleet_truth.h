/*
 * What is known beforehand of a fleet: the configuration that its operators would have
 * written, and the truth that a scorer holds pages against.
 */
#ifndef FLEET_TRUTH_H
#define FLEET_TRUTH_H

#include "astray/json.h"
#include "fleet_trouble.h"

/* The collector's configuration for such a fleet: {"services":[…]}. */
void fleet_truth_config(const struct fleet_world *world, struct json *into);
/* What a scorer needs to know of it: when judging begins and ends, and one row a trouble.
 */
void fleet_truth_write(const struct fleet_world *world,
	const struct fleet_troubles *troubles, struct json *into);

#endif
