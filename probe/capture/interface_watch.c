#include "interface_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "astray/status.h"
#include "netlink_socket.h"

#define DATAGRAM_MAX 32768 /* the kernel fills no more than this */

struct interface_watch {
	int fd;
	uv_poll_t poll;
	link_message_fn each;
	void *arg;
	void (*closed)(void *arg);
	void *closed_arg;
	uint8_t datagram[DATAGRAM_MAX];
};

static int ask_for_all(struct interface_watch *watch)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} question = {.head = {.nlmsg_len = sizeof(question),
			      .nlmsg_type = RTM_GETLINK,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};

	return send(watch->fd, &question, sizeof(question), 0) < 0 ? -errno : 0;
}

/* 1 when a list ended, 0 when there is more to read, else negative. */
static int read_one(struct interface_watch *watch, int flags)
{
	ssize_t len = recv(watch->fd, watch->datagram, sizeof(watch->datagram), flags);

	if (len < 0)
		return -errno;
	return link_message_read(watch->datagram, (size_t)len, watch->each, watch->arg);
}

static int read_all(struct interface_watch *watch)
{
	int rc = ask_for_all(watch);

	while (rc == 0 || rc == -EINTR)
		rc = read_one(watch, 0);
	return rc < 0 ? rc : 0;
}

void interface_watch_look(struct interface_watch *watch)
{
	(void)ask_for_all(watch);
}

static void messages_waiting(uv_poll_t *poll, int status, int events)
{
	struct interface_watch *watch = poll->data;
	int rc;

	(void)status;
	(void)events;
	do
		rc = read_one(watch, MSG_DONTWAIT);
	while (rc >= 0);
	/* Some news were lost: all of it anew. */
	if (rc == -ENOBUFS)
		(void)ask_for_all(watch);
}

int interface_watch_open(struct interface_watch **out, struct uv_loop_s *loop,
	link_message_fn each, void *arg, struct fault *fault)
{
	struct interface_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	*out = NULL;
	if (!watch)
		return -ENOMEM;
	watch->each = each;
	watch->arg = arg;
	watch->fd = rc = netlink_socket_open(NETLINK_ROUTE, RTMGRP_LINK);
	if (rc >= 0)
		rc = read_all(watch);
	if (rc >= 0)
		rc = uv_poll_init(loop, &watch->poll, watch->fd);
	if (rc < 0)
		goto fail;
	watch->poll.data = watch;
	(void)uv_poll_start(&watch->poll, UV_READABLE, messages_waiting);
	*out = watch;
	return 0;

fail:
	(void)fault_at(fault, rc, "", "asking for interfaces: %s", status_text(rc));
	if (watch->fd >= 0)
		(void)close(watch->fd);
	free(watch);
	return rc;
}

static void handle_closed(uv_handle_t *handle)
{
	struct interface_watch *watch = handle->data;

	(void)close(watch->fd);
	watch->closed(watch->closed_arg);
	free(watch);
}

void interface_watch_close(
	struct interface_watch *watch, void (*closed)(void *arg), void *arg)
{
	watch->closed = closed;
	watch->closed_arg = arg;
	uv_close((uv_handle_t *)&watch->poll, handle_closed);
}
