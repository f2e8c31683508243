/*
 * All paths to a destination, drawn for people: one line for each router, those of one
 * TTL in a bracket, with the share of the flows and where these went next.
 */
#ifndef TRACE_FAN_VIEW_H
#define TRACE_FAN_VIEW_H

#include <stdio.h>

#include "fan.h"
#include "trace_record.h"

void fan_view_print(FILE *out, const char *host, const struct trace_order *order,
	const struct fan *fan);

#endif
