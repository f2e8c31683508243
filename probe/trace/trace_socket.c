#include "trace_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "astray/status.h"

#define USUAL_MTU 1500

int trace_socket_domain(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

static const struct trace_socket_kind *without_privilege(enum obs_protocol protocol)
{
	switch (protocol) {
	case OBS_TCP:
		return &connect_socket_kind;
	case OBS_UDP:
		return &datagram_socket_kind;
	case OBS_ICMP:
		break;
	}
	return &ping_socket_kind;
}

int trace_socket_explain(struct fault *fault, enum obs_protocol protocol, int rc)
{
	if (rc != -EPERM && rc != -EACCES)
		return fault_at(
			fault, rc, "", "sockets for tracing: %s", status_text(rc));
	return fault_at(fault, -EPERM, "",
		"tracing by %s is not allowed here: run as root, or once \"setcap "
		"cap_net_raw+ep\" on the program, or give the service "
		"AmbientCapabilities=CAP_NET_RAW%s",
		obs_protocol_text(protocol),
		protocol == OBS_ICMP
			? ", or take the group into net.ipv4.ping_group_range"
			: "");
}

int trace_socket_open(struct trace_socket **out, const struct trace_socket_order *order,
	struct fault *fault)
{
	int rc = raw_socket_kind.open(out, order);

	if (rc == -EPERM || rc == -EACCES)
		rc = without_privilege(order->protocol)->open(out, order);
	if (rc == -EAFNOSUPPORT || rc == 0)
		return rc;
	return trace_socket_explain(fault, order->protocol, rc);
}

void trace_socket_close(struct trace_socket *sock)
{
	if (!sock)
		return;
	if (sock->epoll_fd >= 0)
		(void)close(sock->epoll_fd);
	sock->kind->close(sock);
}

int trace_socket_fd(const struct trace_socket *sock)
{
	return sock->epoll_fd;
}

int trace_socket_send(struct trace_socket *sock, const struct trace_packet *lot,
	unsigned count, bool stamped)
{
	return sock->kind->send(sock, lot, count, stamped);
}

bool trace_socket_receive(struct trace_socket *sock)
{
	return sock->kind->receive(sock);
}

uint64_t trace_socket_drops(const struct trace_socket *sock)
{
	return sock->drops;
}

static unsigned largest_of(int fd, uint8_t family)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);
	int rc = family == 6 ? getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len)
			     : getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len);

	/* What the kernel remembers of this path may be less than the first link. */
	if (rc || mtu < USUAL_MTU)
		return USUAL_MTU;
	return mtu < UINT16_MAX ? (unsigned)mtu : UINT16_MAX;
}

int trace_socket_source(struct address *out, unsigned *largest, const struct address *to)
{
	struct sockaddr_storage name;
	socklen_t len = address_to_sockaddr(to, 9, &name); /* any port: nothing is sent */
	int fd = socket(trace_socket_domain(to->family), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	*out = (struct address){0};
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&name, len))
		rc = -errno;
	len = sizeof(name);
	if (rc == 0 && getsockname(fd, (struct sockaddr *)&name, &len))
		rc = -errno;
	*largest = largest_of(fd, to->family);
	(void)close(fd);
	return rc ? rc : address_from_sockaddr(out, NULL, (struct sockaddr *)&name);
}

int trace_socket_init(struct trace_socket *sock, const struct trace_socket_kind *kind,
	const struct trace_socket_order *order)
{
	sock->kind = kind;
	sock->listener = *order->listener;
	sock->family = order->family;
	sock->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return sock->epoll_fd < 0 ? -errno : 0;
}

int trace_socket_watch(struct trace_socket *sock, int fd, uint32_t events, uint32_t key)
{
	struct epoll_event event = {.events = events, .data.u32 = key};

	return epoll_ctl(sock->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}
