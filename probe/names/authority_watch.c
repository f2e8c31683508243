#include "authority_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/status.h"
#include "authority_round.h"
#include "dns_name.h"
#include "round_timing.h"

/* TXT and CAA change rarely, and matter less. */
#define SLOW_TYPES_EVERY 5

struct authority_watch {
	struct authority_watch_order order;
	struct authority_round_order round; /* too large for a stack */
	uv_timer_t timer;
	unsigned rounds;
	bool busy;  /* a round is under way */
	bool again; /* the next is to follow at once */
	struct delegation delegation;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void begin_round(uv_timer_t *timer);

static void heard(void *arg, const struct dns_reply *reply)
{
	const struct authority_watch *watch = arg;

	watch->order.heard(watch->order.arg, reply);
}

static void followed(void *arg, const char *name, const struct dns_reply *reply)
{
	const struct authority_watch *watch = arg;

	watch->order.followed(watch->order.arg, name, reply);
}

static void round_done(void *arg)
{
	struct authority_watch *watch = arg;

	watch->busy = false;
	if (watch->closed)
		return;
	(void)uv_timer_start(&watch->timer, begin_round,
		watch->again ? 0 : round_timing_wait_ms(watch->order.interval_us, 0), 0);
	watch->again = false;
}

static void ask_for_hosts(struct authority_watch *watch, const struct service *service)
{
	for (unsigned i = 0; i < service->host_count; i++) {
		const char *host = service->hosts[i];

		if (host[0] == '*' || !dns_name_is_under(host, watch->order.zone))
			continue;
		authority_round_ask(&watch->round, host, DNS_A);
		authority_round_ask(&watch->round, host, DNS_AAAA);
	}
}

static void choose_questions(struct authority_watch *watch)
{
	static const enum dns_type every_time[] = {
		DNS_NS, DNS_SOA, DNS_MX, DNS_A, DNS_AAAA, DNS_TXT, DNS_CAA};
	const struct services *services = watch->order.services;
	size_t types = watch->rounds % SLOW_TYPES_EVERY == 0 ? 7 : 5;

	watch->round.question_count = 0;
	for (size_t i = 0; i < types; i++)
		authority_round_ask(&watch->round, watch->order.zone, every_time[i]);
	for (size_t i = 0; i < services->count; i++)
		if (strcmp(services->list[i].zone, watch->order.zone) == 0)
			ask_for_hosts(watch, &services->list[i]);
}

static void begin_round(uv_timer_t *timer)
{
	struct authority_watch *watch = timer->data;
	int rc;

	choose_questions(watch);
	watch->rounds++;
	watch->busy = true;
	rc = authority_round_start(&watch->round);
	if (rc == 0)
		return;
	log_warn(watch->order.log, "names", "%s: %s", watch->order.zone, status_text(rc));
	round_done(watch);
}

int authority_watch_open(
	struct authority_watch **out, const struct authority_watch_order *order)
{
	struct authority_watch *watch = calloc(1, sizeof(*watch));

	*out = watch;
	if (!watch)
		return -ENOMEM;
	watch->order = *order;
	watch->round = (struct authority_round_order){.client = order->client,
		.finder = order->finder,
		.delegation = &watch->delegation,
		.heard = heard,
		.followed = followed,
		.done = round_done,
		.arg = watch};
	memcpy(watch->round.zone, order->zone, strlen(order->zone) + 1);
	(void)uv_timer_init(order->loop, &watch->timer); /* never fails */
	watch->timer.data = watch;
	return 0;
}

void authority_watch_follow(
	struct authority_watch *watch, const struct delegation *delegation)
{
	watch->delegation = *delegation;
	watch->rounds = 0;
	if (watch->busy)
		watch->again = true;
	else
		(void)uv_timer_start(&watch->timer, begin_round, 0, 0);
}

static void timer_closed(uv_handle_t *handle)
{
	struct authority_watch *watch = handle->data;

	watch->closed(watch->closed_arg);
	free(watch);
}

void authority_watch_close(
	struct authority_watch *watch, void (*closed)(void *arg), void *arg)
{
	if (!watch)
		return;
	watch->closed = closed;
	watch->closed_arg = arg;
	uv_close((uv_handle_t *)&watch->timer, timer_closed);
}
