/*
 * `astray-probe flow` live: from interfaces or the kernel's TCP connections, until ^C, a
 * signal or the key q. On a terminal a view is shown anew in its place; otherwise a line
 * is printed for each service and window; with json, observations.
 */
#ifndef FLOW_FLOW_LIVE_H
#define FLOW_FLOW_LIVE_H

#include "flow_run.h"

int flow_live_run(const struct flow_order *order, struct fault *fault);

#endif
