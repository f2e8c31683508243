/*
 * One run of `astray-probe trace`: traces every target once, many at a time, and prints
 * each as it ends, as a table or as a line of the wire format.
 */
#ifndef TRACE_TRACE_RUN_H
#define TRACE_TRACE_RUN_H

#include <stdbool.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/obs.h"
#include "trace_targets.h"

enum trace_run_form { TRACE_RUN_TABLE, TRACE_RUN_JSON, TRACE_RUN_CSV };

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
	enum trace_run_form form;
	int64_t rounds;                 /* more than one: a summary, of one target */
	bool live, colours;             /* drawn again after each round */
	struct place here;              /* unlocated: nothing is judged by light */
	const char *geo_city, *geo_asn; /* or NULL */
};

/* An exit code of sysexits: EX_OK when all were traced, reached or not. What failed for
 * one target is logged and the others go on. */
int trace_run(const struct trace_run_order *order);

#endif
