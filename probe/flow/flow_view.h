/*
 * What was seen of traffic, as a table for people: one row a service, times as p50, p90
 * and p99 in milliseconds; and what was not seen, in words.
 */
#ifndef FLOW_FLOW_VIEW_H
#define FLOW_FLOW_VIEW_H

#include <stdio.h>

#include "meter.h"
#include "traffic_sum.h"

void flow_view_table(FILE *out, struct traffic_sum *sum);
/* One line of how much was read, and one for each thing that was left out. */
void flow_view_counts(FILE *out, const struct meter_counts *counts);
/* Only the latter. */
void flow_view_losses(FILE *out, const struct meter_counts *counts);

#endif
