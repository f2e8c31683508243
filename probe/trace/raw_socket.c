/*
 * Raw sockets: whole packets out, whole answers in. CAP_NET_RAW is needed when they are
 * opened and not afterwards.
 */
#include <errno.h>
#include <time.h> /* before the next one, which needs it */
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/net_tstamp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "astray/status.h"
#include "inbox.h"
#include "trace_socket.h"

enum { ICMP_FD, TCP_FD, UDP_FD, SEND_FD, FDS };

#define STAMPS 1024 /* awaited at once; a power of two */

struct raw_socket {
	struct trace_socket base;
	int fds[FDS];
	uint32_t drops[FDS];
	struct inbox *inbox;
	uint32_t stamped;      /* packets sent with a stamp asked for */
	uint64_t tags[STAMPS]; /* of these, by their number */
};

static const uint8_t zeros[UINT16_MAX];

static int open_raw(int *out, uint8_t family, int protocol)
{
	*out = socket(trace_socket_domain(family),
		SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return *out < 0 ? -errno : 0;
}

static int filter_icmp_v4(int fd)
{
	struct icmp_filter unwanted = {
		.data = ~(1u << ICMP_ECHOREPLY | 1u << ICMP_DEST_UNREACH |
			  1u << ICMP_TIME_EXCEEDED)};

	return setsockopt(fd, SOL_RAW, ICMP_FILTER, &unwanted, sizeof(unwanted)) ? -errno
										 : 0;
}

static int filter_icmp_v6(int fd)
{
	struct icmp6_filter unwanted;

	memset(&unwanted, 0xff, sizeof(unwanted));
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &unwanted);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &unwanted);
	ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &unwanted);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &unwanted);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &unwanted, sizeof(unwanted))
		       ? -errno
		       : 0;
}

/* Over IPv6 a raw socket sees no IP header. */
static struct sock_filter find_transport(uint8_t family)
{
	if (family == 4)
		return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
	return (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
}

static int attach(int fd, struct sock_filter *code, unsigned short len)
{
	struct sock_fprog program = {.len = len, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))
		       ? -errno
		       : 0;
}

/* A raw TCP socket is given every segment of the machine. This filter leaves SYN-ACKs and
 * RSTs to our ports, decided in the kernel. */
static int filter_segments(int fd, const struct trace_socket_order *order)
{
	struct sock_filter code[] = {
		find_transport(order->family),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2), /* the port it is for */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, order->first_port, 0, 5),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, order->last_port, 4, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),           /* flags */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10, 0, 2), /* ACK, with */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x06, 0, 1), /* SYN or RST */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

/* And all datagrams to our ports. Nobody listens there, as the kernel then tells their
 * senders. */
static int filter_datagrams(int fd, const struct trace_socket_order *order)
{
	struct sock_filter code[] = {
		find_transport(order->family),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, order->first_port, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, order->last_port, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(fd, code, sizeof(code) / sizeof(code[0]));
}

/* Stamps are taken of the packets that ask for one; of them only the number comes back.
 */
static int prepare_stamps(int fd)
{
	int flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
		    SOF_TIMESTAMPING_OPT_TSONLY;

	return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) ? -errno
										  : 0;
}

/* What the kernel remembers of a path's MTU is not to stand for the path itself. */
static int ignore_known_mtu(int fd, bool v6)
{
	int probe = v6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;

	return setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &probe, sizeof(probe))
		       ? -errno
		       : 0;
}

static int ask_for_hop_limit(int fd)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) ? -errno
										: 0;
}

static int open_sockets(struct raw_socket *raw, const struct trace_socket_order *order)
{
	bool v6 = order->family == 6;
	/* With IPPROTO_RAW the packet comes with its IP header, in both families. */
	int rc = open_raw(&raw->fds[SEND_FD], order->family, IPPROTO_RAW);

	if (rc == 0)
		rc = prepare_stamps(raw->fds[SEND_FD]);
	if (rc == 0)
		rc = ignore_known_mtu(raw->fds[SEND_FD], v6);
	if (rc == 0)
		rc = open_raw(&raw->fds[ICMP_FD], order->family,
			v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (rc == 0)
		rc = v6 ? filter_icmp_v6(raw->fds[ICMP_FD])
			: filter_icmp_v4(raw->fds[ICMP_FD]);
	if (rc == 0)
		rc = open_raw(&raw->fds[TCP_FD], order->family, IPPROTO_TCP);
	if (rc == 0)
		rc = filter_segments(raw->fds[TCP_FD], order);
	if (rc == 0)
		rc = open_raw(&raw->fds[UDP_FD], order->family, IPPROTO_UDP);
	if (rc == 0)
		rc = filter_datagrams(raw->fds[UDP_FD], order);
	for (unsigned i = 0; rc == 0 && i < FDS; i++) {
		if (i != SEND_FD)
			rc = inbox_prepare(raw->fds[i]);
		if (rc == 0 && v6 && i != SEND_FD)
			rc = ask_for_hop_limit(raw->fds[i]);
		if (rc == 0) /* of the one that sends, stamps are an error's event */
			rc = trace_socket_watch(
				&raw->base, raw->fds[i], i == SEND_FD ? 0 : EPOLLIN, i);
	}
	return rc;
}

static void close_raw(struct trace_socket *sock)
{
	struct raw_socket *raw = (struct raw_socket *)sock;

	for (unsigned i = 0; i < FDS; i++)
		if (raw->fds[i] >= 0)
			(void)close(raw->fds[i]);
	inbox_free(raw->inbox);
	free(raw);
}

static int open_kind(struct trace_socket **out, const struct trace_socket_order *order)
{
	struct raw_socket *raw = calloc(1, sizeof(*raw));
	int rc;

	*out = NULL;
	if (!raw)
		return -ENOMEM;
	for (unsigned i = 0; i < FDS; i++)
		raw->fds[i] = -1;
	rc = trace_socket_init(&raw->base, &raw_socket_kind, order);
	if (rc == 0)
		rc = inbox_new(&raw->inbox);
	if (rc == 0)
		rc = open_sockets(raw, order);
	if (rc) {
		trace_socket_close(&raw->base);
		return rc;
	}
	*out = &raw->base;
	return 0;
}

struct outgoing {
	struct mmsghdr headers[TRACE_SOCKET_LOT];
	struct iovec vectors[TRACE_SOCKET_LOT][2];
	struct sockaddr_storage names[TRACE_SOCKET_LOT];
	uint8_t bytes[TRACE_SOCKET_LOT][PROBE_PACKET_MAX];
	_Alignas(struct cmsghdr)
		uint8_t controls[TRACE_SOCKET_LOT][CMSG_SPACE(sizeof(uint32_t))];
};

static void ask_for_stamp(struct msghdr *header, uint8_t *control)
{
	uint32_t flags = SOF_TIMESTAMPING_TX_SOFTWARE;
	struct cmsghdr *part = (struct cmsghdr *)(void *)control;

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SO_TIMESTAMPING;
	part->cmsg_len = CMSG_LEN(sizeof(flags));
	memcpy(CMSG_DATA(part), &flags, sizeof(flags));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(flags));
}

static void prepare(struct outgoing *out, unsigned i, const struct trace_packet *packet)
{
	size_t len = probe_packet_build_padded(
		out->bytes[i], &packet->flow, packet->ttl, packet->id, packet->padding);

	out->vectors[i][0] = (struct iovec){out->bytes[i], len};
	out->vectors[i][1] = (struct iovec){(void *)(uintptr_t)zeros, packet->padding};
	out->headers[i].msg_hdr = (struct msghdr){.msg_name = &out->names[i],
		.msg_namelen = address_to_sockaddr(&packet->flow.to, 0, &out->names[i]),
		.msg_iov = out->vectors[i],
		.msg_iovlen = packet->padding ? 2 : 1};
}

static int send_kind(struct trace_socket *sock, const struct trace_packet *lot,
	unsigned count, bool stamped)
{
	struct raw_socket *raw = (struct raw_socket *)sock;
	struct outgoing out;
	int sent;

	for (unsigned i = 0; i < count; i++) {
		prepare(&out, i, &lot[i]);
		if (!stamped)
			continue;
		raw->tags[(raw->stamped + i) % STAMPS] = lot[i].tag;
		ask_for_stamp(&out.headers[i].msg_hdr, out.controls[i]);
	}
	sent = sendmmsg(raw->fds[SEND_FD], out.headers, count, 0);
	if (sent < 0)
		return errno == ENOBUFS || errno == EINTR ? -EAGAIN : -errno;
	if (stamped)
		raw->stamped += (uint32_t)sent;
	return sent;
}

static void take_packet(
	struct raw_socket *raw, const struct inbox_item *item, uint8_t protocol)
{
	const struct trace_listener *listener = &raw->base.listener;
	struct reply_packet reply;
	int rc;

	if (raw->base.family == 4) {
		rc = reply_packet_read_v4(&reply, item->bytes, item->len);
	} else {
		rc = reply_packet_read_v6(
			&reply, &item->from, protocol, item->bytes, item->len);
		reply.ttl = item->ttl;
	}
	if (rc)
		listener->refused(listener->arg, rc);
	else
		listener->answered(listener->arg, &reply, !reply.is_data, item->at);
}

static void icmp_arrived(void *arg, const struct inbox_item *item)
{
	take_packet(arg, item, IPPROTO_ICMPV6);
}

static void segment_arrived(void *arg, const struct inbox_item *item)
{
	take_packet(arg, item, IPPROTO_TCP);
}

static void datagram_arrived(void *arg, const struct inbox_item *item)
{
	take_packet(arg, item, IPPROTO_UDP);
}

static void stamp_arrived(void *arg, const struct inbox_item *item)
{
	struct raw_socket *raw = arg;
	const struct trace_listener *listener = &raw->base.listener;
	uint32_t number = item->error.data;

	if (item->error.origin == SO_EE_ORIGIN_TIMESTAMPING &&
		raw->stamped - number - 1 < STAMPS && item->at.us != MOMENT_MAX_US)
		listener->left(listener->arg, raw->tags[number % STAMPS], item->at);
}

/* Stamps first: an answer is then measured from when its probe really left. */
static bool receive_kind(struct trace_socket *sock)
{
	static const inbox_fn arrived[SEND_FD] = {
		icmp_arrived, segment_arrived, datagram_arrived};
	struct raw_socket *raw = (struct raw_socket *)sock;
	bool more = false;

	if (raw->stamped)
		(void)inbox_read(raw->inbox, raw->fds[SEND_FD], MSG_ERRQUEUE,
			&raw->drops[SEND_FD], stamp_arrived, raw);
	sock->drops = 0;
	for (unsigned i = 0; i < SEND_FD; i++) {
		more |= inbox_read(raw->inbox, raw->fds[i], 0, &raw->drops[i], arrived[i],
				raw) == INBOX_TURN;
		sock->drops += raw->drops[i];
	}
	return more;
}

const struct trace_socket_kind raw_socket_kind = {
	.name = "raw",
	.text = "raw sockets",
	.open = open_kind,
	.close = close_raw,
	.send = send_kind,
	.receive = receive_kind,
};
