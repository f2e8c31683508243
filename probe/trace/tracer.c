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
#include "stamp_clock.h"
#include "trace_socket.h"

#define FAMILIES 2
#define RETRY_US 1000 /* where the kernel had no room for a packet */
#define IDLE_US MOMENT_SECOND_US
#define CLOCK_APART_US 50 /* two clocks read within this are read together */

struct flight_waiter {
	struct flight_waiter *next;
	tracer_done_fn done;
	void *arg;
};

/* One descriptor that is watched. */
struct ear {
	struct tracer *tracer;
	struct trace_socket *socket;
	unsigned which;
	bool open;
	uv_poll_t poll;
};

struct tracer {
	struct uv_loop_s *loop;
	struct trace_socket *sockets[FAMILIES]; /* NULL: the machine has no such family */
	struct ear ears[FAMILIES * TRACE_SOCKET_FDS];
	uv_timer_t timer;
	unsigned closing;
	void (*closed)(void *arg);
	void *closed_arg;
	struct flight_table *flights;
	struct flight *ready, **ready_end;
	struct flight *ended; /* out of the table, their callers still to be told */
	unsigned asked, limit;
	uint16_t identifier; /* of our echo requests */
	struct pace pace;
	struct stamp_clock clock;
	struct moment clock_wall;
	struct lot lot;
	struct tracer_counts counts;
};

static struct trace_socket *socket_for(const struct tracer *tracer, uint8_t family)
{
	return tracer->sockets[family == 6];
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

static void count_reply(struct tracer *tracer, struct flight *flight,
	const struct reply_packet *reply, struct moment stamp)
{
	if (moment_before(tracer->clock_wall, stamp))
		read_clocks(tracer);
	switch (path_take_reply(flight->path, reply->id, reply,
		stamp_clock_tick(&tracer->clock, stamp))) {
	case PATH_COUNTED:
		flight->due = path_deadline(flight->path);
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

static void packet_arrived(void *arg, const struct trace_socket_arrival *what)
{
	struct tracer *tracer = arg;
	struct reply_packet reply;
	struct flight *flight;
	int rc;

	tracer->counts.received++;
	if (what->from.family == 4)
		rc = reply_packet_read_v4(&reply, what->bytes, what->len);
	else
		rc = reply_packet_read_v6(
			&reply, &what->from, what->protocol, what->bytes, what->len);
	flight = rc ? NULL : flight_table_match(tracer->flights, &reply);
	if (flight)
		count_reply(tracer, flight, &reply, what->at);
	else if (rc == 0 || rc == STATUS_NOT_OURS)
		tracer->counts.foreign++;
	else
		tracer->counts.malformed++;
}

static void receive_all(struct tracer *tracer)
{
	read_clocks(tracer);
	for (unsigned i = 0; i < FAMILIES * TRACE_SOCKET_FDS; i++)
		if (tracer->ears[i].open)
			(void)trace_socket_receive(tracer->ears[i].socket,
				tracer->ears[i].which, packet_arrived, tracer);
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

	if (next_due(tracer).us > now.us)
		return;
	receive_all(tracer);
	for (struct flight *at = flight_table_first(tracer->flights); at; at = at->next) {
		if (at->due.us > now.us)
			continue;
		path_expire(at->path, now);
		at->due = path_deadline(at->path);
		push_ready(tracer, at);
	}
}

/* A flight has nothing to send now: it waits, or it is over. */
static void settle(struct tracer *tracer, struct flight *flight)
{
	if (!flight->rc && !path_is_done(flight->path)) {
		flight->due = path_deadline(flight->path);
		return;
	}
	tracer->counts.unlisted += path_dropped(flight->path);
	lot_forget(&tracer->lot, flight);
	flight_table_remove(tracer->flights, flight);
	flight->next_ended = tracer->ended;
	tracer->ended = flight;
}

/* Takes what may go now, one flight after the other: their first hops are often the same,
 * and are not to be asked by all in one moment. */
static void fill_lot(struct tracer *tracer, struct tick now)
{
	struct lot *lot = &tracer->lot;

	while (tracer->ready && lot->count < TRACE_SOCKET_LOT &&
		pace_wait_us(&tracer->pace, now) == 0) {
		struct flight *flight = tracer->ready;
		struct path_probe probe;

		if (lot->count && lot_family(lot) != flight->flow.to.family)
			break;
		if (flight->rc || !path_next(flight->path, now, &probe)) {
			pop_ready(tracer);
			settle(tracer, flight);
			continue;
		}
		(void)pace_take(&tracer->pace, now);
		lot_add(lot, flight, &probe);
	}
}

/* False when the kernel has no room now. */
static bool send_lot(struct tracer *tracer)
{
	struct lot *lot = &tracer->lot;
	struct flight *refused = lot->flights[0];
	int sent = lot_send(lot, socket_for(tracer, lot_family(lot)));

	if (sent == -EAGAIN)
		return false;
	if (sent > 0) {
		tracer->counts.sent += (unsigned)sent;
	} else if (refused) {
		refused->rc = sent;
		push_ready(tracer, refused);
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
		flight_table_free_flight(flight);
	}
}

static void timer_fired(uv_timer_t *timer);

static void arm_timer(struct tracer *tracer)
{
	struct tick now = now_tick();
	int64_t wait_us = tick_since_us(next_due(tracer), now);

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

static void answers_waiting(uv_poll_t *poll, int status, int events)
{
	struct ear *ear = poll->data;

	(void)status;
	(void)events;
	read_clocks(ear->tracer);
	(void)trace_socket_receive(ear->socket, ear->which, packet_arrived, ear->tracer);
	work(ear->tracer);
}

static int open_ear(struct tracer *tracer, unsigned number)
{
	struct ear *ear = &tracer->ears[number];
	int rc;

	ear->tracer = tracer;
	ear->socket = tracer->sockets[number / TRACE_SOCKET_FDS];
	ear->which = number % TRACE_SOCKET_FDS;
	if (!ear->socket)
		return 0;
	rc = uv_poll_init(
		tracer->loop, &ear->poll, trace_socket_fd(ear->socket, ear->which));
	if (rc)
		return rc;
	ear->open = true;
	ear->poll.data = ear;
	return uv_poll_start(&ear->poll, UV_READABLE, answers_waiting);
}

/* The timer joins the loop first, so that tracer_close always has one handle to close. */
static int join_loop(struct tracer *tracer)
{
	int rc = uv_timer_init(tracer->loop, &tracer->timer);

	tracer->timer.data = tracer;
	for (unsigned i = 0; rc == 0 && i < FAMILIES * TRACE_SOCKET_FDS; i++)
		rc = open_ear(tracer, i);
	return rc;
}

static int open_sockets(struct tracer *tracer, struct fault *fault)
{
	static const uint8_t families[FAMILIES] = {4, 6};
	int rc = -EAFNOSUPPORT;

	for (unsigned i = 0; i < FAMILIES; i++) {
		rc = trace_socket_open(&tracer->sockets[i], families[i],
			FLOW_CHOICE_PORT_FIRST, FLOW_CHOICE_PORT_LAST, fault);
		if (rc && rc != -EAFNOSUPPORT)
			return rc;
	}
	return tracer->sockets[0] || tracer->sockets[1] ? 0 : rc;
}

static int prepare(struct tracer *tracer, const struct tracer_limits *limits)
{
	tracer->limit = limits->traces;
	tracer->ready_end = &tracer->ready;
	pace_init(&tracer->pace, limits->rate, now_tick());
	tracer->clock_wall = now_moment();
	stamp_clock_init(&tracer->clock, tracer->clock_wall, now_tick());
	if (getrandom(&tracer->identifier, sizeof(tracer->identifier), 0) < 0)
		return -errno;
	return flight_table_new(&tracer->flights, limits->traces);
}

static void drop_tracer(struct tracer *tracer)
{
	for (unsigned i = 0; i < FAMILIES; i++)
		trace_socket_close(tracer->sockets[i]);
	for (struct flight *at = tracer->flights ? flight_table_first(tracer->flights)
						 : NULL;
		at; at = at->next)
		free_waiters(at->waiters);
	flight_table_free(tracer->flights);
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
	rc = join_loop(tracer);
	if (rc) {
		tracer_close(tracer, NULL, NULL);
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	*out = tracer;
	return 0;

fail:
	drop_tracer(tracer);
	return rc;
}

static void handle_closed(uv_handle_t *handle)
{
	struct tracer *tracer = handle->type == UV_TIMER
					? handle->data
					: ((struct ear *)handle->data)->tracer;

	if (--tracer->closing > 0)
		return;
	if (tracer->closed)
		tracer->closed(tracer->closed_arg);
	drop_tracer(tracer);
}

void tracer_close(struct tracer *tracer, void (*closed)(void *arg), void *arg)
{
	tracer->closed = closed;
	tracer->closed_arg = arg;
	tracer->closing = 1;
	uv_close((uv_handle_t *)&tracer->timer, handle_closed);
	for (unsigned i = 0; i < FAMILIES * TRACE_SOCKET_FDS; i++) {
		if (!tracer->ears[i].open)
			continue;
		tracer->closing++;
		uv_close((uv_handle_t *)&tracer->ears[i].poll, handle_closed);
	}
}

static int begin(
	struct tracer *tracer, struct flight **out, const struct trace_order *order)
{
	struct probe_flow flow;
	uint16_t first_id;
	int rc;

	if (!socket_for(tracer, order->peer.family))
		return -EAFNOSUPPORT;
	rc = flow_choice_make(&flow, &first_id, order, tracer->identifier);
	if (rc)
		return rc;
	*out = flight_table_add(tracer->flights, order, &flow, first_id);
	if (!*out)
		return -ENOMEM;
	(*out)->at = now_moment();
	(*out)->due.us = INT64_MAX;
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
	if (rc) {
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

	for (unsigned i = 0; i < FAMILIES; i++)
		if (tracer->sockets[i])
			counts.dropped += trace_socket_drops(tracer->sockets[i]);
	return counts;
}
