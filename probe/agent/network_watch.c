#include "network_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "astray/address.h"
#include "astray/status.h"
#include "netlink_socket.h"
#include "route_message.h"

/* A change of network is a burst of messages: the look is taken when it is over. */
#define SETTLE_MS 1000
/* Of routes, and of this machine's addresses. */
#define NEWS \
	(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)
#define MESSAGE_MAX 8192
#define NETWORK_BYTES 8 /* of an IPv6 address */

/* The addresses that this machine would speak from; family 0: it has no way out. */
struct footing {
	struct address v4, v6;
};

struct network_watch {
	int fd;
	uv_poll_t poll;
	uv_timer_t settle;
	struct route_message_news news; /* since the last look */
	struct footing footing;
	void (*joined)(void *arg);
	void *arg;
	unsigned closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Connecting a datagram socket sends nothing: the kernel only chooses the way. */
static struct address speaking_address(const char *far_away)
{
	struct address to, from = {0};
	struct sockaddr_storage storage;
	socklen_t len;
	int fd;

	if (address_parse(&to, far_away))
		return from;
	fd = socket(to.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return from;
	len = address_to_sockaddr(&to, 9, &storage);
	if (connect(fd, (struct sockaddr *)&storage, len) == 0) {
		len = sizeof(storage);
		if (getsockname(fd, (struct sockaddr *)&storage, &len) ||
			address_from_sockaddr(&from, NULL, (struct sockaddr *)&storage))
			from = (struct address){0};
	}
	(void)close(fd);
	return from;
}

static struct footing look(void)
{
	struct footing footing = {.v4 = speaking_address("192.0.2.1"),
		.v6 = speaking_address("2001:db8::1")};

	memset(footing.v6.bytes + NETWORK_BYTES, 0, NETWORK_BYTES);
	return footing;
}

static bool has_a_way_out(const struct footing *footing)
{
	return footing->v4.family || footing->v6.family;
}

static bool is_same(const struct footing *a, const struct footing *b)
{
	return address_equal(&a->v4, &b->v4) && address_equal(&a->v6, &b->v6);
}

/* Without a way out nothing was joined; what was lost is remembered until there is one
 * again. */
static void settled(uv_timer_t *timer)
{
	struct network_watch *watch = timer->data;
	struct footing now = look();
	bool joined;

	if (!has_a_way_out(&now))
		return;
	joined = watch->news.route_lost || !is_same(&now, &watch->footing);
	watch->footing = now;
	watch->news = (struct route_message_news){0};
	if (joined)
		watch->joined(watch->arg);
}

static void messages_waiting(uv_poll_t *poll, int status, int events)
{
	struct network_watch *watch = poll->data;
	uint8_t bytes[MESSAGE_MAX];
	ssize_t len;

	(void)status;
	(void)events;
	while ((len = recv(watch->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		route_message_read(&watch->news, bytes, (size_t)len);
	/* Some were lost: something happened, whatever it was. */
	if (len < 0 && errno == ENOBUFS)
		watch->news.worth_a_look = true;
	if (watch->news.worth_a_look && !uv_is_active((uv_handle_t *)&watch->settle))
		(void)uv_timer_start(&watch->settle, settled, SETTLE_MS, 0);
}

int network_watch_open(struct network_watch **out, struct uv_loop_s *loop,
	void (*joined)(void *arg), void *arg, struct fault *fault)
{
	struct network_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	*out = NULL;
	if (!watch)
		return -ENOMEM;
	watch->joined = joined;
	watch->arg = arg;
	watch->fd = rc = netlink_socket_open(NETLINK_ROUTE, NEWS);
	if (rc >= 0)
		rc = uv_poll_init(loop, &watch->poll, watch->fd);
	if (rc < 0)
		goto fail;
	(void)uv_timer_init(loop, &watch->settle);
	watch->poll.data = watch->settle.data = watch;
	(void)uv_poll_start(&watch->poll, UV_READABLE, messages_waiting);
	watch->footing = look();
	*out = watch;
	return 0;

fail:
	(void)fault_at(fault, rc, "", "%s", status_text(rc));
	if (watch->fd >= 0)
		(void)close(watch->fd);
	free(watch);
	return rc;
}

static void handle_closed(uv_handle_t *handle)
{
	struct network_watch *watch = handle->data;

	if (--watch->closing > 0)
		return;
	(void)close(watch->fd);
	watch->closed(watch->closed_arg);
	free(watch);
}

void network_watch_close(
	struct network_watch *watch, void (*closed)(void *arg), void *arg)
{
	watch->closed = closed;
	watch->closed_arg = arg;
	watch->closing = 2;
	uv_close((uv_handle_t *)&watch->poll, handle_closed);
	uv_close((uv_handle_t *)&watch->settle, handle_closed);
}
