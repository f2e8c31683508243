/*
 * Traffic observations of many windows added up by service, for people who ask about a
 * whole file or about all that was seen so far. Pure.
 */
#ifndef FLOW_TRAFFIC_SUM_H
#define FLOW_TRAFFIC_SUM_H

#include <stddef.h>

#include "astray/obs.h"

struct traffic_sum;

int traffic_sum_new(struct traffic_sum **out, size_t limit);
void traffic_sum_free(struct traffic_sum *sum);

/* Adds one window; false when its service is one too many. */
bool traffic_sum_add(struct traffic_sum *sum, const struct obs_traffic *traffic);
/* The services, those with most requests first; window_us is what all windows covered. */
size_t traffic_sum_count(const struct traffic_sum *sum);
const struct obs_traffic *traffic_sum_at(struct traffic_sum *sum, size_t place);

#endif
