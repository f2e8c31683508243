/*
 * One run of `astray-probe trace`: traces every target, many at a time, once or in
 * rounds, and prints each as it ends, or shows on a terminal how all of them are.
 */
#ifndef TRACE_TRACE_RUN_H
#define TRACE_TRACE_RUN_H

#include <stdbool.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/obs.h"
#include "trace_output.h"
#include "trace_targets.h"

#define TRACE_RUN_ROUND_TARGETS 64 /* that are traced in rounds at once */

struct trace_run_order {
	const struct log *log;
	const struct trace_targets *targets;
	enum obs_protocol protocol;
	uint8_t family; /* 4, 6, or 0: either */
	uint16_t port, flow;
	unsigned max_ttl, queries;
	int64_t rate;                   /* packets a second, in all */
	int64_t host_rate, router_rate; /* to one destination, one router; 0: the same */
	bool all_paths, mtu, names;
	enum trace_form form;
	int64_t rounds; /* more than one: summed up as a table, or each printed */
	bool live;      /* shown on the terminal, until somebody ends it */
	bool colours;
	struct place here;              /* unlocated: nothing is judged by light */
	const char *geo_city, *geo_asn; /* or NULL */
};

/* An exit code of sysexits: EX_OK when all were traced, reached or not. What failed for
 * one target is logged and the others go on. */
int trace_run(const struct trace_run_order *order);

#endif
