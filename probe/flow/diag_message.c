#include "diag_message.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "astray/cursor.h"
#include "astray/own_mark.h"
#include "astray/status.h"
#include "netlink_message.h"
#include "syn_mark.h"

/* Of tcp_states.h, which the kernel keeps for itself. */
enum tcp_state {
	TCP_STATE_SYN_SENT = 2,
	TCP_STATE_SYN_RECEIVED = 3,
	TCP_STATE_TIME_WAIT = 6,
	TCP_STATE_CLOSE = 7,
	TCP_STATE_LISTEN = 10,
	TCP_STATE_NEW_SYN_RECEIVED = 12,
};

static enum diag_message_state state_of(uint8_t state)
{
	switch (state) {
	case TCP_STATE_SYN_SENT:
		return DIAG_MESSAGE_CONNECTS;
	case TCP_STATE_LISTEN:
		return DIAG_MESSAGE_LISTENS;
	case TCP_STATE_CLOSE:
		return DIAG_MESSAGE_DESTROYED;
	case TCP_STATE_SYN_RECEIVED:
	case TCP_STATE_TIME_WAIT:
	case TCP_STATE_NEW_SYN_RECEIVED:
		return DIAG_MESSAGE_OTHER;
	default:
		return DIAG_MESSAGE_CONNECTED;
	}
}

/* Sockets for both families write IPv4 inside IPv6. */
static struct address address_of(uint8_t family, const __be32 words[4])
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	uint8_t bytes[16];

	memcpy(bytes, words, sizeof(bytes));
	if (family == AF_INET)
		return address_v4(bytes);
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0)
		return address_v4(bytes + 12);
	return address_v6(bytes);
}

static bool is_agreed_on(uint32_t segment, uint32_t mark)
{
	return segment == mark || segment == mark - OWN_MARK_TIMESTAMPS;
}

static bool is_marked(uint32_t segment)
{
	return is_agreed_on(segment, OWN_MARK_SEGMENT) ||
	       is_agreed_on(segment, SYN_MARK_SEGMENT);
}

static void read_counts(struct diag_message *message, struct cursor value)
{
	struct tcp_info info = {0};
	size_t len = cursor_left(&value);

	/* Older kernels give less of it, newer ones more; the first of these counters
	 * came with the last (Linux 4.19). */
	if (len < offsetof(struct tcp_info, tcpi_dsack_dups))
		return;
	(void)netlink_message_take(
		&value, &info, len < sizeof(info) ? len : sizeof(info));
	message->counted = true;
	message->was_connected =
		info.tcpi_bytes_acked > 0 ||
		(info.tcpi_min_rtt != 0 && info.tcpi_min_rtt != UINT32_MAX);
	message->is_own = is_marked(info.tcpi_advmss);
	message->rtt_us = info.tcpi_rtt;
	message->tries = info.tcpi_retransmits;
	message->retransmits = info.tcpi_total_retrans;
	message->segments_in = info.tcpi_segs_in;
	message->received_bytes = info.tcpi_bytes_received;
	if (info.tcpi_bytes_sent > info.tcpi_bytes_retrans)
		message->sent_bytes = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
}

static void read_attributes(struct diag_message *message, struct cursor *cur)
{
	struct cursor value;
	uint16_t type;

	while (netlink_message_attribute(cur, &type, &value))
		if (type == INET_DIAG_INFO)
			read_counts(message, value);
}

static void read_socket(struct cursor body, diag_message_fn each, void *arg)
{
	struct inet_diag_msg row;
	struct diag_message message = {0};

	if (!netlink_message_take(&body, &row, sizeof(row)) ||
		(row.idiag_family != AF_INET && row.idiag_family != AF_INET6))
		return;
	message.cookie = (uint64_t)row.id.idiag_cookie[1] << 32 | row.id.idiag_cookie[0];
	message.state = state_of(row.idiag_state);
	message.local = address_of(row.idiag_family, row.id.idiag_src);
	message.remote = address_of(row.idiag_family, row.id.idiag_dst);
	message.local_port = ntohs(row.id.idiag_sport);
	message.remote_port = ntohs(row.id.idiag_dport);
	read_attributes(&message, &body);
	each(arg, &message);
}

static int refusal(struct cursor body)
{
	int32_t error = 0;

	if (!netlink_message_take(&body, &error, sizeof(error)) || error > 0 ||
		error < -4095)
		return STATUS_SYNTAX;
	return error < 0 ? error : 1;
}

int diag_message_read(const void *bytes, size_t len, diag_message_fn each, void *arg)
{
	struct cursor cur = cursor_over(bytes, len), body;
	struct nlmsghdr head;

	while (netlink_message_next(&cur, &head, &body)) {
		if (head.nlmsg_type == NLMSG_ERROR)
			return refusal(body);
		if (head.nlmsg_type == NLMSG_DONE)
			return 1;
		if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY)
			read_socket(body, each, arg);
	}
	return 0;
}
