#include "source_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/moment.h"
#include "astray/status.h"

#define RETRY_MS (uint64_t)(MOMENT_MINUTE_US / 1000)

struct slot {
	void *running;  /* the source's own; NULL: it does not run */
	char said[256]; /* why it did not start, as it was last logged */
};

struct source_set {
	const struct source_kind *const *kinds;
	struct measure_plan *plan;
	struct source_env env;
	uv_timer_t retry;
	struct slot slots[MEASURE_PLAN_SOURCES];
	unsigned closing; /* parts that are still to go */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static void say_not_started(
	struct source_set *set, unsigned at, const struct fault *fault)
{
	struct slot *slot = &set->slots[at];
	char text[sizeof(slot->said)];

	(void)fault_text(fault, text, sizeof(text));
	if (strcmp(text, slot->said) == 0)
		return;
	(void)strcpy(slot->said, text);
	log_warn(set->env.log, "source",
		"%s does not run: %s; the others go on, and it is tried again every "
		"minute",
		set->kinds[at]->name, text);
}

static void start_slot(struct source_set *set, unsigned at)
{
	struct fault fault = {0};
	int rc = set->kinds[at]->start(
		&set->slots[at].running, &set->env, set->plan->settings[at], &fault);

	if (rc == 0) {
		log_info(set->env.log, "source", "%s runs", set->kinds[at]->name);
		return;
	}
	set->slots[at].running = NULL;
	if (!fault.why[0])
		(void)fault_at(&fault, rc, "", "%s", status_text(rc));
	say_not_started(set, at, &fault);
}

static void start_missing(uv_timer_t *timer)
{
	struct source_set *set = timer->data;

	for (unsigned i = 0; set->kinds[i]; i++)
		if (set->plan->settings[i] && !set->slots[i].running)
			start_slot(set, i);
}

int source_set_start(struct source_set **out, const struct source_kind *const *kinds,
	struct measure_plan *plan, const struct source_env *env)
{
	struct source_set *set = calloc(1, sizeof(*set));

	*out = NULL;
	if (!set) {
		measure_plan_free(plan);
		return -ENOMEM;
	}
	set->kinds = kinds;
	set->plan = plan;
	set->env = *env;
	set->env.services = &plan->services;
	(void)uv_timer_init(env->loop, &set->retry);
	set->retry.data = set;
	(void)uv_timer_start(&set->retry, start_missing, RETRY_MS, RETRY_MS);
	start_missing(&set->retry);
	*out = set;
	return 0;
}

/* The timer goes last, from the loop: a source may still be on its way out of the call in
 * which it said that it has stopped, and what it looks at must be there. */
static void timer_closed(uv_handle_t *handle)
{
	struct source_set *set = handle->data;

	measure_plan_free(set->plan);
	set->stopped(set->stopped_arg);
	free(set);
}

static void part_gone(void *arg)
{
	struct source_set *set = arg;

	if (--set->closing == 0)
		uv_close((uv_handle_t *)&set->retry, timer_closed);
}

void source_set_stop(struct source_set *set, void (*stopped)(void *arg), void *arg)
{
	set->stopped = stopped;
	set->stopped_arg = arg;
	set->closing = 1;
	(void)uv_timer_stop(&set->retry);
	for (unsigned i = 0; set->kinds[i]; i++) {
		if (!set->slots[i].running)
			continue;
		set->closing++;
		set->kinds[i]->stop(set->slots[i].running, part_gone, set);
		set->slots[i].running = NULL;
	}
	part_gone(set);
}

void source_set_report(const struct source_set *set, struct obs_health *health)
{
	for (unsigned i = 0; set->kinds[i]; i++)
		if (set->slots[i].running && set->kinds[i]->report)
			set->kinds[i]->report(set->slots[i].running, health);
}

void source_set_count(const struct source_set *set, unsigned *running, unsigned *wanted)
{
	*running = *wanted = 0;
	for (unsigned i = 0; set->kinds[i]; i++) {
		*wanted += set->plan->settings[i] != NULL;
		*running += set->slots[i].running != NULL;
	}
}
