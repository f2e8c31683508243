#include "socket_watch.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "name_lookup.h"
#include "netlink_socket.h"

#define LIST_MS 1000
#define DATAGRAM_MAX 32768 /* the kernel fills no more than this */
#define RECEIVE_BYTES \
	(1 << 20) /* for bursts of destroyed sockets; what is allowed of it */
#define PAUSE_US (30 * MOMENT_SECOND_US)
/* All but what is only a memory of a connection: those have no counts. */
#define STATES (~(1u << 3 | 1u << 6 | 1u << 7 | 1u << 12))

enum listing { LISTING_NOTHING, LISTING_V4, LISTING_V6 };

struct socket_watch {
	const struct log *log;
	struct address_book *book;
	struct socket_meter *meter;
	struct name_lookup *names;
	int fd;
	enum listing listing;
	uint64_t lost;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned closing; /* parts that are not closed yet */
	void (*closed)(void *arg);
	void *closed_arg;
	uint8_t datagram[DATAGRAM_MAX];
};

static int ask(struct socket_watch *watch, enum listing what)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 request;
	} question = {.head = {.nlmsg_len = sizeof(question),
			      .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = what == LISTING_V4 ? AF_INET : AF_INET6,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = STATES}};

	watch->listing = what;
	return send(watch->fd, &question, sizeof(question), 0) < 0 ? -errno : 0;
}

static void socket_heard(void *arg, const struct diag_message *socket)
{
	struct socket_watch *watch = arg;

	socket_meter_hear(watch->meter, socket);
}

/* 1 when a list ended, 0 when there is more to read, else negative. */
static int read_one(struct socket_watch *watch, int flags)
{
	ssize_t len = recv(watch->fd, watch->datagram, sizeof(watch->datagram), flags);

	if (len < 0)
		return -errno;
	return diag_message_read(watch->datagram, (size_t)len, socket_heard, watch);
}

static void list_ended(struct socket_watch *watch)
{
	if (watch->listing == LISTING_V4) {
		(void)ask(watch, LISTING_V6);
		return;
	}
	watch->listing = LISTING_NOTHING;
	socket_meter_list_ended(watch->meter);
}

static void messages_waiting(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *watch = poll->data;

	(void)status;
	(void)events;
	for (;;) {
		int rc = read_one(watch, MSG_DONTWAIT);

		if (rc == 1)
			list_ended(watch);
		else if (rc == -ENOBUFS)
			watch->lost++;
		else if (rc < 0)
			return;
	}
}

static void second_passed(uv_timer_t *timer)
{
	struct socket_watch *watch = timer->data;

	socket_meter_advance(watch->meter, now_moment());
	/* A machine with very many sockets may need longer: none is asked for twice. */
	if (watch->listing == LISTING_NOTHING)
		(void)ask(watch, LISTING_V4);
}

static void join(const struct socket_watch *watch, int group)
{
	if (setsockopt(watch->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		    sizeof(group)))
		log_warn(watch->log, "flow",
			"the kernel does not tell of sockets that it destroys (%s): "
			"connections shorter than a second are missing",
			status_text(-errno));
}

/* Without packets there are no DNS answers to see which of them a client asked for. */
static void say_what_is_missing(
	const struct socket_watch *watch, const struct services *services)
{
	for (size_t i = 0; i < services->count; i++)
		if (!services_can_be_found(&services->list[i]))
			log_warn(watch->log, "flow",
				"%s is not measured: without capturing, hosts by suffix "
				"cannot be found; name its addresses, or hosts in full",
				services->list[i].name);
}

/* The first list, at once: what is in it was there before. */
static int list_first(struct socket_watch *watch)
{
	int rc = ask(watch, LISTING_V4);

	while (rc == 0 && watch->listing != LISTING_NOTHING) {
		rc = read_one(watch, 0);
		if (rc == 1) {
			list_ended(watch);
			rc = 0;
		}
	}
	return rc;
}

static int open_netlink(struct socket_watch *watch, struct fault *fault)
{
	int rc = netlink_socket_open(NETLINK_SOCK_DIAG, 0), size = RECEIVE_BYTES;

	watch->fd = rc;
	if (rc >= 0) {
		(void)setsockopt(rc, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		join(watch, SKNLGRP_INET_TCP_DESTROY);
		join(watch, SKNLGRP_INET6_TCP_DESTROY);
		rc = list_first(watch);
	}
	if (rc == 0)
		return 0;
	return fault_at(fault, rc == -ENOENT ? STATUS_UNSUPPORTED : rc, "",
		"asking the kernel for its TCP connections (sock_diag): %s",
		status_text(rc));
}

static int make_parts(struct socket_watch *watch,
	const struct socket_watch_options *options, struct fault *fault)
{
	struct socket_meter_config config = {.window_us = options->window_us,
		.pause_us = PAUSE_US > options->window_us ? PAUSE_US : options->window_us,
		.sockets = options->sockets,
		.service_limit = options->service_limit,
		.emit = options->emit,
		.emit_arg = options->emit_arg};
	int rc = address_book_new(&watch->book, options->services);

	if (rc == 0)
		rc = socket_meter_new(
			&watch->meter, &config, options->services, watch->book);
	return rc ? fault_at(fault, rc, "", "%s", status_text(rc)) : 0;
}

static void drop(struct socket_watch *watch)
{
	if (watch->fd >= 0)
		(void)close(watch->fd);
	socket_meter_free(watch->meter);
	address_book_free(watch->book);
	free(watch);
}

int socket_watch_open(struct socket_watch **out,
	const struct socket_watch_options *options, struct fault *fault)
{
	struct socket_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	*out = NULL;
	if (!watch)
		return -ENOMEM;
	watch->log = options->log;
	watch->fd = -1;
	rc = make_parts(watch, options, fault);
	if (rc == 0)
		rc = open_netlink(watch, fault);
	if (rc)
		goto fail;
	rc = name_lookup_open(&watch->names, options->loop, options->log,
		options->services, watch->book, NULL, NULL);
	if (rc == 0)
		rc = uv_poll_init(options->loop, &watch->poll, watch->fd);
	if (rc) {
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
		goto fail;
	}
	(void)uv_timer_init(options->loop, &watch->timer);
	watch->poll.data = watch->timer.data = watch;
	(void)uv_poll_start(&watch->poll, UV_READABLE, messages_waiting);
	(void)uv_timer_start(&watch->timer, second_passed, LIST_MS, LIST_MS);
	socket_meter_advance(watch->meter, now_moment());
	say_what_is_missing(watch, options->services);
	*out = watch;
	return 0;

fail:
	drop(watch);
	return rc;
}

static void part_closed(void *arg)
{
	struct socket_watch *watch = arg;

	if (--watch->closing > 0)
		return;
	watch->closed(watch->closed_arg);
	drop(watch);
}

static void handle_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void socket_watch_close(struct socket_watch *watch, void (*closed)(void *arg), void *arg)
{
	messages_waiting(&watch->poll, 0, UV_READABLE);
	socket_meter_advance(watch->meter, now_moment());
	socket_meter_finish(watch->meter);
	watch->closed = closed;
	watch->closed_arg = arg;
	watch->closing = 3;
	uv_close((uv_handle_t *)&watch->poll, handle_closed);
	uv_close((uv_handle_t *)&watch->timer, handle_closed);
	name_lookup_close(watch->names, part_closed, watch);
}

void socket_watch_count(
	const struct socket_watch *watch, struct socket_watch_counts *counts)
{
	socket_meter_count(watch->meter, &counts->meter);
	counts->lost = watch->lost;
}
