/*
 * A fleet: the world and its troubles, measured slot by slot, as the recorded stream that
 * a collector would have made of it, telemetry's own troubles included. The same options
 * give the same stream, line by line.
 */
#ifndef FLEET_H
#define FLEET_H

#include "astray/wire.h"
#include "fleet_trouble.h"

typedef int (*fleet_emit_fn)(
	void *arg, const struct wire_origin *origin, const struct obs *obs);

/* Stops, and returns what emit returned, when that is not 0. */
int fleet_run(const struct fleet_world *world, const struct fleet_troubles *troubles,
	fleet_emit_fn emit, void *arg);

#endif
