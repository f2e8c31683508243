/*
 * What is different between two traces of one flow to one host. Silence is no difference:
 * a hop that answers or not says nothing of the way. Pure.
 */
#ifndef TRACE_PATH_CHANGE_H
#define TRACE_PATH_CHANGE_H

#include <stdio.h>

#include "astray/obs.h"

/* Whether the two can be compared: protocol, port and flow are the same. */
bool path_change_comparable(const struct obs_trace *before, const struct obs_trace *now);
/* Writes one line for each difference; how many. */
unsigned path_change_print(
	FILE *out, const struct obs_trace *before, const struct obs_trace *now);

#endif
