/*
 * What was measured of each service at each site since the program began, as totals that
 * only grow: for a system that draws its own curves. Bounded; what finds no room is
 * counted.
 */
#ifndef ASTRAY_SERVICE_TOTALS_H
#define ASTRAY_SERVICE_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

#define SERVICE_TOTALS_MAX 1000
#define SERVICE_TOTALS_BUCKETS 15

extern const double service_totals_bounds_s[SERVICE_TOTALS_BUCKETS];

struct service_times {
	double counts[SERVICE_TOTALS_BUCKETS]; /* at most the bound: cumulative */
	double total, sum_s;
};

struct service_totals_row {
	char service[OBS_NAME], site[OBS_WORD];
	double connections, connection_failures, requests, responses, errors, retransmits;
	double checks, check_failures;
	struct service_times response, connect, check;
};

struct service_totals {
	size_t count;
	uint64_t refused;
	struct service_totals_row *rows; /* SERVICE_TOTALS_MAX */
};

int service_totals_open(struct service_totals *totals);
void service_totals_close(struct service_totals *totals);
void service_totals_add(
	struct service_totals *totals, const char *site, const struct obs *obs);

#endif
