#include "naming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/now.h"

/* Answers come in crowds: those of so long are looked at together. */
#define CROWD_MS 10

/* Only as many hops of an observation are kept as it has. */
struct waiting {
	struct waiting *next;
	naming_done_fn done;
	void *arg;
	struct tick until;
	size_t len;
	_Alignas(struct obs) unsigned char obs[];
};

struct naming {
	struct host_names *names;
	uv_timer_t timer;
	bool crowd; /* the timer waits for more answers */
	int64_t wait_us;
	unsigned limit, count;
	struct waiting *list, **end; /* in the order in which they came */
	struct obs *obs;             /* too large for a stack */
	struct naming_counts counts;
	unsigned closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* True once all names are known that will be. */
static bool fill_names(struct naming *naming, struct obs_trace *trace)
{
	bool all = true;

	for (unsigned i = 0; i < trace->hop_count; i++) {
		struct obs_hop *hop = &trace->hops[i];
		bool settled;

		if (!hop->answered)
			continue;
		(void)snprintf(hop->name, sizeof(hop->name), "%s",
			host_names_of(
				naming->names, &hop->address, now_tick(), &settled));
		all &= settled;
	}
	return all;
}

static struct waiting *take_first(struct naming *naming)
{
	struct waiting *first = naming->list;

	naming->list = first->next;
	if (!naming->list)
		naming->end = &naming->list;
	naming->count--;
	return first;
}

static void append(struct naming *naming, struct waiting *waiting)
{
	waiting->next = NULL;
	*naming->end = waiting;
	naming->end = &waiting->next;
	naming->count++;
}

static void timer_fired(uv_timer_t *timer);

/* For when the first of them has waited long enough. */
static void arm_timer(struct naming *naming)
{
	int64_t first_us = INT64_MAX, wait_us;

	if (naming->closing)
		return;
	naming->crowd = false;
	(void)uv_timer_stop(&naming->timer);
	for (const struct waiting *at = naming->list; at; at = at->next)
		if (at->until.us < first_us)
			first_us = at->until.us;
	if (!naming->list)
		return;
	wait_us = first_us - now_tick().us;
	(void)uv_timer_start(&naming->timer, timer_fired,
		wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0, 0);
}

/* Whoever is called may add others, which join behind. */
static void look(struct naming *naming)
{
	for (unsigned left = naming->count; left > 0 && !naming->closing; left--) {
		struct waiting *waiting = take_first(naming);
		bool all;

		memcpy(naming->obs, waiting->obs, waiting->len);
		all = fill_names(naming, &naming->obs->trace);
		if (!all && tick_since_us(now_tick(), waiting->until) < 0) {
			append(naming, waiting);
			continue;
		}
		if (!all)
			naming->counts.late++;
		waiting->done(waiting->arg, naming->obs);
		free(waiting);
	}
	arm_timer(naming);
}

static void timer_fired(uv_timer_t *timer)
{
	look(timer->data);
}

static void names_came(void *arg)
{
	struct naming *naming = arg;

	if (naming->crowd || !naming->list)
		return;
	naming->crowd = true;
	(void)uv_timer_start(&naming->timer, timer_fired, CROWD_MS, 0);
}

int naming_open(struct naming **out, struct uv_loop_s *loop,
	const struct dns_endpoint *resolver, int64_t wait_us, unsigned limit)
{
	struct naming *naming = calloc(1, sizeof(*naming));
	int rc = -ENOMEM;

	*out = NULL;
	if (!naming)
		return rc;
	naming->wait_us = wait_us;
	naming->limit = limit;
	naming->end = &naming->list;
	naming->obs = malloc(sizeof(*naming->obs));
	if (naming->obs)
		rc = host_names_open(&naming->names, loop, resolver, names_came, naming);
	if (rc) {
		free(naming->obs);
		free(naming);
		return rc;
	}
	(void)uv_timer_init(loop, &naming->timer); /* does not fail */
	naming->timer.data = naming;
	*out = naming;
	return 0;
}

static void part_gone(struct naming *naming)
{
	if (--naming->closing > 0)
		return;
	while (naming->list)
		free(take_first(naming));
	if (naming->closed)
		naming->closed(naming->closed_arg);
	free(naming->obs);
	free(naming);
}

static void timer_gone(uv_handle_t *handle)
{
	part_gone(handle->data);
}

static void names_gone(void *arg)
{
	part_gone(arg);
}

void naming_close(struct naming *naming, void (*closed)(void *arg), void *arg)
{
	if (!naming)
		return;
	naming->closed = closed;
	naming->closed_arg = arg;
	naming->closing = 2;
	uv_close((uv_handle_t *)&naming->timer, timer_gone);
	host_names_close(naming->names, names_gone, naming);
}

/* False: it cannot wait. */
static bool keep(
	struct naming *naming, const struct obs *trace, naming_done_fn done, void *arg)
{
	size_t len = obs_held_bytes(trace);
	struct waiting *waiting =
		naming->count < naming->limit ? malloc(sizeof(*waiting) + len) : NULL;

	if (!waiting)
		return false;
	waiting->done = done;
	waiting->arg = arg;
	waiting->until.us = now_tick().us + naming->wait_us;
	waiting->len = len;
	memcpy(waiting->obs, trace, len);
	append(naming, waiting);
	return true;
}

void naming_add(struct naming *naming, struct obs *trace, naming_done_fn done, void *arg)
{
	if (fill_names(naming, &trace->trace)) {
		done(arg, trace);
	} else if (keep(naming, trace, done, arg)) {
		if (!naming->crowd)
			arm_timer(naming);
	} else {
		naming->counts.full++;
		done(arg, trace);
	}
}

struct naming_counts naming_count(const struct naming *naming)
{
	struct naming_counts counts = naming->counts;

	counts.unkept = host_names_dropped(naming->names);
	return counts;
}
