/*
 * The kernel's filter, built from the services, so that other traffic never reaches the
 * process: their ports, or, for services that are named by addresses alone, those. Pure.
 * Source: pcap-filter(7).
 */
#ifndef FLOW_CAPTURE_FILTER_H
#define FLOW_CAPTURE_FILTER_H

#include <stddef.h>

#include "astray/services.h"

#define CAPTURE_FILTER_MAX 16384

/* Without services all TCP. Services too many for a filter get all TCP as well: the meter
 * knows them apart. Returns buf. */
const char *capture_filter_build(
	char buf[static CAPTURE_FILTER_MAX], const struct services *services);

#endif
