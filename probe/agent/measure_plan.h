/*
 * What to measure: the services, and the settings of each source that is wanted. The
 * probe's own configuration wins over what the collector assigned, section by section
 * ("services", "sources"). A plan stands by itself: the texts that it was read from may
 * go.
 */
#ifndef ASTRAY_MEASURE_PLAN_H
#define ASTRAY_MEASURE_PLAN_H

#include <stdbool.h>

#include "astray/fault.h"
#include "astray/services.h"
#include "source.h"

#define MEASURE_PLAN_SOURCES 16

struct measure_plan {
	struct services services;
	void *settings[MEASURE_PLAN_SOURCES]; /* by the table's rows; NULL: not wanted */
	struct json_doc *own, *assigned;      /* settings may point into them */
};

/* `kinds` ends with NULL. `own` is the configuration file's text; `assigned` the
 * collector's, or NULL. Both are read strictly; the fault's input says which one is
 * wrong. */
int measure_plan_new(struct measure_plan **out, const struct source_kind *const *kinds,
	const char *own, const char *assigned, struct fault *fault);
void measure_plan_free(struct measure_plan *plan); /* NULL is fine */

/* Nothing would be measured. */
bool measure_plan_is_empty(const struct measure_plan *plan);

#endif
