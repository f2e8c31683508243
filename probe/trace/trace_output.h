/*
 * What a run of `astray-probe trace` says on standard output: each trace as a table, a
 * line of the wire format or lines of CSV, and for people what changed since the last.
 */
#ifndef TRACE_TRACE_OUTPUT_H
#define TRACE_TRACE_OUTPUT_H

#include "astray/obs.h"
#include "tracer.h"

struct geo;
struct trace_output;

enum trace_form { TRACE_TABLE, TRACE_JSON, TRACE_CSV };

int trace_output_open(struct trace_output **out, enum trace_form form);
void trace_output_close(struct trace_output *output); /* NULL is fine */

/* What follows may wait until this is called. 0, or negative: it could not be written. */
int trace_output_flush(struct trace_output *output);
int trace_output_trace(
	struct trace_output *output, const char *host, const struct obs *obs);
/* All paths of a result that has a fan; service as in observations. */
int trace_output_fan(struct trace_output *output, const char *host, const char *service,
	const struct tracer_result *result, const struct geo *geo,
	const struct place *here);
/* To people, what is different from the last trace to that host that was remembered; this
 * one is remembered in its place. Machines compare for themselves. */
void trace_output_changes(
	struct trace_output *output, const char *host, const struct obs *obs);

#endif
