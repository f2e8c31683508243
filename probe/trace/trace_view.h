/*
 * One trace as a table for people: a row for each hop, times in milliseconds.
 */
#ifndef TRACE_TRACE_VIEW_H
#define TRACE_TRACE_VIEW_H

#include <stdio.h>

#include "astray/obs.h"

void trace_view_print(FILE *out, const char *host, const struct obs_trace *trace);
/* One line for each hop: host, peer, protocol, port, flow, at_us, ttl, address, name,
 * sent, answered, rtt_us, asn, country, city, source, verdict. */
void trace_view_print_csv(
	FILE *out, const char *host, struct moment at, const struct obs_trace *trace);

#endif
