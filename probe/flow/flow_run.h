/*
 * One run of `astray-probe flow`: a capture file to its end, or live until it is ended.
 * Observations go to standard output, as a table or as lines of the wire format; what was
 * lost or left out goes to standard error.
 */
#ifndef FLOW_FLOW_RUN_H
#define FLOW_FLOW_RUN_H

#include <stdbool.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/services.h"

struct flow_order {
	const struct log *log;
	const char *file;       /* "-": standard input; or */
	const char *interfaces; /* live: "any", or names and patterns; or */
	bool kernel;            /* live, from the kernel's TCP connections */
	int buffer_bytes;       /* the kernel's ring for packets, of each interface */
	unsigned tunnels;       /* to look into: UNWRAP_GRE and others */
	const struct services *services;
	int64_t window_us;
	int64_t interval_us; /* how often a live view is shown anew */
	bool json, colour;
};

/* 0, or negative with the fault saying what broke; what was read before it has been
 * printed. */
int flow_run(const struct flow_order *order, struct fault *fault);

#endif
