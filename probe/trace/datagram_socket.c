/*
 * UDP and ICMP echo for those who may not open raw sockets. The kernel keeps the ICMP
 * errors that come back for what a socket sent (IP_RECVERR) and hands over who sent them
 * and what they quote behind the header that the kernel itself wrote:
 *
 *   UDP   what follows the UDP header. Our id is the payload's first two bytes, so a
 *         router that quotes only eight bytes answers without a number.
 *   echo  the quoted ICMP header: the sequence number is always there.
 *
 * The quoted IP header is never seen: no odd TTLs, no TOS, no translation.
 */
#include <errno.h>
#include <time.h> /* before the next one, which needs it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "astray/cursor.h"
#include "astray/status.h"
#include "icmp_extension.h"
#include "inbox.h"
#include "trace_socket.h"

#define PORTS 64 /* UDP: flows at once, each a socket of its own */
/* An error that came for an earlier packet is what the next call returns, once each. */
#define SEND_TRIES 16

struct port {
	int fd;
	uint16_t number;
};

struct datagram_socket {
	struct trace_socket base;
	enum obs_protocol protocol;
	unsigned port_count, next_port;
	struct port ports[PORTS];
	uint32_t drops[PORTS];
	struct inbox *inbox;
	const struct port *reading;
};

static const uint8_t zeros[UINT16_MAX];

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

static int prepare_v4(int fd)
{
	int rc = set_int(fd, IPPROTO_IP, IP_RECVERR, 1);

	if (rc == 0)
		rc = set_int(fd, IPPROTO_IP, IP_RECVTTL, 1);
	if (rc == 0)
		rc = set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	/* Not in old kernels; MPLS labels are not seen then. */
	(void)set_int(fd, IPPROTO_IP, IP_RECVERR_RFC4884, 1);
	return rc;
}

static int prepare_v6(int fd)
{
	/* The same port is taken for IPv4 too. */
	int rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	if (rc == 0)
		rc = set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	if (rc == 0)
		rc = set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	if (rc == 0)
		rc = set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	/* The flow label stays 0: some routers choose by it. */
	if (rc == 0)
		rc = set_int(fd, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0);
	(void)set_int(fd, IPPROTO_IPV6, IPV6_RECVERR_RFC4884, 1);
	return rc;
}

static int bind_port(int fd, uint8_t family, uint16_t number)
{
	struct address any = {.family = family};
	struct sockaddr_storage name;
	socklen_t len = address_to_sockaddr(&any, number, &name);

	return bind(fd, (struct sockaddr *)&name, len) ? -errno : 0;
}

static int open_socket(const struct datagram_socket *datagram, uint16_t number)
{
	uint8_t family = datagram->base.family;
	int echo = family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int fd = socket(trace_socket_domain(family),
		SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		datagram->protocol == OBS_ICMP ? echo : IPPROTO_UDP);
	int rc = fd < 0 ? -errno : inbox_prepare(fd);

	if (rc == 0)
		rc = family == 6 ? prepare_v6(fd) : prepare_v4(fd);
	if (rc == 0)
		rc = bind_port(fd, family, number);
	if (rc && fd >= 0)
		(void)close(fd);
	return rc ? rc : fd;
}

/* The socket of a port, opened where it is new; the oldest one makes room. */
static int port_fd(struct datagram_socket *datagram, uint16_t number)
{
	struct port *port;
	int fd;

	for (unsigned i = 0; i < datagram->port_count; i++)
		if (datagram->ports[i].number == number)
			return datagram->ports[i].fd;
	fd = open_socket(datagram, number);
	if (fd < 0)
		return fd;
	port = &datagram->ports[datagram->next_port];
	if (datagram->port_count == PORTS)
		(void)close(port->fd);
	else
		datagram->port_count++;
	datagram->next_port = (datagram->next_port + 1) % PORTS;
	*port = (struct port){fd, number};
	return trace_socket_watch(&datagram->base, fd, EPOLLIN, 0) ? -errno : fd;
}

static void close_kind(struct trace_socket *sock)
{
	struct datagram_socket *datagram = (struct datagram_socket *)sock;

	for (unsigned i = 0; i < datagram->port_count; i++)
		(void)close(datagram->ports[i].fd);
	inbox_free(datagram->inbox);
	free(datagram);
}

static int open_with(struct trace_socket **out, const struct trace_socket_kind *kind,
	const struct trace_socket_order *order)
{
	struct datagram_socket *datagram = calloc(1, sizeof(*datagram));
	uint16_t number =
		order->protocol == OBS_ICMP ? order->identifier : order->first_port;
	int rc;

	*out = NULL;
	if (!datagram)
		return -ENOMEM;
	datagram->protocol = order->protocol;
	rc = trace_socket_init(&datagram->base, kind, order);
	if (rc == 0)
		rc = inbox_new(&datagram->inbox);
	if (rc == 0) {
		/* The first one shows whether it is allowed at all. */
		rc = port_fd(datagram, number);
		rc = rc < 0 ? rc : 0;
	}
	if (rc) {
		trace_socket_close(&datagram->base);
		return rc;
	}
	*out = &datagram->base;
	return 0;
}

static int open_udp(struct trace_socket **out, const struct trace_socket_order *order)
{
	return open_with(out, &datagram_socket_kind, order);
}

static int open_ping(struct trace_socket **out, const struct trace_socket_order *order)
{
	return open_with(out, &ping_socket_kind, order);
}

struct outgoing {
	struct mmsghdr headers[TRACE_SOCKET_LOT];
	struct iovec vectors[TRACE_SOCKET_LOT][2];
	struct sockaddr_storage names[TRACE_SOCKET_LOT];
	uint8_t bytes[TRACE_SOCKET_LOT][PROBE_PACKET_MAX];
	_Alignas(struct cmsghdr)
		uint8_t controls[TRACE_SOCKET_LOT][CMSG_SPACE(sizeof(int))];
};

static void put_ttl(struct msghdr *header, uint8_t *control, uint8_t family, int ttl)
{
	struct cmsghdr *part = (struct cmsghdr *)(void *)control;

	part->cmsg_level = family == 6 ? IPPROTO_IPV6 : IPPROTO_IP;
	part->cmsg_type = family == 6 ? IPV6_HOPLIMIT : IP_TTL;
	part->cmsg_len = CMSG_LEN(sizeof(ttl));
	memcpy(CMSG_DATA(part), &ttl, sizeof(ttl));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(ttl));
}

static struct iovec payload_of(
	const struct trace_packet *packet, uint8_t bytes[static PROBE_PACKET_MAX])
{
	size_t header_len = packet->flow.to.family == 6 ? 40 : 20;
	size_t len;

	if (packet->flow.protocol == OBS_UDP)
		return (struct iovec){
			bytes, probe_packet_payload(bytes, &packet->flow, packet->id)};
	/* Identifier and checksum, which the kernel writes anew, come out the same. */
	len = probe_packet_build_padded(
		bytes, &packet->flow, packet->ttl, packet->id, packet->padding);
	return (struct iovec){bytes + header_len, len - header_len};
}

static void prepare(struct outgoing *out, unsigned i, const struct trace_packet *packet)
{
	uint16_t port = packet->flow.protocol == OBS_UDP ? packet->flow.to_port : 0;
	struct msghdr *header = &out->headers[i].msg_hdr;

	out->vectors[i][0] = payload_of(packet, out->bytes[i]);
	out->vectors[i][1] = (struct iovec){(void *)(uintptr_t)zeros, packet->padding};
	*header = (struct msghdr){.msg_name = &out->names[i],
		.msg_namelen =
			address_to_sockaddr(&packet->flow.to, port, &out->names[i]),
		.msg_iov = out->vectors[i],
		.msg_iovlen = packet->padding ? 2 : 1};
	put_ttl(header, out->controls[i], packet->flow.to.family, packet->ttl);
}

/* Those of one port in front leave by one call. */
static unsigned same_port(const struct trace_packet *lot, unsigned count)
{
	unsigned same = 1;

	while (same < count && lot[same].flow.from_port == lot[0].flow.from_port)
		same++;
	return same;
}

static int send_kind(struct trace_socket *sock, const struct trace_packet *lot,
	unsigned count, bool stamped)
{
	struct datagram_socket *datagram = (struct datagram_socket *)sock;
	unsigned same = same_port(lot, count);
	int fd = port_fd(datagram, lot[0].flow.from_port);
	struct outgoing out;

	(void)stamped;
	if (fd < 0)
		return fd;
	for (unsigned i = 0; i < same; i++)
		prepare(&out, i, &lot[i]);
	for (unsigned tries = 0; tries < SEND_TRIES; tries++) {
		int sent = sendmmsg(fd, out.headers, same, 0);

		if (sent > 0)
			return sent;
		if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
			return -EAGAIN;
		if (errno == EMSGSIZE)
			break;
	}
	return -errno;
}

static bool is_icmp(const struct datagram_socket *datagram, const struct inbox_item *item)
{
	return item->error.origin ==
	       (datagram->base.family == 6 ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP);
}

/* What the kernel leaves of the quote. False when it does not say which probe it was. */
static bool read_quote(struct reply_packet *reply, const struct inbox_item *item)
{
	struct cursor cur = cursor_over(item->bytes, item->len);

	if (reply->protocol == OBS_UDP) {
		reply->id = cursor_take_u16(&cur);
		reply->cookie = cursor_take_u16(&cur);
		return !cur.short_read;
	}
	cursor_skip(&cur, 2);
	reply->to_port = cursor_take_u16(&cur);
	reply->from_port = cursor_take_u16(&cur);
	reply->id = cursor_take_u16(&cur);
	return !cur.short_read;
}

static void error_arrived(void *arg, const struct inbox_item *item)
{
	struct datagram_socket *datagram = arg;
	const struct trace_listener *listener = &datagram->base.listener;
	struct reply_packet reply = {.from = item->error.offender,
		.to = item->from,
		.protocol = datagram->protocol,
		.from_port = datagram->reading->number,
		.to_port = item->port,
		.ttl = item->ttl};
	size_t extension_at = item->error.extension_at;
	bool numbered;

	if (!is_icmp(datagram, item))
		return;
	if (reply_packet_judge(
		    &reply, item->error.type, item->error.code, item->error.info)) {
		listener->refused(listener->arg, STATUS_NOT_OURS);
		return;
	}
	numbered = read_quote(&reply, item);
	if (extension_at && extension_at < item->len)
		reply.mpls_count = icmp_extension_read_at(
			reply.mpls, item->bytes + extension_at, item->len - extension_at);
	listener->answered(listener->arg, &reply, numbered, item->at);
}

/* Something was answered on the port itself, or an echo reply. */
static void answer_arrived(void *arg, const struct inbox_item *item)
{
	struct datagram_socket *datagram = arg;
	const struct trace_listener *listener = &datagram->base.listener;
	struct reply_packet reply = {.kind = REPLY_ARRIVED,
		.from = item->from,
		.to = item->from,
		.protocol = OBS_UDP,
		.from_port = datagram->reading->number,
		.to_port = item->port,
		.ttl = item->ttl};
	bool numbered = datagram->protocol == OBS_ICMP;
	int rc = 0;

	if (datagram->protocol == OBS_ICMP)
		rc = reply_packet_read_echo(&reply, &item->from, item->bytes, item->len);
	else
		numbered = reply_packet_read_dns_number(
			&reply.id, item->port, item->bytes, item->len);
	reply.ttl = item->ttl;
	if (rc)
		listener->refused(listener->arg, rc);
	else
		listener->answered(listener->arg, &reply, numbered, item->at);
}

static bool receive_kind(struct trace_socket *sock)
{
	struct datagram_socket *datagram = (struct datagram_socket *)sock;

	bool more = false;

	sock->drops = 0;
	for (unsigned i = 0; i < datagram->port_count; i++) {
		datagram->reading = &datagram->ports[i];
		more |= inbox_read(datagram->inbox, datagram->ports[i].fd, MSG_ERRQUEUE,
				&datagram->drops[i], error_arrived,
				datagram) == INBOX_TURN;
		more |= inbox_read(datagram->inbox, datagram->ports[i].fd, 0,
				&datagram->drops[i], answer_arrived,
				datagram) == INBOX_TURN;
		sock->drops += datagram->drops[i];
	}
	return more;
}

const struct trace_socket_kind datagram_socket_kind = {
	.name = "datagram",
	.text = "UDP sockets, without privilege",
	.open = open_udp,
	.close = close_kind,
	.send = send_kind,
	.receive = receive_kind,
};

const struct trace_socket_kind ping_socket_kind = {
	.name = "ping",
	.text = "ping sockets, without privilege",
	.open = open_ping,
	.close = close_kind,
	.send = send_kind,
	.receive = receive_kind,
};
