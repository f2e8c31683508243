/*
 * What was heard of one zone, in the order in which it was heard: the material of the
 * table and of the verdict. Pure.
 */
#ifndef NAMES_NAMES_REPORT_H
#define NAMES_NAMES_REPORT_H

#include <stddef.h>

#include "astray/obs.h"

#define NAMES_REPORT_ANSWERS 1024

struct names_report {
	char zone[OBS_NAME];
	char parent[OBS_NAME]; /* the zone that delegates it; the root is "" */
	bool registry_told;
	struct obs_registry registry;
	char registry_why[256]; /* it was not told; "": it was not asked */
	size_t count, left_out;
	struct obs_dns **answers;
};

/* Copies. What finds no room is counted. */
int names_report_add(struct names_report *report, const struct obs_dns *answer);
/* By role, name, type and server. */
void names_report_sort(struct names_report *report);
void names_report_free(struct names_report *report);

#endif
