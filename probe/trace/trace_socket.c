#include "trace_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "astray/status.h"

#define RECEIVE_LOT 32
#define RECEIVE_LOTS_MAX \
	32              /* for each call, so that the loop's other work has its turn */
#define PACKET_MAX 1536 /* ICMPv6 quotes up to 1280 bytes in all */
#define CONTROL_MAX 128
/* Replies of a thousand traces in flight; an ICMP error takes the room of 800 bytes. */
#define RECEIVE_BUFFER_BYTES (8 * 1024 * 1024)

enum { ICMP_FD, TCP_FD };

struct trace_socket {
	uint8_t family;
	int send_fd;
	int fds[TRACE_SOCKET_FDS];
	uint32_t drops[TRACE_SOCKET_FDS]; /* as the kernel counts them */
	struct mmsghdr headers[RECEIVE_LOT];
	struct iovec vectors[RECEIVE_LOT];
	struct sockaddr_storage names[RECEIVE_LOT];
	_Alignas(struct cmsghdr) uint8_t controls[RECEIVE_LOT][CONTROL_MAX];
	uint8_t packets[RECEIVE_LOT][PACKET_MAX];
};

static int domain_of(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

static int open_raw(int *out, uint8_t family, int protocol)
{
	*out = socket(
		domain_of(family), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return *out < 0 ? -errno : 0;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

static int ask_for_stamps(int fd)
{
	int rc = set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);

	if (rc == 0)
		rc = set_int(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	/* Beyond the system's limit where that is allowed, up to it where not. */
	if (rc == 0 && set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES))
		rc = set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
	return rc;
}

static int open_icmp_v4(struct trace_socket *sock)
{
	struct icmp_filter unwanted = {
		.data = ~(1u << ICMP_ECHOREPLY | 1u << ICMP_DEST_UNREACH |
			  1u << ICMP_TIME_EXCEEDED)};
	int rc = open_raw(&sock->fds[ICMP_FD], 4, IPPROTO_ICMP);

	if (rc == 0 && setsockopt(sock->fds[ICMP_FD], SOL_RAW, ICMP_FILTER, &unwanted,
			       sizeof(unwanted)))
		rc = -errno;
	return rc;
}

static int open_icmp_v6(struct trace_socket *sock)
{
	struct icmp6_filter unwanted;
	int rc = open_raw(&sock->fds[ICMP_FD], 6, IPPROTO_ICMPV6);

	memset(&unwanted, 0xff, sizeof(unwanted));
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &unwanted);
	ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &unwanted);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &unwanted);
	if (rc == 0 && setsockopt(sock->fds[ICMP_FD], IPPROTO_ICMPV6, ICMP6_FILTER,
			       &unwanted, sizeof(unwanted)))
		rc = -errno;
	return rc;
}

/* A raw TCP socket is given every segment of the machine. This filter leaves SYN-ACKs and
 * RSTs to our ports, decided in the kernel. Over IPv6 it sees no IP header. */
static int filter_segments(
	int fd, uint8_t family, uint16_t first_port, uint16_t last_port)
{
	struct sock_filter code[] = {
		family == 4 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
			    : (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2), /* the port it is for */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first_port, 0, 5),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last_port, 4, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),           /* flags */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10, 0, 2), /* ACK, with */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x06, 0, 1), /* SYN or RST */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program))
		       ? -errno
		       : 0;
}

static int open_all(struct trace_socket *sock, uint16_t first_port, uint16_t last_port)
{
	/* With IPPROTO_RAW the packet comes with its IP header, in both families. */
	int rc = open_raw(&sock->send_fd, sock->family, IPPROTO_RAW);

	if (rc == 0)
		rc = sock->family == 6 ? open_icmp_v6(sock) : open_icmp_v4(sock);
	if (rc == 0)
		rc = open_raw(&sock->fds[TCP_FD], sock->family, IPPROTO_TCP);
	if (rc == 0)
		rc = filter_segments(
			sock->fds[TCP_FD], sock->family, first_port, last_port);
	for (unsigned i = 0; rc == 0 && i < TRACE_SOCKET_FDS; i++)
		rc = ask_for_stamps(sock->fds[i]);
	return rc;
}

static int explain(struct fault *fault, int rc)
{
	if (rc != -EPERM && rc != -EACCES)
		return fault_at(fault, rc, "", "a raw socket: %s", status_text(rc));
	return fault_at(fault, -EPERM, "",
		"tracing needs the capability CAP_NET_RAW: run as root, or once "
		"\"setcap cap_net_raw+ep\" on the program, or give the service "
		"AmbientCapabilities=CAP_NET_RAW");
}

int trace_socket_open(struct trace_socket **out, uint8_t family, uint16_t first_port,
	uint16_t last_port, struct fault *fault)
{
	struct trace_socket *sock = calloc(1, sizeof(*sock));
	int rc;

	*out = NULL;
	if (!sock)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	sock->family = family;
	sock->send_fd = -1;
	for (unsigned i = 0; i < TRACE_SOCKET_FDS; i++)
		sock->fds[i] = -1;
	rc = open_all(sock, first_port, last_port);
	if (rc)
		goto fail;
	*out = sock;
	return 0;

fail:
	trace_socket_close(sock);
	return explain(fault, rc);
}

void trace_socket_close(struct trace_socket *sock)
{
	if (!sock)
		return;
	if (sock->send_fd >= 0)
		(void)close(sock->send_fd);
	for (unsigned i = 0; i < TRACE_SOCKET_FDS; i++)
		if (sock->fds[i] >= 0)
			(void)close(sock->fds[i]);
	free(sock);
}

int trace_socket_fd(const struct trace_socket *sock, unsigned which)
{
	return sock->fds[which];
}

int trace_socket_send(
	struct trace_socket *sock, struct trace_socket_packet *lot, unsigned count)
{
	struct mmsghdr headers[TRACE_SOCKET_LOT];
	struct iovec vectors[TRACE_SOCKET_LOT];
	struct sockaddr_storage names[TRACE_SOCKET_LOT];
	int sent;

	for (unsigned i = 0; i < count; i++) {
		vectors[i] =
			(struct iovec){.iov_base = lot[i].bytes, .iov_len = lot[i].len};
		headers[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
			.msg_namelen = address_to_sockaddr(&lot[i].to, 0, &names[i]),
			.msg_iov = &vectors[i],
			.msg_iovlen = 1};
	}
	sent = sendmmsg(sock->send_fd, headers, count, 0);
	if (sent < 0)
		return errno == ENOBUFS || errno == EINTR ? -EAGAIN : -errno;
	return sent;
}

static void take_control(struct trace_socket *sock, unsigned which, struct msghdr *header,
	struct moment *at)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		struct timespec stamp;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			at->us = stamp.tv_sec * MOMENT_SECOND_US + stamp.tv_nsec / 1000;
		} else if (c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&sock->drops[which], CMSG_DATA(c), sizeof(uint32_t));
		}
	}
}

static uint8_t protocol_of(const struct trace_socket *sock, unsigned which)
{
	if (which == TCP_FD)
		return IPPROTO_TCP;
	return sock->family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static int receive_lot(struct trace_socket *sock, unsigned which)
{
	for (unsigned i = 0; i < RECEIVE_LOT; i++) {
		sock->vectors[i] = (struct iovec){
			.iov_base = sock->packets[i], .iov_len = PACKET_MAX};
		sock->headers[i].msg_hdr = (struct msghdr){.msg_name = &sock->names[i],
			.msg_namelen = sizeof(sock->names[i]),
			.msg_iov = &sock->vectors[i],
			.msg_iovlen = 1,
			.msg_control = sock->controls[i],
			.msg_controllen = CONTROL_MAX};
	}
	return recvmmsg(sock->fds[which], sock->headers, RECEIVE_LOT, MSG_DONTWAIT, NULL);
}

static void hand_over(struct trace_socket *sock, unsigned which, unsigned i,
	trace_socket_arrival_fn arrived, void *arg)
{
	/* Where the kernel gave no stamp, the latest moment there is: received now. */
	struct trace_socket_arrival what = {.protocol = protocol_of(sock, which),
		.at = {MOMENT_MAX_US},
		.bytes = sock->packets[i],
		.len = sock->headers[i].msg_len};

	take_control(sock, which, &sock->headers[i].msg_hdr, &what.at);
	if (address_from_sockaddr(
		    &what.from, NULL, (const struct sockaddr *)&sock->names[i]) == 0)
		arrived(arg, &what);
}

int trace_socket_receive(struct trace_socket *sock, unsigned which,
	trace_socket_arrival_fn arrived, void *arg)
{
	int total = 0;

	for (unsigned lot = 0; lot < RECEIVE_LOTS_MAX; lot++) {
		int count = receive_lot(sock, which);

		for (int i = 0; i < count; i++)
			hand_over(sock, which, (unsigned)i, arrived, arg);
		if (count > 0)
			total += count;
		if (count < RECEIVE_LOT)
			break;
	}
	return total;
}

uint64_t trace_socket_drops(const struct trace_socket *sock)
{
	uint64_t drops = 0;

	for (unsigned i = 0; i < TRACE_SOCKET_FDS; i++)
		drops += sock->drops[i];
	return drops;
}

int trace_socket_source(struct address *out, const struct address *to)
{
	struct sockaddr_storage name;
	socklen_t len = address_to_sockaddr(to, 9, &name); /* any port: nothing is sent */
	int fd = socket(domain_of(to->family), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	*out = (struct address){0};
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&name, len))
		rc = -errno;
	len = sizeof(name);
	if (rc == 0 && getsockname(fd, (struct sockaddr *)&name, &len))
		rc = -errno;
	(void)close(fd);
	return rc ? rc : address_from_sockaddr(out, NULL, (struct sockaddr *)&name);
}
