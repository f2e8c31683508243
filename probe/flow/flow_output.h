/*
 * Where the observations of `astray-probe flow` go: to standard output as lines of the
 * wire format, or added up for people, also with a line for each service and window as it
 * ends.
 */
#ifndef FLOW_FLOW_OUTPUT_H
#define FLOW_FLOW_OUTPUT_H

#include "astray/fault.h"
#include "traffic_sum.h"

struct flow_output;

enum flow_output_form {
	FLOW_OUTPUT_WIRE,  /* lines of the wire format */
	FLOW_OUTPUT_SUM,   /* nothing until the end */
	FLOW_OUTPUT_LINES, /* a line for every service that had traffic in a window */
};

int flow_output_new(struct flow_output **out, enum flow_output_form form);
void flow_output_free(struct flow_output *output);

/* An obs_emit_fn. */
void flow_output_take(void *output, const struct obs *obs);
/* What came so far, added up; NULL for the wire format. */
struct traffic_sum *flow_output_sum(struct flow_output *output);
/* Begins to add up anew. */
int flow_output_start_over(struct flow_output *output);
/* Writes out what waits. The first failure of writing stays. */
int flow_output_flush(struct flow_output *output, struct fault *fault);

#endif
