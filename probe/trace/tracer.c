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
#define PROTOCOLS 3
#define SOCKETS (FAMILIES * PROTOCOLS)
/* With few flights every packet is stamped by the kernel as it leaves; with many, one
 * more message for each would cost more than the precision is worth. */
#define STAMPED_FLIGHTS 16
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
	bool open;
	uv_poll_t poll;
};

struct tracer {
	struct uv_loop_s *loop;
	/* NULL: the machine has no such family, or does not allow it. Protocols may share
	 * one. */
	struct trace_socket *sockets[FAMILIES][PROTOCOLS];
	struct ear ears[SOCKETS];
	struct trace_listener listener;
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
	int64_t peer_rate;
	uint16_t identifier; /* of our echo requests */
	struct pace pace;
	struct stamp_clock clock;
	struct moment clock_wall;
	struct lot lot;
	struct tracer_counts counts;
};

static struct trace_socket *socket_for(
	const struct tracer *tracer, uint8_t family, enum obs_protocol protocol)
{
	return tracer->sockets[family == 6][protocol];
}

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

static struct tick deadline_of(struct flight *flight)
{
	struct tick due =
		flight->fan ? fan_deadline(flight->fan) : path_deadline(flight->path);

	return flight->mtu_begun && flight->mtu.waiting
		       ? sooner(due, flight->mtu.deadline)
		       : due;
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

/* The probe of the MTU search that an id stands for, or -1. */
static int mtu_number(const struct flight *flight, uint16_t id)
{
	int number = id - path_spare_id(flight->path, 0);

	return flight->mtu_begun && number >= 0 && number < (int)flight->mtu.sent ? number
										  : -1;
}

static bool take_mtu_reply(struct flight *flight, const struct reply_packet *reply)
{
	int number = mtu_number(flight, reply->id);

	if (number < 0)
		return false;
	if (reply->kind == REPLY_TOO_BIG)
		mtu_search_too_big(
			&flight->mtu, (unsigned)number, &reply->from, reply->mtu);
	else if (reply->kind == REPLY_ARRIVED)
		mtu_search_arrived(&flight->mtu, (unsigned)number);
	return true;
}

static enum path_match match_reply(
	struct flight *flight, struct reply_packet *reply, bool numbered, struct tick at)
{
	enum path_match match;

	if (flight->fan)
		return numbered && fan_take_reply(flight->fan, reply->id, reply, at)
			       ? PATH_COUNTED
			       : PATH_STRANGE;
	if (!numbered)
		return path_take_unnumbered(flight->path, reply, at);
	if (take_mtu_reply(flight, reply))
		return PATH_COUNTED;
	match = path_take_reply(flight->path, reply->id, reply, at);
	/* A translator that made a new checksum of a UDP packet left the other copy. */
	if (match == PATH_STRANGE && reply->protocol == OBS_UDP && reply->translated)
		match = path_take_reply(flight->path, reply->second_id, reply, at);
	return match;
}

static void count_reply(struct tracer *tracer, struct flight *flight,
	struct reply_packet *reply, bool numbered, struct moment stamp)
{
	if (moment_before(tracer->clock_wall, stamp))
		read_clocks(tracer);
	reply->translated = reply_packet_is_translated(reply, &flight->flow);
	switch (match_reply(
		flight, reply, numbered, stamp_clock_tick(&tracer->clock, stamp))) {
	case PATH_COUNTED:
		set_due(tracer, flight, deadline_of(flight));
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
	flight_table_note_sent(
		flight, (uint16_t)tag, stamp_clock_tick(&tracer->clock, at));
}

static void receive_all(struct tracer *tracer)
{
	read_clocks(tracer);
	for (unsigned i = 0; i < SOCKETS; i++)
		if (tracer->ears[i].open)
			trace_socket_receive(tracer->ears[i].socket);
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
		if (at->fan)
			fan_expire(at->fan, now);
		else
			path_expire(at->path, now);
		if (at->mtu_begun)
			mtu_search_expire(&at->mtu, now);
		at->due = deadline_of(at);
		push_ready(tracer, at);
	}
	tracer->due = next_due(tracer);
}

static bool wants_mtu(const struct flight *flight)
{
	return flight->order.mtu && path_is_reached(flight->path);
}

static bool is_over(const struct flight *flight)
{
	if (flight->rc)
		return true;
	if (flight->fan)
		return fan_is_done(flight->fan);
	return path_is_done(flight->path) && (!wants_mtu(flight) || flight->mtu.done);
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

static bool next_mtu_packet(
	struct flight *flight, struct tick now, struct trace_packet *packet)
{
	size_t least = probe_packet_len(&flight->flow);
	unsigned size, number;

	if (!wants_mtu(flight) || !path_is_done(flight->path))
		return false;
	if (!flight->mtu_begun)
		mtu_search_init(&flight->mtu, flight->flow.to.family, flight->largest,
			path_patience_us(flight->path));
	flight->mtu_begun = true;
	if (!mtu_search_next(&flight->mtu, now, &size, &number))
		return false;
	packet->ttl = UINT8_MAX;
	packet->id = path_spare_id(flight->path, number);
	packet->padding = (uint16_t)(size > least ? size - least : 1);
	return true;
}

static bool next_fan_packet(
	struct flight *flight, struct tick now, struct trace_packet *packet)
{
	struct fan_probe probe;

	if (!fan_next(flight->fan, now, &probe))
		return false;
	*packet = (struct trace_packet){.flow = flight->flow,
		.tag = tag_of(flight, probe.id),
		.id = probe.id,
		.ttl = probe.ttl};
	if (packet->flow.protocol == OBS_ICMP)
		packet->flow.to_port = (uint16_t)(packet->flow.to_port + probe.flow);
	else
		packet->flow.from_port = (uint16_t)(packet->flow.from_port + probe.flow);
	return true;
}

static bool next_packet(
	struct flight *flight, struct tick now, struct trace_packet *packet)
{
	struct path_probe probe;

	if (flight->fan)
		return next_fan_packet(flight, now, packet);
	packet->padding = 0;
	if (path_next(flight->path, now, &probe)) {
		packet->ttl = probe.ttl;
		packet->id = probe.id;
	} else if (!next_mtu_packet(flight, now, packet)) {
		return false;
	}
	packet->flow = flight->flow;
	packet->tag = tag_of(flight, packet->id);
	return true;
}

/* A flight has nothing to send now: it waits, or it is over. */
static void settle(struct tracer *tracer, struct flight *flight)
{
	if (is_over(flight))
		end_flight(tracer, flight);
	else
		set_due(tracer, flight, deadline_of(flight));
}

/* Its destination has had as much as it may; later. */
static void hold_back(struct tracer *tracer, struct flight *flight, struct tick now)
{
	struct tick later = {now.us + pace_wait_us(&flight->pace, now)};

	set_due(tracer, flight, sooner(deadline_of(flight), later));
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
		if (!flight->rc && pace_wait_us(&flight->pace, now) > 0) {
			pop_ready(tracer);
			hold_back(tracer, flight, now);
			continue;
		}
		if (flight->rc || !next_packet(flight, now, &packet)) {
			pop_ready(tracer);
			settle(tracer, flight);
			continue;
		}
		(void)pace_take(&tracer->pace, now);
		(void)pace_take(&flight->pace, now);
		lot->socket = flight->socket;
		lot_add(lot, flight, &packet);
	}
}

static void first_refused(
	struct tracer *tracer, struct flight *flight, uint16_t id, int rc)
{
	static const struct address nobody;
	int number = mtu_number(flight, id);

	if (number >= 0)
		mtu_search_too_big(&flight->mtu, (unsigned)number, &nobody, 0);
	else
		flight->rc = rc;
	push_ready(tracer, flight);
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
	if (sent > 0)
		tracer->counts.sent += (unsigned)sent;
	else if (first)
		first_refused(tracer, first, id, sent);
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
		flight_table_free_flight(flight);
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

static void answers_waiting(uv_poll_t *poll, int status, int events)
{
	struct ear *ear = poll->data;

	(void)status;
	(void)events;
	read_clocks(ear->tracer);
	trace_socket_receive(ear->socket);
	work(ear->tracer);
}

/* Protocols that share a socket have one ear for it. */
static int open_ear(struct tracer *tracer, unsigned number)
{
	struct trace_socket **family = tracer->sockets[number / PROTOCOLS];
	unsigned protocol = number % PROTOCOLS;
	struct ear *ear = &tracer->ears[number];
	int rc;

	ear->tracer = tracer;
	ear->socket = family[protocol];
	if (!ear->socket || (protocol > 0 && family[protocol - 1] == ear->socket))
		return 0;
	rc = uv_poll_init(tracer->loop, &ear->poll, trace_socket_fd(ear->socket));
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
	for (unsigned i = 0; rc == 0 && i < SOCKETS; i++)
		rc = open_ear(tracer, i);
	return rc;
}

static bool serves_all(const struct trace_socket *sock)
{
	return sock->kind == &raw_socket_kind;
}

static int open_family(struct tracer *tracer, uint8_t family, struct fault *fault)
{
	struct trace_socket **sockets = tracer->sockets[family == 6];
	int last = 0, opened = 0;

	for (enum obs_protocol protocol = OBS_TCP; protocol <= OBS_ICMP; protocol++) {
		struct trace_socket_order order = {.family = family,
			.protocol = protocol,
			.first_port = FLOW_CHOICE_PORT_FIRST,
			.last_port = FLOW_CHOICE_PORT_LAST,
			.identifier = tracer->identifier,
			.listener = &tracer->listener};
		int rc;

		if (protocol > OBS_TCP && sockets[0] && serves_all(sockets[0])) {
			sockets[protocol] = sockets[0];
			continue;
		}
		rc = trace_socket_open(&sockets[protocol], &order, fault);
		if (rc)
			last = rc;
		else
			opened++;
	}
	return opened ? 0 : last;
}

/* What is not there or not allowed is left out; only when nothing is left it fails. */
static int open_sockets(struct tracer *tracer, struct fault *fault)
{
	int v4 = open_family(tracer, 4, fault);
	int v6 = open_family(tracer, 6, fault);

	return v4 && v6 ? v4 : 0;
}

static int prepare(struct tracer *tracer, const struct tracer_limits *limits)
{
	tracer->limit = limits->traces;
	tracer->peer_rate = limits->peer_rate ? limits->peer_rate : limits->rate;
	tracer->due.us = INT64_MAX;
	tracer->listener = (struct trace_listener){
		tracer, probe_answered, packet_refused, probe_left};
	tracer->ready_end = &tracer->ready;
	pace_init(&tracer->pace, limits->rate, now_tick());
	tracer->clock_wall = now_moment();
	stamp_clock_init(&tracer->clock, tracer->clock_wall, now_tick());
	if (getrandom(&tracer->identifier, sizeof(tracer->identifier), 0) < 0)
		return -errno;
	return flight_table_new(&tracer->flights, limits->traces);
}

/* Whether the socket at this place is not one of those before it. */
static bool owns(const struct tracer *tracer, unsigned i)
{
	struct trace_socket *const *family = tracer->sockets[i / PROTOCOLS];

	return i % PROTOCOLS == 0 || family[i % PROTOCOLS] != family[0];
}

static void drop_tracer(struct tracer *tracer)
{
	for (unsigned i = 0; i < SOCKETS; i++)
		if (owns(tracer, i))
			trace_socket_close(tracer->sockets[i / PROTOCOLS][i % PROTOCOLS]);
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
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (!tracer->ears[i].open)
			continue;
		tracer->closing++;
		uv_close((uv_handle_t *)&tracer->ears[i].poll, handle_closed);
	}
}

static int begin(
	struct tracer *tracer, struct flight **out, const struct trace_order *order)
{
	struct trace_socket *sock =
		socket_for(tracer, order->peer.family, order->protocol);
	struct probe_flow flow;
	unsigned largest;
	uint16_t first_id;
	int rc;

	if (!sock)
		return tracer->sockets[order->peer.family == 6][OBS_TCP] ? -EPERM
									 : -EAFNOSUPPORT;
	if (order->all_paths && !serves_all(sock))
		return -EPERM; /* hundreds of flows, each a socket of its own */
	rc = flow_choice_make(&flow, &first_id, &largest, order, tracer->identifier);
	if (rc)
		return rc;
	*out = flight_table_add(
		tracer->flights, order, &flow, first_id, sock->kind->narrow);
	if (!*out)
		return -ENOMEM;
	(*out)->at = now_moment();
	(*out)->due.us = INT64_MAX;
	(*out)->socket = sock;
	(*out)->largest = largest;
	(*out)->number = ++tracer->begun;
	pace_init(&(*out)->pace, tracer->peer_rate, now_tick());
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

	for (unsigned i = 0; i < SOCKETS; i++) {
		const struct trace_socket *sock =
			tracer->sockets[i / PROTOCOLS][i % PROTOCOLS];

		if (sock && owns(tracer, i))
			counts.dropped += trace_socket_drops(sock);
	}
	return counts;
}

const char *tracer_way(
	const struct tracer *tracer, uint8_t family, enum obs_protocol protocol)
{
	const struct trace_socket *sock = socket_for(tracer, family, protocol);

	return sock ? sock->kind->text : "not allowed";
}

int tracer_allows(
	const struct tracer *tracer, enum obs_protocol protocol, struct fault *fault)
{
	if (socket_for(tracer, 4, protocol) || socket_for(tracer, 6, protocol))
		return 0;
	return trace_socket_explain(fault, protocol, -EPERM);
}

bool tracer_is_privileged(const struct tracer *tracer)
{
	for (unsigned i = 0; i < FAMILIES; i++)
		if (tracer->sockets[i][OBS_TCP])
			return serves_all(tracer->sockets[i][OBS_TCP]);
	return false;
}
