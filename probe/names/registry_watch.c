#include "registry_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "astray/suffix.h"
#include "registry_client.h"
#include "round_timing.h"

#define SERVERS_INTERVAL_US (6 * MOMENT_HOUR_US)
#define HURRY_MIN_US (20 * MOMENT_SECOND_US)

struct subject {
	char domain[OBS_NAME];
	int64_t interval_us;
	struct tick due, asked;
	bool was_asked, complained, hurried;
};

struct registry_watch {
	struct registry_watch_order order;
	struct registry_client *client;
	uv_timer_t timer;
	unsigned count;
	bool full;               /* said once */
	struct subject *current; /* asked for just now */
	struct subject subjects[REGISTRY_WATCH_DOMAINS];
	void (*closed)(void *arg);
	void *closed_arg;
};

static void turn_due(uv_timer_t *timer);

static struct subject *next_subject(struct registry_watch *watch)
{
	struct subject *next = NULL;

	for (unsigned i = 0; i < watch->count; i++)
		if (!next || watch->subjects[i].due.us < next->due.us)
			next = &watch->subjects[i];
	return next;
}

static void wait_for_next(struct registry_watch *watch)
{
	const struct subject *next = next_subject(watch);
	int64_t wait_us;

	if (!next || watch->current || watch->closed)
		return;
	wait_us = tick_since_us(next->due, now_tick());
	(void)uv_timer_start(&watch->timer, turn_due,
		wait_us > 0 ? (uint64_t)wait_us / 1000 + 1 : 0, 0);
}

static void put_off(struct subject *subject, int64_t wait_us)
{
	int64_t jittered_us =
		(int64_t)round_timing_wait_ms(subject->interval_us, 0) * 1000;

	if (subject->hurried && wait_us < HURRY_MIN_US)
		jittered_us = HURRY_MIN_US;
	subject->hurried = false;
	subject->due.us = now_tick().us + (wait_us > jittered_us ? wait_us : jittered_us);
}

static void domain_told(void *arg, int rc, const struct obs *obs, int64_t wait_us,
	const struct fault *fault)
{
	struct registry_watch *watch = arg;
	struct subject *subject = watch->current;
	char text[1024];

	if (rc == -ECANCELED)
		return;
	watch->current = NULL;
	put_off(subject, wait_us);
	if (rc == 0)
		watch->order.heard(watch->order.arg, obs);
	else if (!subject->complained)
		log_warn(watch->order.log, "names",
			"registry of %s: %s; asked again later", subject->domain,
			fault_text(fault, text, sizeof(text)));
	subject->complained = rc != 0;
	wait_for_next(watch);
}

static void turn_due(uv_timer_t *timer)
{
	struct registry_watch *watch = timer->data;
	struct subject *subject = next_subject(watch);
	int rc;

	if (!subject)
		return;
	watch->current = subject;
	subject->asked = now_tick();
	subject->was_asked = true;
	rc = registry_client_ask(watch->client, subject->domain, domain_told, watch);
	if (rc == 0)
		return;
	log_warn(watch->order.log, "names", "registry of %s: %s", subject->domain,
		status_text(rc));
	watch->current = NULL;
	put_off(subject, 0);
	wait_for_next(watch);
}

int registry_watch_open(
	struct registry_watch **out, const struct registry_watch_order *order)
{
	struct registry_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	*out = NULL;
	if (!watch)
		return -ENOMEM;
	watch->order = *order;
	rc = registry_client_open(
		&watch->client, order->loop, order->base, order->bootstrap);
	if (rc) {
		free(watch);
		return rc;
	}
	(void)uv_timer_init(order->loop, &watch->timer); /* never fails */
	watch->timer.data = watch;
	*out = watch;
	return 0;
}

static struct subject *find(struct registry_watch *watch, const char *name)
{
	char domain[OBS_NAME];

	if (suffix_registrable(domain, name))
		return NULL;
	for (unsigned i = 0; i < watch->count; i++)
		if (strcmp(watch->subjects[i].domain, domain) == 0)
			return &watch->subjects[i];
	return NULL;
}

void registry_watch_follow(struct registry_watch *watch, const char *name, bool zone)
{
	struct subject *subject = find(watch, name);
	char domain[OBS_NAME];

	if (subject || suffix_registrable(domain, name))
		return;
	if (watch->count == REGISTRY_WATCH_DOMAINS) {
		if (!watch->full)
			log_warn(watch->order.log, "names",
				"more than %d domains: the registry of %s is not asked",
				REGISTRY_WATCH_DOMAINS, domain);
		watch->full = true;
		return;
	}
	subject = &watch->subjects[watch->count++];
	*subject = (struct subject){
		.interval_us = zone ? watch->order.interval_us : SERVERS_INTERVAL_US};
	memcpy(subject->domain, domain, sizeof(domain));
	subject->due.us = now_tick().us +
			  (int64_t)round_timing_first_ms(watch->order.interval_us) * 1000;
	wait_for_next(watch);
}

void registry_watch_hurry(struct registry_watch *watch, const char *name)
{
	struct subject *subject = find(watch, name);

	if (!subject)
		return;
	subject->hurried =
		subject == watch->current; /* its answer may be the one before */
	if (subject->hurried)
		return;
	subject->due = now_tick();
	if (subject->was_asked &&
		tick_since_us(subject->due, subject->asked) < HURRY_MIN_US)
		subject->due.us = subject->asked.us + HURRY_MIN_US;
	wait_for_next(watch);
}

static void timer_closed(uv_handle_t *handle)
{
	struct registry_watch *watch = handle->data;

	watch->closed(watch->closed_arg);
	free(watch);
}

void registry_watch_close(
	struct registry_watch *watch, void (*closed)(void *arg), void *arg)
{
	if (!watch)
		return;
	watch->closed = closed;
	watch->closed_arg = arg;
	registry_client_close(watch->client);
	uv_close((uv_handle_t *)&watch->timer, timer_closed);
}
