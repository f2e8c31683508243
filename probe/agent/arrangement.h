/*
 * What is being measured, and how it becomes something else: the sources of a plan run,
 * with the databases of places that they look into; a new plan starts once the sources of
 * the last have stopped. Of several plans that come meanwhile the last one counts.
 */
#ifndef ASTRAY_ARRANGEMENT_H
#define ASTRAY_ARRANGEMENT_H

#include "agent_config.h"
#include "measure_plan.h"
#include "source_set.h"

struct uv_loop_s;
struct arrangement;

struct arrangement_order {
	struct uv_loop_s *loop;
	const struct log *log;
	const struct source_kind *const *kinds;
	obs_emit_fn emit;
	void *emit_arg;
};

int arrangement_new(struct arrangement **out, const struct arrangement_order *order);
/* Takes over the plan; databases and standing place are copied from the configuration. */
void arrangement_change(struct arrangement *arrangement, struct measure_plan *plan,
	const struct agent_config *config);
/* Opens databases anew that were replaced on disk. True: they are there for the first
 * time, and the plan should be given again so that sources use them. */
bool arrangement_look_after_geo(struct arrangement *arrangement);

void arrangement_report(const struct arrangement *arrangement, struct obs_health *health);
void arrangement_count(
	const struct arrangement *arrangement, unsigned *running, unsigned *wanted);

/* Stops what runs; `stopped` is called, perhaps at once, when nothing is left but to free
 * it. */
void arrangement_stop(
	struct arrangement *arrangement, void (*stopped)(void *arg), void *arg);
void arrangement_free(
	struct arrangement *arrangement); /* stopped, or never changed; NULL is fine */

#endif
