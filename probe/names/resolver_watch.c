#include "resolver_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/status.h"
#include "resolver_ask.h"
#include "round_timing.h"

/* One service, as the argument of its callbacks. */
struct watched {
	struct resolver_watch *watch;
	const struct service *service;
	unsigned pending; /* questions of the last round that are under way */
};

struct resolver_watch {
	struct resolver_watch_order order;
	uv_timer_t timer;
	bool machines; /* the resolvers are those of resolv.conf */
	void (*closed)(void *arg);
	void *closed_arg;
	struct watched services[];
};

static void heard(void *arg, const struct dns_reply *reply)
{
	const struct watched *watched = arg;
	const struct resolver_watch_order *order = &watched->watch->order;

	order->heard(order->arg, watched->service, reply);
}

static void question_done(void *arg)
{
	struct watched *watched = arg;

	watched->pending--;
}

static void ask(struct watched *watched, const char *name, enum dns_type type)
{
	const struct resolver_watch_order *own = &watched->watch->order;
	struct resolver_ask_order order = {.client = own->client,
		.type = (uint16_t)type,
		.resolver_count = own->resolver_count,
		.heard = heard,
		.done = question_done,
		.arg = watched};
	int rc;

	memcpy(order.resolvers, own->resolvers, sizeof(order.resolvers));
	(void)snprintf(order.name, sizeof(order.name), "%s", name);
	rc = resolver_ask(&order);
	if (rc)
		log_warn(own->log, "names", "%s: cannot be asked for: %s", name,
			status_text(rc));
	else
		watched->pending++;
}

static void ask_all(struct watched *watched)
{
	const struct service *service = watched->service;

	for (unsigned i = 0; i < service->host_count; i++) {
		if (service->hosts[i][0] == '*')
			continue;
		ask(watched, service->hosts[i], DNS_A);
		ask(watched, service->hosts[i], DNS_AAAA);
	}
	if (service->zone[0])
		ask(watched, service->zone, DNS_MX);
}

static void look_for_resolvers(struct resolver_watch *watch)
{
	int count = dns_client_resolvers(watch->order.resolvers);

	watch->order.resolver_count = count > 0 ? (unsigned)count : 0;
	if (count < 0)
		log_warn(
			watch->order.log, "names", "resolv.conf: %s", status_text(count));
}

static void begin_round(uv_timer_t *timer)
{
	struct resolver_watch *watch = timer->data;
	const struct services *services = watch->order.services;

	if (watch->machines)
		look_for_resolvers(watch);
	for (size_t i = 0; watch->order.resolver_count && i < services->count; i++)
		if (watch->services[i].pending == 0)
			ask_all(&watch->services[i]);
	(void)uv_timer_start(&watch->timer, begin_round,
		round_timing_wait_ms(watch->order.interval_us, 0), 0);
}

int resolver_watch_open(
	struct resolver_watch **out, const struct resolver_watch_order *order)
{
	size_t count = order->services->count;
	struct resolver_watch *watch =
		calloc(1, sizeof(*watch) + count * sizeof(watch->services[0]));

	*out = watch;
	if (!watch)
		return -ENOMEM;
	watch->order = *order;
	watch->machines = order->resolver_count == 0;
	for (size_t i = 0; i < count; i++)
		watch->services[i] = (struct watched){
			.watch = watch, .service = &order->services->list[i]};
	(void)uv_timer_init(order->loop, &watch->timer); /* never fails */
	watch->timer.data = watch;
	(void)uv_timer_start(
		&watch->timer, begin_round, round_timing_first_ms(order->interval_us), 0);
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	struct resolver_watch *watch = handle->data;

	watch->closed(watch->closed_arg);
	free(watch);
}

void resolver_watch_close(
	struct resolver_watch *watch, void (*closed)(void *arg), void *arg)
{
	if (!watch)
		return;
	watch->closed = closed;
	watch->closed_arg = arg;
	uv_close((uv_handle_t *)&watch->timer, timer_closed);
}
