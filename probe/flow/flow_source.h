/*
 * The passive source: watches the services' traffic on an interface and emits one traffic
 * observation for each of them and every window. Needs CAP_NET_RAW, also later, when an
 * interface comes back; without it the kernel is asked for its TCP connections instead.
 */
#ifndef FLOW_FLOW_SOURCE_H
#define FLOW_FLOW_SOURCE_H

#include "source.h"

extern const struct source_kind flow_source;

#endif
