/*
 * What a fan found, as observations: one for each of a few flows, which together crossed
 * every router and link. A hop that a flow was not asked about stands there unsent.
 */
#ifndef TRACE_FAN_RECORD_H
#define TRACE_FAN_RECORD_H

#include "fan.h"
#include "trace_record.h"

struct geo;

/* Marks the flows of which the records are made; how many. */
unsigned fan_record_choose(const struct fan *fan, bool chosen[static FAN_FLOWS]);
void fan_record_fill(struct obs *obs, struct moment at, const char *service,
	const struct trace_order *order, const struct fan *fan, unsigned flow,
	const struct geo *geo, const struct place *here);

#endif
