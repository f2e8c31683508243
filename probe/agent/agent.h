/*
 * A probe that runs: sources measure, what they emit goes through the uplink, and the
 * agent says who it is (hello, at the start and in each network that it joins) and how it
 * is (health, every minute). SIGHUP reads the configuration again, a bad one leaves the
 * old in force. SIGTERM and SIGINT put what is there into the spool, and end.
 */
#ifndef ASTRAY_AGENT_H
#define ASTRAY_AGENT_H

#include <stdbool.h>

#include "agent_config.h"

struct agent_order {
	struct agent_config *config; /* taken over */
	const struct source_kind *const *kinds;
	struct log *log; /* its level and format follow the configuration */
	bool print; /* on standard output, one line each, what would be sent; nothing is
		       sent */
};

/* Returns when it was told to end: an exit code. */
int agent_run(const struct agent_order *order);

#endif
