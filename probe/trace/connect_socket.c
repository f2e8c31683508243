/*
 * TCP for those who may not open raw sockets: a connection is begun with a small TTL, and
 * the kernel keeps the ICMP error that ends it (IP_RECVERR). A flow's ports must stay the
 * same, and the kernel allows one connection between two ports at a time: so one probe of
 * a flow is in flight, and a path takes the sum of its round trips. A SYN that arrives
 * makes a connection, which is reset at once.
 */
#include <errno.h>
#include <time.h> /* before the next one, which needs it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inbox.h"
#include "syn_mark.h"
#include "trace_socket.h"

#define SLOTS 512 /* flows at once; the rest waits */
#define EVENTS 64

struct slot {
	int fd; /* -1: free */
	struct probe_flow flow;
	uint16_t id;
};

struct connect_socket {
	struct trace_socket base;
	struct slot slots[SLOTS];
	struct inbox *inbox;
	struct slot *reading;
	bool told;
};

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

/* What is open is reset, not closed in order: nobody is there to talk. */
static void empty_slot(struct slot *slot)
{
	struct linger reset = {.l_onoff = 1};

	if (slot->fd < 0)
		return;
	(void)setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)close(slot->fd);
	slot->fd = -1;
}

static void close_kind(struct trace_socket *sock)
{
	struct connect_socket *connecting = (struct connect_socket *)sock;

	for (unsigned i = 0; i < SLOTS; i++)
		empty_slot(&connecting->slots[i]);
	inbox_free(connecting->inbox);
	free(connecting);
}

static int open_kind(struct trace_socket **out, const struct trace_socket_order *order)
{
	struct connect_socket *connecting = calloc(1, sizeof(*connecting));
	int rc, fd;

	*out = NULL;
	if (!connecting)
		return -ENOMEM;
	for (unsigned i = 0; i < SLOTS; i++)
		connecting->slots[i].fd = -1;
	rc = trace_socket_init(&connecting->base, &connect_socket_kind, order);
	if (rc == 0)
		rc = inbox_new(&connecting->inbox);
	fd = socket(trace_socket_domain(order->family), SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		rc = rc ? rc : -errno;
	else
		(void)close(fd); /* the family is there */
	if (rc) {
		trace_socket_close(&connecting->base);
		return rc;
	}
	*out = &connecting->base;
	return 0;
}

/* A flow's own slot, emptied: its last probe was given up; or a free one. */
static struct slot *slot_for(
	struct connect_socket *connecting, const struct probe_flow *flow)
{
	struct slot *vacant = NULL;

	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &connecting->slots[i];

		if (slot->fd < 0) {
			vacant = vacant ? vacant : slot;
		} else if (slot->flow.from_port == flow->from_port &&
			   slot->flow.to_port == flow->to_port &&
			   address_equal(&slot->flow.to, &flow->to)) {
			empty_slot(slot);
			return slot;
		}
	}
	return vacant;
}

/* So that nobody counts it as a user's connection; without it the path is traced all the
 * same. */
static void mark(int fd)
{
	(void)set_int(fd, IPPROTO_TCP, TCP_MAXSEG, SYN_MARK_SEGMENT);
	(void)set_int(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, SYN_MARK_WINDOW);
}

static int prepare(int fd, const struct trace_packet *packet)
{
	bool v6 = packet->flow.to.family == 6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct sockaddr_storage name;
	socklen_t len =
		address_to_sockaddr(&packet->flow.from, packet->flow.from_port, &name);
	int rc = set_int(fd, level, v6 ? IPV6_UNICAST_HOPS : IP_TTL, packet->ttl);

	if (rc == 0)
		rc = set_int(fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, 1);
	if (rc == 0)
		rc = set_int(fd, level, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
	if (rc == 0 && v6)
		rc = set_int(fd, level, IPV6_AUTOFLOWLABEL, 0);
	if (rc == 0)
		rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (rc == 0)
		rc = set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (rc == 0 && bind(fd, (struct sockaddr *)&name, len))
		rc = -errno;
	mark(fd);
	return rc;
}

static int begin(const struct trace_packet *packet, int fd)
{
	struct sockaddr_storage name;
	socklen_t len =
		address_to_sockaddr(&packet->flow.to, packet->flow.to_port, &name);

	if (connect(fd, (struct sockaddr *)&name, len) == 0 || errno == EINPROGRESS)
		return 0;
	return -errno;
}

static int send_one(struct connect_socket *connecting, const struct trace_packet *packet)
{
	struct slot *slot = slot_for(connecting, &packet->flow);
	int rc, fd;

	if (!slot)
		return -EAGAIN;
	if (packet->padding)
		return -EMSGSIZE; /* the kernel chooses what a SYN carries */
	fd = socket(trace_socket_domain(packet->flow.to.family),
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -EAGAIN : -errno;
	*slot = (struct slot){fd, packet->flow, packet->id};
	rc = prepare(fd, packet);
	if (rc == 0)
		rc = trace_socket_watch(&connecting->base, fd, EPOLLOUT,
			(uint32_t)(slot - connecting->slots));
	if (rc == 0)
		rc = begin(packet, fd);
	if (rc)
		empty_slot(slot);
	return rc;
}

static int send_kind(struct trace_socket *sock, const struct trace_packet *lot,
	unsigned count, bool stamped)
{
	struct connect_socket *connecting = (struct connect_socket *)sock;
	int sent = 0, rc = 0;

	(void)stamped;
	for (unsigned i = 0; i < count && rc == 0; i++) {
		rc = send_one(connecting, &lot[i]);
		if (rc == 0)
			sent++;
	}
	return sent ? sent : rc;
}

static void tell(
	struct connect_socket *connecting, struct reply_packet *reply, struct moment at)
{
	const struct slot *slot = connecting->reading;
	const struct trace_listener *listener = &connecting->base.listener;

	reply->to = slot->flow.to;
	reply->protocol = OBS_TCP;
	reply->from_port = slot->flow.from_port;
	reply->to_port = slot->flow.to_port;
	reply->cookie = slot->flow.cookie;
	reply->id = slot->id;
	connecting->told = true;
	listener->answered(listener->arg, reply, true, at);
}

static void error_arrived(void *arg, const struct inbox_item *item)
{
	struct connect_socket *connecting = arg;
	struct reply_packet reply = {.from = item->error.offender,
		.to = connecting->reading->flow.to,
		.protocol = OBS_TCP,
		.ttl = item->ttl};
	uint8_t icmp =
		connecting->base.family == 6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;

	if (item->error.origin != icmp || connecting->told)
		return;
	if (reply_packet_judge(
		    &reply, item->error.type, item->error.code, item->error.info) == 0)
		tell(connecting, &reply, item->at);
}

/* Connected or refused: both are the destination's own answer. */
static void take_outcome(struct connect_socket *connecting)
{
	struct slot *slot = connecting->reading;
	struct reply_packet reply = {.kind = REPLY_ARRIVED, .from = slot->flow.to};
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error == 0 || error == ECONNREFUSED)
		tell(connecting, &reply, (struct moment){MOMENT_MAX_US});
}

static bool receive_kind(struct trace_socket *sock)
{
	struct connect_socket *connecting = (struct connect_socket *)sock;
	struct epoll_event events[EVENTS];
	int count = epoll_wait(sock->epoll_fd, events, EVENTS, 0);
	uint32_t drops = 0;

	for (int i = 0; i < count; i++) {
		struct slot *slot = &connecting->slots[events[i].data.u32];

		if (slot->fd < 0)
			continue;
		connecting->reading = slot;
		connecting->told = false;
		(void)inbox_read(connecting->inbox, slot->fd, MSG_ERRQUEUE, &drops,
			error_arrived, connecting);
		if (!connecting->told)
			take_outcome(connecting);
		empty_slot(slot);
	}
	return count == EVENTS;
}

const struct trace_socket_kind connect_socket_kind = {
	.name = "connect",
	.text = "TCP connections, without privilege",
	.narrow = true,
	.open = open_kind,
	.close = close_kind,
	.send = send_kind,
	.receive = receive_kind,
};
