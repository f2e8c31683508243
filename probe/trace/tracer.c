#include "tracer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "flight_table.h"
#include "flow_choice.h"
#include "lot.h"
#include "pace.h"
#include "pace_table.h"
#include "router_pace.h"
#include "socket_set.h"
#include "stamp_clock.h"

/* With few flights every packet is stamped by the kernel as it leaves; with many, one
 * more message for each would cost more than the precision is worth. */
#define STAMPED_FLIGHTS 16
#define RECEIVE_TURNS 64 /* more does not find room at a socket */
#define RETRY_US 1000    /* where the kernel had no room for a packet */
#define IDLE_US MOMENT_SECOND_US
#define CLOCK_APART_US 50 /* two clocks read within this are read together */

struct flight_waiter {
	struct flight_waiter *next;
	tracer_done_fn done;
	void *arg;
};

struct tracer {
	struct uv_loop_s *loop;
	struct socket_set *sockets;
	uv_timer_t timer;
	unsigned closing;
	void (*closed)(void *arg);
	void *closed_arg;
	struct flight_table *flights;
	struct flight *ready, **ready_end;
	struct flight *ended; /* out of the table, their callers still to be told */
	struct tick due;      /* no flight is due before it */
	uint64_t begun;       /* flights, ever */
	unsigned asked, limit, flying;
	uint16_t identifier; /* of our echo requests */
	struct pace pace;
	struct pace_table *peers;    /* NULL: each may have all there is */
	struct router_pace *routers; /* the same */
	struct stamp_clock clock;
	struct moment clock_wall;
	struct lot lot;
	struct tracer_counts counts;
};

static void set_due(struct tracer *tracer, struct flight *flight, struct tick due)
{
	flight->due = due;
	if (due.us < tracer->due.us)
		tracer->due = due;
}

static struct tick sooner(struct tick a, struct tick b)
{
	return b.us < a.us ? b : a;
}

static void read_clocks(struct tracer *tracer)
{
	struct tick before, after;

	for (int tries = 0; tries < 3; tries++) {
		before = now_tick();
		tracer->clock_wall = now_moment();
		after = now_tick();
		if (tick_since_us(after, before) <= CLOCK_APART_US)
			break;
	}
	stamp_clock_read(&tracer->clock, tracer->clock_wall, after);
}

static void push_ready(struct tracer *tracer, struct flight *flight)
{
	if (flight->ready)
		return;
	flight->ready = true;
	flight->next_ready = NULL;
	*tracer->ready_end = flight;
	tracer->ready_end = &flight->next_ready;
}

static void pop_ready(struct tracer *tracer)
{
	struct flight *flight = tracer->ready;

	flight->ready = false;
	tracer->ready = flight->next_ready;
	if (!tracer->ready)
		tracer->ready_end = &tracer->ready;
}

static void note_router(struct tracer *tracer, const struct flight *flight,
	const struct reply_packet *reply, bool numbered)
{
	uint8_t ttl = flight_ttl_of(flight, reply, numbered);

	if (tracer->routers && ttl)
		router_pace_answered(
			tracer->routers, &flight->flow.to, ttl, &reply->from, now_tick());
}

static void count_reply(struct tracer *tracer, struct flight *flight,
	struct reply_packet *reply, bool numbered, struct moment stamp)
{
	if (moment_before(tracer->clock_wall, stamp))
		read_clocks(tracer);
	switch (flight_take_reply(
		flight, reply, numbered, stamp_clock_tick(&tracer->clock, stamp))) {
	case PATH_COUNTED:
		note_router(tracer, flight, reply, numbered);
		set_due(tracer, flight, flight_deadline(flight));
		push_ready(tracer, flight);
		break;
	case PATH_DUPLICATE:
		tracer->counts.duplicate++;
		break;
	case PATH_STRANGE:
		tracer->counts.foreign++;
		break;
	}
}

static void probe_answered(
	void *arg, const struct reply_packet *reply, bool numbered, struct moment at)
{
	struct tracer *tracer = arg;
	struct reply_packet copy = *reply;
	struct flight *flight = flight_table_match(tracer->flights, reply, numbered);

	tracer->counts.received++;
	if (flight)
		count_reply(tracer, flight, &copy, numbered, at);
	else
		tracer->counts.foreign++;
}

static void packet_refused(void *arg, int rc)
{
	struct tracer *tracer = arg;

	tracer->counts.received++;
	if (rc == STATUS_NOT_OURS)
		tracer->counts.foreign++;
	else
		tracer->counts.malformed++;
}

/* The tag is the flight's number and the probe's id. */
static uint64_t tag_of(const struct flight *flight, uint16_t id)
{
	return flight->number << 16 | id;
}

static void probe_left(void *arg, uint64_t tag, struct moment at)
{
	struct tracer *tracer = arg;
	struct flight *flight = flight_table_first(tracer->flights);

	while (flight && flight->number != tag >> 16)
		flight = flight->next;
	if (!flight)
		return;
	if (moment_before(tracer->clock_wall, at))
		read_clocks(tracer);
	flight_note_sent(flight, (uint16_t)tag, stamp_clock_tick(&tracer->clock, at));
}

static void receive_all(struct tracer *tracer)
{
	bool more = true;

	for (unsigned turns = 0; more && turns < RECEIVE_TURNS; turns++) {
		read_clocks(tracer);
		more = socket_set_receive(tracer->sockets);
	}
}

static struct tick next_due(const struct tracer *tracer)
{
	struct tick due = {INT64_MAX};

	for (struct flight *at = flight_table_first(tracer->flights); at; at = at->next)
		if (at->due.us < due.us)
			due = at->due;
	return due;
}

/* Gives up what is overdue, but not before everything that has arrived was looked at: it
 * may be this process that was late. */
static void expire_flights(struct tracer *tracer)
{
	struct tick now = now_tick();

	if (tracer->due.us > now.us)
		return;
	receive_all(tracer);
	for (struct flight *at = flight_table_first(tracer->flights); at; at = at->next) {
		if (at->due.us > now.us)
			continue;
		flight_expire(at, now);
		at->due = flight_deadline(at);
		push_ready(tracer, at);
	}
	tracer->due = next_due(tracer);
}

static void end_flight(struct tracer *tracer, struct flight *flight)
{
	tracer->counts.unlisted += path_dropped(flight->path);
	lot_forget(&tracer->lot, flight);
	flight_table_remove(tracer->flights, flight);
	tracer->flying--;
	flight->next_ended = tracer->ended;
	tracer->ended = flight;
}

/* What holds a flight back: routers that have been asked as often as they may be. */
struct hold {
	const struct router_pace *routers;
	const struct address *peer;
	struct tick now, until;
};

static bool may_ask(void *arg, uint8_t ttl)
{
	struct hold *hold = arg;
	int64_t wait_us = router_pace_wait_us(hold->routers, hold->peer, ttl, hold->now);
	struct tick until = {hold->now.us + wait_us};

	if (wait_us > 0)
		hold->until = sooner(hold->until, until);
	return wait_us == 0;
}

/* A flight has nothing to send now: it waits, or it is over. */
static void settle(struct tracer *tracer, struct flight *flight, struct tick until)
{
	pop_ready(tracer);
	if (flight_is_over(flight))
		end_flight(tracer, flight);
	else
		set_due(tracer, flight, sooner(flight_deadline(flight), until));
}

/* False when it has none to send now, and is settled. */
static bool take_packet(struct tracer *tracer, struct flight *flight, struct tick now,
	struct trace_packet *packet)
{
	const struct address *peer = &flight->flow.to;
	struct hold hold = {tracer->routers, peer, now, {INT64_MAX}};
	struct ttl_gate gate = {&hold, may_ask};
	int64_t wait_us =
		tracer->peers ? pace_table_wait_us(tracer->peers, peer, now) : 0;

	if (wait_us > 0)
		hold.until.us = now.us + wait_us;
	if (wait_us > 0 || flight->rc ||
		!flight_next(flight, now, tracer->routers ? &gate : NULL, packet)) {
		settle(tracer, flight, hold.until);
		return false;
	}
	packet->tag = tag_of(flight, packet->id);
	(void)pace_take(&tracer->pace, now);
	if (tracer->peers)
		pace_table_take(tracer->peers, peer, now);
	if (tracer->routers)
		router_pace_asked(tracer->routers, peer, packet->ttl, now);
	return true;
}

/* Takes what may go now, one flight after the other: their first hops are often the same,
 * and are not to be asked by all in one moment. */
static void fill_lot(struct tracer *tracer, struct tick now)
{
	struct lot *lot = &tracer->lot;

	while (tracer->ready && lot->count < TRACE_SOCKET_LOT &&
		pace_wait_us(&tracer->pace, now) == 0) {
		struct flight *flight = tracer->ready;
		struct trace_packet packet;

		if (lot->count && lot->socket != flight->socket)
			break;
		if (!take_packet(tracer, flight, now, &packet))
			continue;
		lot->socket = flight->socket;
		lot_add(lot, flight, &packet);
	}
}

/* False when the kernel has no room now. */
static bool send_lot(struct tracer *tracer)
{
	struct lot *lot = &tracer->lot;
	struct flight *first = lot->flights[0];
	uint16_t id = lot->packets[0].id;
	int sent = lot_send(lot, tracer->flying <= STAMPED_FLIGHTS);

	if (sent == -EAGAIN)
		return false;
	if (sent > 0) {
		tracer->counts.sent += (unsigned)sent;
	} else if (first) {
		flight_refused(first, id, sent);
		push_ready(tracer, first);
	}
	return true;
}

static void send_ready(struct tracer *tracer)
{
	do
		fill_lot(tracer, now_tick());
	while (tracer->lot.count > 0 && send_lot(tracer));
}

static void free_waiters(struct flight_waiter *waiters)
{
	while (waiters) {
		struct flight_waiter *next = waiters->next;

		free(waiters);
		waiters = next;
	}
}

static void tell(struct tracer *tracer, const struct flight *flight)
{
	struct tracer_result result = {.order = flight->order,
		.at = flight->at,
		.path = flight->path,
		.fan = flight->fan,
		.mtu = flight->mtu_begun ? &flight->mtu : NULL,
		.rc = flight->rc};

	for (struct flight_waiter *at = flight->waiters; at; at = at->next) {
		tracer->asked--;
		if (!tracer->closing)
			at->done(at->arg, &result);
	}
}

static void finish_ended(struct tracer *tracer)
{
	while (tracer->ended) {
		struct flight *flight = tracer->ended;

		tracer->ended = flight->next_ended;
		tell(tracer, flight);
		free_waiters(flight->waiters);
		flight_free(flight);
	}
}

static void timer_fired(uv_timer_t *timer);

static void arm_timer(struct tracer *tracer)
{
	struct tick now = now_tick();
	int64_t wait_us = tick_since_us(tracer->due, now);

	if (wait_us > IDLE_US)
		wait_us = IDLE_US;
	if (tracer->lot.count && wait_us > RETRY_US)
		wait_us = RETRY_US;
	if (tracer->ready && wait_us > pace_wait_us(&tracer->pace, now))
		wait_us = pace_wait_us(&tracer->pace, now);
	if (!flight_table_first(tracer->flights)) {
		(void)uv_timer_stop(&tracer->timer);
		return;
	}
	uv_update_time(tracer->loop);
	(void)uv_timer_start(&tracer->timer, timer_fired,
		wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0, 0);
}

static void work(struct tracer *tracer)
{
	expire_flights(tracer);
	send_ready(tracer);
	finish_ended(tracer);
	if (!tracer->closing)
		arm_timer(tracer);
}

static void timer_fired(uv_timer_t *timer)
{
	work(timer->data);
}

static void answers_waiting(void *arg, struct trace_socket *sock)
{
	struct tracer *tracer = arg;

	read_clocks(tracer);
	(void)trace_socket_receive(sock);
	work(tracer);
}

static int open_paces(struct tracer *tracer, const struct tracer_limits *limits)
{
	int rc = 0;

	pace_init(&tracer->pace, limits->rate, now_tick());
	if (limits->peer_rate)
		rc = pace_table_new(&tracer->peers, limits->peer_rate, PACE_BURST_MIN,
			limits->traces);
	if (rc == 0 && limits->router_rate)
		rc = router_pace_new(&tracer->routers, limits->router_rate);
	return rc;
}

static int prepare(struct tracer *tracer, const struct tracer_limits *limits)
{
	int rc = open_paces(tracer, limits);

	tracer->limit = limits->traces;
	tracer->due.us = INT64_MAX;
	tracer->ready_end = &tracer->ready;
	tracer->clock_wall = now_moment();
	stamp_clock_init(&tracer->clock, tracer->clock_wall, now_tick());
	if (getrandom(&tracer->identifier, sizeof(tracer->identifier), 0) < 0)
		return -errno;
	return rc ? rc : flight_table_new(&tracer->flights, limits->traces);
}

static int open_sockets(struct tracer *tracer, struct fault *fault)
{
	struct socket_set_order order = {.first_port = FLOW_CHOICE_PORT_FIRST,
		.last_port = FLOW_CHOICE_PORT_LAST,
		.identifier = tracer->identifier,
		.listener = {tracer, probe_answered, packet_refused, probe_left},
		.waiting = answers_waiting,
		.waiting_arg = tracer};

	return socket_set_open(&tracer->sockets, tracer->loop, &order, fault);
}

static void drop_tracer(struct tracer *tracer)
{
	for (struct flight *at = tracer->flights ? flight_table_first(tracer->flights)
						 : NULL;
		at; at = at->next)
		free_waiters(at->waiters);
	flight_table_free(tracer->flights);
	pace_table_free(tracer->peers);
	router_pace_free(tracer->routers);
	free(tracer);
}

int tracer_open(struct tracer **out, struct uv_loop_s *loop,
	const struct tracer_limits *limits, struct fault *fault)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int rc;

	*out = NULL;
	if (!tracer)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	tracer->loop = loop;
	rc = prepare(tracer, limits);
	if (rc) {
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
		goto fail;
	}
	rc = open_sockets(tracer, fault);
	if (rc)
		goto fail;
	(void)uv_timer_init(loop, &tracer->timer); /* does not fail */
	tracer->timer.data = tracer;
	*out = tracer;
	return 0;

fail:
	drop_tracer(tracer);
	return rc;
}

static void part_closed(struct tracer *tracer)
{
	if (--tracer->closing > 0)
		return;
	if (tracer->closed)
		tracer->closed(tracer->closed_arg);
	drop_tracer(tracer);
}

static void timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

static void sockets_closed(void *arg)
{
	part_closed(arg);
}

void tracer_close(struct tracer *tracer, void (*closed)(void *arg), void *arg)
{
	tracer->closed = closed;
	tracer->closed_arg = arg;
	tracer->closing = 2;
	uv_close((uv_handle_t *)&tracer->timer, timer_closed);
	socket_set_close(tracer->sockets, sockets_closed, tracer);
}

static int begin(
	struct tracer *tracer, struct flight **out, const struct trace_order *order)
{
	struct trace_socket *sock =
		socket_set_for(tracer->sockets, order->peer.family, order->protocol);
	struct probe_flow flow;
	unsigned largest;
	uint16_t first_id;
	int rc;

	if (!sock)
		return socket_set_refusal(tracer->sockets, order->peer.family);
	if (order->all_paths && !socket_set_serves_all(sock))
		return -EPERM; /* hundreds of flows, each a socket of its own */
	rc = flow_choice_make(&flow, &first_id, &largest, order, tracer->identifier);
	if (rc)
		return rc;
	*out = flight_new(order, &flow, first_id, sock->kind->narrow);
	if (!*out)
		return -ENOMEM;
	flight_table_add(tracer->flights, *out);
	(*out)->at = now_moment();
	(*out)->due.us = INT64_MAX;
	(*out)->socket = sock;
	(*out)->largest = largest;
	(*out)->number = ++tracer->begun;
	tracer->flying++;
	push_ready(tracer, *out);
	return 0;
}

int tracer_start(struct tracer *tracer, const struct trace_order *order,
	tracer_done_fn done, void *arg)
{
	struct flight *flight = flight_table_find(tracer->flights, order);
	struct flight_waiter *waiter;
	int rc;

	if (tracer->asked >= tracer->limit)
		return STATUS_LIMIT;
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	rc = flight ? 0 : begin(tracer, &flight, order);
	if (!flight) {
		free(waiter);
		return rc;
	}
	*waiter = (struct flight_waiter){flight->waiters, done, arg};
	flight->waiters = waiter;
	tracer->asked++;
	uv_update_time(tracer->loop);
	(void)uv_timer_start(&tracer->timer, timer_fired, 0, 0);
	return 0;
}

struct tracer_counts tracer_count(const struct tracer *tracer)
{
	struct tracer_counts counts = tracer->counts;

	counts.dropped += socket_set_drops(tracer->sockets);
	return counts;
}

const char *tracer_way(
	const struct tracer *tracer, uint8_t family, enum obs_protocol protocol)
{
	const struct trace_socket *sock =
		socket_set_for(tracer->sockets, family, protocol);

	return sock ? sock->kind->text : "not allowed";
}

int tracer_allows(
	const struct tracer *tracer, enum obs_protocol protocol, struct fault *fault)
{
	if (socket_set_for(tracer->sockets, 4, protocol) ||
		socket_set_for(tracer->sockets, 6, protocol))
		return 0;
	return trace_socket_explain(fault, protocol, -EPERM);
}

bool tracer_is_privileged(const struct tracer *tracer)
{
	const struct trace_socket *sock = socket_set_for(tracer->sockets, 4, OBS_TCP);

	if (!sock)
		sock = socket_set_for(tracer->sockets, 6, OBS_TCP);
	return sock && socket_set_serves_all(sock);
}
