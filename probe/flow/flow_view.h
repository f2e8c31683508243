/*
 * What was seen of traffic, as a table for people: one row a service, times as p50, p90
 * and p99 in milliseconds; and what was not seen, in words.
 */
#ifndef FLOW_FLOW_VIEW_H
#define FLOW_FLOW_VIEW_H

#include <stdio.h>

#include "meter.h"
#include "socket_watch.h"
#include "traffic_sum.h"

struct flow_view_style {
	unsigned columns, rows; /* of the screen; 0: as many as it takes */
	bool colour;
};

void flow_view_table(
	FILE *out, struct traffic_sum *sum, const struct flow_view_style *style);
/* One line for a service's window that had any traffic: its time, and what the table has.
 */
void flow_view_window(FILE *out, const struct obs *obs);
/* One line of how much was read, and one for each thing that was left out. */
void flow_view_counts(FILE *out, const struct meter_counts *counts);
/* Only the latter. */
void flow_view_losses(FILE *out, const struct meter_counts *counts);
void flow_view_socket_losses(FILE *out, const struct socket_watch_counts *counts);

#endif
