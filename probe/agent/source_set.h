/*
 * The sources of a plan, running. One that cannot start leaves the others alone: the log
 * says why and what to do, and it is tried again every minute.
 */
#ifndef ASTRAY_SOURCE_SET_H
#define ASTRAY_SOURCE_SET_H

#include "measure_plan.h"
#include "source.h"

struct source_set;

/* Takes over the plan. Of `env`, services are the plan's; the rest must outlive the set.
 */
int source_set_start(struct source_set **out, const struct source_kind *const *kinds,
	struct measure_plan *plan, const struct source_env *env);
/* `stopped` is called from the loop once nothing is left. */
void source_set_stop(struct source_set *set, void (*stopped)(void *arg), void *arg);

void source_set_report(const struct source_set *set, struct obs_health *health);
/* How many run, and how many should. */
void source_set_count(const struct source_set *set, unsigned *running, unsigned *wanted);

#endif
