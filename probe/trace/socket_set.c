#include "socket_set.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "astray/status.h"

#define FAMILIES 2
#define PROTOCOLS 3
#define SOCKETS (FAMILIES * PROTOCOLS)

/* One descriptor that is watched. */
struct ear {
	struct socket_set *set;
	struct trace_socket *socket;
	uv_poll_t poll;
};

struct socket_set {
	struct socket_set_order order;
	struct trace_socket *sockets[FAMILIES][PROTOCOLS]; /* protocols may share one */
	unsigned ear_count;
	struct ear ears[SOCKETS]; /* one for each socket */
	unsigned closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

struct trace_socket *socket_set_for(
	const struct socket_set *set, uint8_t family, enum obs_protocol protocol)
{
	return set->sockets[family == 6][protocol];
}

int socket_set_refusal(const struct socket_set *set, uint8_t family)
{
	for (unsigned i = 0; i < PROTOCOLS; i++)
		if (set->sockets[family == 6][i])
			return -EPERM;
	return -EAFNOSUPPORT;
}

bool socket_set_serves_all(const struct trace_socket *sock)
{
	return sock->kind == &raw_socket_kind;
}

static int open_family(struct socket_set *set, uint8_t family, struct fault *fault)
{
	struct trace_socket **sockets = set->sockets[family == 6];
	int last = 0;
	bool opened = false;

	for (enum obs_protocol protocol = OBS_TCP; protocol <= OBS_ICMP; protocol++) {
		struct trace_socket_order order = {.family = family,
			.protocol = protocol,
			.first_port = set->order.first_port,
			.last_port = set->order.last_port,
			.identifier = set->order.identifier,
			.listener = &set->order.listener};
		int rc;

		if (protocol > OBS_TCP && sockets[0] &&
			socket_set_serves_all(sockets[0])) {
			sockets[protocol] = sockets[0];
			continue;
		}
		rc = trace_socket_open(&sockets[protocol], &order, fault);
		if (rc)
			last = rc;
		else
			set->ears[set->ear_count++].socket = sockets[protocol];
		opened |= rc == 0;
	}
	return opened ? 0 : last;
}

static void drop_set(struct socket_set *set)
{
	for (unsigned i = 0; i < set->ear_count; i++)
		trace_socket_close(set->ears[i].socket);
	free(set);
}

static void answers_waiting(uv_poll_t *poll, int status, int events)
{
	struct ear *ear = poll->data;
	const struct socket_set_order *order = &ear->set->order;

	(void)status;
	(void)events;
	order->waiting(order->waiting_arg, ear->socket);
}

static void handle_closed(uv_handle_t *handle)
{
	struct socket_set *set = ((struct ear *)handle->data)->set;
	void (*closed)(void *arg) = set->closed;
	void *arg = set->closed_arg;

	if (--set->closing > 0)
		return;
	drop_set(set);
	if (closed)
		closed(arg);
}

/* Those that have joined the loop. */
static void close_ears(struct socket_set *set, unsigned count)
{
	set->closing = count;
	for (unsigned i = 0; i < count; i++)
		uv_close((uv_handle_t *)&set->ears[i].poll, handle_closed);
}

static int watch_ears(struct socket_set *set, struct uv_loop_s *loop)
{
	for (unsigned i = 0; i < set->ear_count; i++) {
		struct ear *ear = &set->ears[i];
		int rc = uv_poll_init(loop, &ear->poll, trace_socket_fd(ear->socket));

		ear->set = set;
		ear->poll.data = ear;
		if (rc == 0)
			rc = uv_poll_start(&ear->poll, UV_READABLE, answers_waiting);
		if (rc == 0)
			continue;
		if (i == 0)
			drop_set(set);
		else
			close_ears(set, i);
		return rc;
	}
	return 0;
}

int socket_set_open(struct socket_set **out, struct uv_loop_s *loop,
	const struct socket_set_order *order, struct fault *fault)
{
	struct socket_set *set = calloc(1, sizeof(*set));
	int rc, v6;

	*out = NULL;
	if (!set)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	set->order = *order;
	rc = open_family(set, 4, fault);
	v6 = open_family(set, 6, fault);
	if (rc && v6) {
		drop_set(set);
		return rc;
	}
	rc = watch_ears(set, loop);
	if (rc)
		return fault_at(fault, rc, "", "%s", status_text(rc));
	*out = set;
	return 0;
}

void socket_set_close(struct socket_set *set, void (*closed)(void *arg), void *arg)
{
	set->closed = closed;
	set->closed_arg = arg;
	close_ears(set, set->ear_count);
}

bool socket_set_receive(const struct socket_set *set)
{
	bool more = false;

	for (unsigned i = 0; i < set->ear_count; i++)
		more |= trace_socket_receive(set->ears[i].socket);
	return more;
}

uint64_t socket_set_drops(const struct socket_set *set)
{
	uint64_t drops = 0;

	for (unsigned i = 0; i < set->ear_count; i++)
		drops += trace_socket_drops(set->ears[i].socket);
	return drops;
}
