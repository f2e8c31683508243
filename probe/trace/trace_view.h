/*
 * One trace as a table for people: a row for each hop, times in milliseconds.
 */
#ifndef TRACE_TRACE_VIEW_H
#define TRACE_TRACE_VIEW_H

#include <stdio.h>

#include "astray/obs.h"

void trace_view_print(FILE *out, const char *host, const struct obs_trace *trace);

#endif
