#include "inbox.h"

#include <errno.h>
#include <time.h> /* before the next one, which needs it */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define LOT 32
#define LOTS_MAX (INBOX_TURN / LOT)
#define CONTROL_MAX 256
/* Replies of a thousand traces in flight; an ICMP error takes the room of 800 bytes. */
#define RECEIVE_BUFFER_BYTES (8 * 1024 * 1024)

struct inbox {
	struct mmsghdr headers[LOT];
	struct iovec vectors[LOT];
	struct sockaddr_storage names[LOT];
	_Alignas(struct cmsghdr) uint8_t controls[LOT][CONTROL_MAX];
	uint8_t packets[LOT][INBOX_PACKET];
};

int inbox_new(struct inbox **out)
{
	*out = malloc(sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void inbox_free(struct inbox *inbox)
{
	free(inbox);
}

static int set_int(int fd, int option, int value)
{
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)) ? -errno : 0;
}

int inbox_prepare(int fd)
{
	int rc = set_int(fd, SO_TIMESTAMPNS, 1);

	if (rc == 0)
		rc = set_int(fd, SO_RXQ_OVFL, 1);
	/* Beyond the system's limit where that is allowed, up to it where not. */
	if (rc == 0 && set_int(fd, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES))
		rc = set_int(fd, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
	return rc;
}

static struct moment moment_of(const struct timespec *stamp)
{
	return (struct moment){stamp->tv_sec * MOMENT_SECOND_US + stamp->tv_nsec / 1000};
}

static void take_socket_part(
	struct inbox_item *item, const struct cmsghdr *part, uint32_t *drops)
{
	struct timespec stamp;

	if (part->cmsg_type == SCM_TIMESTAMPNS || part->cmsg_type == SCM_TIMESTAMPING) {
		memcpy(&stamp, CMSG_DATA(part), sizeof(stamp));
		item->at = moment_of(&stamp);
	} else if (part->cmsg_type == SO_RXQ_OVFL) {
		memcpy(drops, CMSG_DATA(part), sizeof(*drops));
	}
}

static void take_error(struct inbox_item *item, const struct cmsghdr *part)
{
	struct sock_extended_err error;
	struct sockaddr_storage offender = {0};
	size_t len = part->cmsg_len - CMSG_LEN(0);

	if (len < sizeof(error))
		return;
	memcpy(&error, CMSG_DATA(part), sizeof(error));
	item->error = (struct inbox_error){.origin = error.ee_origin,
		.type = error.ee_type,
		.code = error.ee_code,
		.info = error.ee_info,
		.data = error.ee_data};
	if (!(error.ee_rfc4884.flags & SO_EE_RFC4884_FLAG_INVALID))
		item->error.extension_at = error.ee_rfc4884.len;
	len -= sizeof(error);
	if (len > sizeof(offender))
		len = sizeof(offender);
	memcpy(&offender, CMSG_DATA(part) + sizeof(error), len);
	(void)address_from_sockaddr(
		&item->error.offender, NULL, (struct sockaddr *)&offender);
}

static void take_ip_part(struct inbox_item *item, const struct cmsghdr *part)
{
	bool v6 = part->cmsg_level == IPPROTO_IPV6;
	int ttl;

	if (part->cmsg_type == (v6 ? IPV6_RECVERR : IP_RECVERR)) {
		take_error(item, part);
	} else if (part->cmsg_type == (v6 ? IPV6_HOPLIMIT : IP_TTL)) {
		memcpy(&ttl, CMSG_DATA(part), sizeof(ttl));
		item->ttl = (uint8_t)ttl;
	}
}

static void take_control(struct inbox_item *item, struct msghdr *header, uint32_t *drops)
{
	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at;
		at = CMSG_NXTHDR(header, at)) {
		if (at->cmsg_level == SOL_SOCKET)
			take_socket_part(item, at, drops);
		else if (at->cmsg_level == IPPROTO_IP || at->cmsg_level == IPPROTO_IPV6)
			take_ip_part(item, at);
	}
}

static int read_lot(struct inbox *inbox, int fd, int flags)
{
	for (unsigned i = 0; i < LOT; i++) {
		inbox->vectors[i] = (struct iovec){
			.iov_base = inbox->packets[i], .iov_len = INBOX_PACKET};
		inbox->headers[i].msg_hdr = (struct msghdr){.msg_name = &inbox->names[i],
			.msg_namelen = sizeof(inbox->names[i]),
			.msg_iov = &inbox->vectors[i],
			.msg_iovlen = 1,
			.msg_control = inbox->controls[i],
			.msg_controllen = CONTROL_MAX};
	}
	return recvmmsg(fd, inbox->headers, LOT, MSG_DONTWAIT | flags, NULL);
}

static void hand_over(
	struct inbox *inbox, unsigned i, uint32_t *drops, inbox_fn arrived, void *arg)
{
	struct msghdr *header = &inbox->headers[i].msg_hdr;
	struct inbox_item item = {.at = {MOMENT_MAX_US},
		.bytes = inbox->packets[i],
		.len = inbox->headers[i].msg_len};

	take_control(&item, header, drops);
	if (header->msg_namelen)
		(void)address_from_sockaddr(
			&item.from, &item.port, (struct sockaddr *)&inbox->names[i]);
	arrived(arg, &item);
}

int inbox_read(struct inbox *inbox, int fd, int flags, uint32_t *drops, inbox_fn arrived,
	void *arg)
{
	int total = 0;

	for (unsigned lot = 0; lot < LOTS_MAX; lot++) {
		int count = read_lot(inbox, fd, flags);

		for (int i = 0; i < count; i++)
			hand_over(inbox, (unsigned)i, drops, arrived, arg);
		if (count > 0)
			total += count;
		if (count < LOT)
			break;
	}
	return total;
}
