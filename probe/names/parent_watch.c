#include "parent_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "parent_ask.h"
#include "round_timing.h"

#define AGAIN_US (10 * MOMENT_SECOND_US)
#define TRIES 2 /* servers that are asked in a round while they are silent */
#define SILENT_ROUNDS 3
#define HELD_MAX 2
#define PARENT_KEPT_US MOMENT_DAY_US

struct parent_watch {
	struct parent_watch_order order;
	uv_timer_t timer;
	bool tcp, closing;
	struct zone_cut parent;
	struct tick parent_found;
	unsigned turn;    /* which server is next */
	unsigned current; /* which was asked */
	unsigned tries_left, silent_rounds;
	struct belief belief;
	unsigned held_count;
	struct delegation_word held[HELD_MAX]; /* not yet clear whether to be believed */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void begin_round(uv_timer_t *timer);

static void rest_for(struct parent_watch *watch, uint64_t ms)
{
	if (!watch->closing)
		(void)uv_timer_start(&watch->timer, begin_round, ms, 0);
}

static void end_round(struct parent_watch *watch)
{
	rest_for(watch, round_timing_wait_ms(watch->order.interval_us,
				watch->silent_rounds / SILENT_ROUNDS));
}

static void say_held(struct parent_watch *watch)
{
	for (unsigned i = 0; i < watch->held_count; i++)
		watch->order.heard(watch->order.arg, &watch->held[i]);
	watch->held_count = 0;
}

static void say_event(struct parent_watch *watch, const struct delegation_word *word)
{
	const struct log *log = watch->order.log;
	const struct belief *belief = &watch->belief;
	char changes[DELEGATION_TEXT], server[DNS_ENDPOINT_TEXT];

	(void)dns_endpoint_text(&word->server, server);
	switch (belief->event) {
	case BELIEF_NOTHING:
		return;
	case BELIEF_BEGUN:
		break;
	case BELIEF_CHANGED:
		log_warn(log, "names", "%s: the delegation changed: %s",
			watch->order.zone,
			delegation_changes_text(
				&belief->before, &belief->believed, changes));
		break;
	case BELIEF_REFUTED:
		log_warn(log, "names",
			"%s: %s told another delegation over UDP than over TCP: the "
			"first is "
			"dropped",
			watch->order.zone, server);
		watch->held_count = 0;
		return;
	case BELIEF_SPREADING:
		log_warn(log, "names",
			"%s: one server tells a change that others do not: %s",
			watch->order.zone,
			delegation_changes_text(
				&belief->believed, &belief->candidate, changes));
		return;
	}
	watch->order.believed(
		watch->order.arg, &belief->believed, belief->event == BELIEF_CHANGED);
}

static void count_silence(struct parent_watch *watch, const struct delegation_word *word)
{
	if (word->rc == 0) {
		watch->silent_rounds = 0;
		return;
	}
	watch->silent_rounds++;
	if (watch->silent_rounds % SILENT_ROUNDS)
		return;
	log_warn(watch->order.log, "names",
		"%s: its parent's servers do not answer (%s): the delegation cannot be "
		"checked",
		watch->order.zone, status_text(word->rc));
	finder_forget(watch->order.finder, watch->order.zone);
	watch->parent.address_count = 0;
}

static void ask(struct parent_watch *watch);

static void ask_next(struct parent_watch *watch, bool tcp)
{
	watch->current = watch->turn++ % watch->parent.address_count;
	watch->tcp = tcp;
	ask(watch);
}

static void take_step(struct parent_watch *watch, enum belief_step step)
{
	switch (step) {
	case BELIEF_REST:
		say_held(watch);
		end_round(watch);
		break;
	case BELIEF_ASK_SAME:
		watch->tcp = true;
		ask(watch);
		break;
	case BELIEF_ASK_OTHER:
		ask_next(watch, true);
		break;
	case BELIEF_ASK_LATER:
		say_held(watch);
		rest_for(watch, round_timing_wait_ms(watch->order.interval_us < AGAIN_US
							     ? watch->order.interval_us
							     : AGAIN_US,
					0));
		break;
	}
}

static void hear(struct parent_watch *watch, const struct delegation_word *word)
{
	bool calm = watch->belief.stage == BELIEF_CALM;
	enum belief_step step;

	if (calm && word->rc && --watch->tries_left > 0) {
		watch->order.heard(watch->order.arg, word);
		ask_next(watch, false);
		return;
	}
	if (calm)
		count_silence(watch, word);
	step = belief_hear(&watch->belief, word, watch->parent.address_count);
	say_event(watch, word);
	if (step == BELIEF_ASK_SAME || step == BELIEF_ASK_OTHER)
		if (watch->held_count < HELD_MAX) {
			watch->held[watch->held_count++] = *word;
			take_step(watch, step);
			return;
		}
	say_held(watch);
	watch->order.heard(watch->order.arg, word);
	take_step(watch, step);
}

static void word_heard(void *arg, const struct delegation_word *word)
{
	struct parent_watch *watch = arg;

	if (!watch->closing && word->rc != -ECANCELED)
		hear(watch, word);
}

static void ask(struct parent_watch *watch)
{
	struct parent_ask_order order = {.client = watch->order.client,
		.server = {.address = watch->parent.addresses[watch->current].address,
			.port = finder_port(watch->order.finder)},
		.tcp = watch->tcp,
		.want_ds = !watch->belief.known || watch->belief.believed.ds_count > 0};
	int rc;

	(void)snprintf(order.zone, sizeof(order.zone), "%s", watch->order.zone);
	rc = parent_ask(&order, word_heard, watch);
	if (rc) {
		log_warn(watch->order.log, "names", "%s: %s", watch->order.zone,
			status_text(rc));
		watch->belief.stage = BELIEF_CALM;
		end_round(watch);
	}
}

static void parent_found(void *arg, int rc, const struct zone_cut *parent)
{
	struct parent_watch *watch = arg;

	if (watch->closing)
		return;
	if (rc || parent->address_count == 0) {
		watch->silent_rounds++;
		log_warn(watch->order.log, "names",
			"%s: no way from the root to its parent's servers: %s",
			watch->order.zone, status_text(rc ? rc : STATUS_REFUSED));
		end_round(watch);
		return;
	}
	watch->parent = *parent;
	watch->parent_found = now_tick();
	watch->turn = round_timing_random();
	ask_next(watch, false);
}

static void begin_round(uv_timer_t *timer)
{
	struct parent_watch *watch = timer->data;
	bool old = tick_since_us(now_tick(), watch->parent_found) > PARENT_KEPT_US;

	watch->tries_left = TRIES;
	if (watch->parent.address_count > 0 && !old) {
		ask_next(watch, watch->belief.stage != BELIEF_CALM);
		return;
	}
	watch->belief.stage = BELIEF_CALM;
	finder_parent(watch->order.finder, watch->order.zone, parent_found, watch);
}

int parent_watch_open(struct parent_watch **out, const struct parent_watch_order *order)
{
	struct parent_watch *watch = calloc(1, sizeof(*watch));

	*out = watch;
	if (!watch)
		return -ENOMEM;
	watch->order = *order;
	(void)uv_timer_init(order->loop, &watch->timer); /* never fails */
	watch->timer.data = watch;
	rest_for(watch, round_timing_first_ms(order->interval_us));
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	struct parent_watch *watch = handle->data;

	watch->closed(watch->closed_arg);
	free(watch);
}

void parent_watch_close(struct parent_watch *watch, void (*closed)(void *arg), void *arg)
{
	if (!watch)
		return;
	watch->closing = true;
	watch->closed = closed;
	watch->closed_arg = arg;
	uv_close((uv_handle_t *)&watch->timer, timer_closed);
}
