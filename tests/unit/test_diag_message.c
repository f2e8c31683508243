#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "astray/own_mark.h"
#include "astray/status.h"
#include "diag_message.h"
#include "syn_mark.h"

struct diag_datagram {
	struct nlmsghdr head;
	struct inet_diag_msg row;
	struct rtattr attribute;
	struct tcp_info info;
} __attribute__((packed)); /* the kernel aligns attributes to four */

static struct diag_datagram make(uint8_t family, uint8_t state)
{
	struct diag_datagram datagram = {.head = {.nlmsg_len = sizeof(datagram),
						 .nlmsg_type = SOCK_DIAG_BY_FAMILY},
		.row = {.idiag_family = family,
			.idiag_state = state,
			.id = {.idiag_sport = htons(40000),
				.idiag_dport = htons(443),
				.idiag_cookie = {7, 1}}},
		.attribute = {.rta_len = sizeof(struct rtattr) + sizeof(struct tcp_info),
			.rta_type = INET_DIAG_INFO},
		.info = {.tcpi_rtt = 12345,
			.tcpi_min_rtt = 12000,
			.tcpi_retransmits = 1,
			.tcpi_total_retrans = 3,
			.tcpi_segs_in = 20,
			.tcpi_bytes_sent = 1500,
			.tcpi_bytes_retrans = 500,
			.tcpi_bytes_received = 9000}};

	return datagram;
}

struct heard {
	unsigned count;
	struct diag_message latest;
};

static void hear(void *arg, const struct diag_message *message)
{
	struct heard *heard = arg;

	heard->count++;
	heard->latest = *message;
}

static struct diag_message read_one(const struct diag_datagram *datagram)
{
	struct heard heard = {0};

	assert_int_equal(diag_message_read(datagram, sizeof(*datagram), hear, &heard), 0);
	assert_int_equal(heard.count, 1);
	return heard.latest;
}

static void a_socket_is_read_with_its_counts(void **state)
{
	struct diag_datagram datagram = make(AF_INET, 1);
	struct diag_message message;
	struct address remote;

	(void)state;
	(void)address_parse(&remote, "203.0.113.10");
	memcpy(datagram.row.id.idiag_dst, (const uint8_t[]){203, 0, 113, 10}, 4);
	message = read_one(&datagram);
	assert_true(address_equal(&message.remote, &remote));
	assert_int_equal(message.remote_port, 443);
	assert_int_equal(message.local_port, 40000);
	assert_true(message.cookie == (UINT64_C(1) << 32 | 7));
	assert_int_equal(message.state, DIAG_MESSAGE_CONNECTED);
	assert_true(message.counted && message.was_connected);
	assert_int_equal(message.rtt_us, 12345);
	assert_int_equal(message.tries, 1);
	assert_int_equal(message.retransmits, 3);
	assert_int_equal(message.segments_in, 20);
	assert_int_equal(message.sent_bytes, 1000);
	assert_int_equal(message.received_bytes, 9000);
}

static void states_are_told_apart(void **state)
{
	static const enum diag_message_state states[] = {[1] = DIAG_MESSAGE_CONNECTED,
		[2] = DIAG_MESSAGE_CONNECTS,
		[3] = DIAG_MESSAGE_OTHER,
		[4] = DIAG_MESSAGE_CONNECTED,
		[6] = DIAG_MESSAGE_OTHER,
		[7] = DIAG_MESSAGE_DESTROYED,
		[8] = DIAG_MESSAGE_CONNECTED,
		[10] = DIAG_MESSAGE_LISTENS};

	(void)state;
	for (uint8_t i = 1; i < sizeof(states) / sizeof(states[0]); i++) {
		struct diag_datagram datagram = make(AF_INET, i);

		if (i != 5 && i != 9)
			assert_int_equal(read_one(&datagram).state, states[i]);
	}
}

static void ipv4_inside_ipv6_is_ipv4(void **state)
{
	struct diag_datagram datagram = make(AF_INET6, 1);
	struct diag_message message;
	struct address v4, v6;

	(void)state;
	(void)address_parse(&v4, "203.0.113.10");
	(void)address_parse(&v6, "2001:db8::10");
	memcpy(datagram.row.id.idiag_dst,
		(const uint8_t[]){[10] = 0xff, 0xff, 203, 0, 113, 10}, 16);
	message = read_one(&datagram);
	assert_true(address_equal(&message.remote, &v4));
	memcpy(datagram.row.id.idiag_dst, v6.bytes, 16);
	message = read_one(&datagram);
	assert_true(address_equal(&message.remote, &v6));
}

static void one_that_never_connected_has_no_round_trip(void **state)
{
	struct diag_datagram datagram = make(AF_INET, 7);

	(void)state;
	datagram.info.tcpi_min_rtt = UINT32_MAX;
	assert_false(read_one(&datagram).was_connected);
	datagram.info.tcpi_bytes_acked = 1; /* its SYN */
	assert_true(read_one(&datagram).was_connected);
}

static void our_own_are_known(void **state)
{
	struct diag_datagram datagram = make(AF_INET, 7);

	(void)state;
	datagram.info.tcpi_advmss = 1448;
	assert_false(read_one(&datagram).is_own);
	datagram.info.tcpi_advmss = OWN_MARK_SEGMENT;
	assert_true(read_one(&datagram).is_own);
	datagram.info.tcpi_advmss = SYN_MARK_SEGMENT;
	assert_true(read_one(&datagram).is_own);
	datagram.info.tcpi_advmss = OWN_MARK_SEGMENT - OWN_MARK_TIMESTAMPS;
	assert_true(read_one(&datagram).is_own);
}

static void older_kernels_say_less(void **state)
{
	struct diag_datagram datagram = make(AF_INET, 1);

	(void)state;
	datagram.attribute.rta_len = sizeof(struct rtattr) + 104;
	assert_false(read_one(&datagram).counted);
	datagram.attribute.rta_len =
		(unsigned short)(sizeof(struct rtattr) +
				 offsetof(struct tcp_info, tcpi_dsack_dups));
	assert_true(read_one(&datagram).counted);
}

static void a_list_ends_or_is_refused(void **state)
{
	struct {
		struct nlmsghdr head;
		int error;
	} end = {.head = {.nlmsg_len = sizeof(end), .nlmsg_type = NLMSG_DONE}};
	struct heard heard = {0};

	(void)state;
	assert_int_equal(diag_message_read(&end, sizeof(end), hear, &heard), 1);
	end.head.nlmsg_type = NLMSG_ERROR;
	end.error = -ENOENT;
	assert_int_equal(diag_message_read(&end, sizeof(end), hear, &heard), -ENOENT);
	end.error = 5;
	assert_int_equal(
		diag_message_read(&end, sizeof(end), hear, &heard), STATUS_SYNTAX);
	assert_int_equal(heard.count, 0);
}

static void short_prefixes_and_wrong_lengths_say_nothing(void **state)
{
	struct diag_datagram datagram = make(AF_INET, 1);
	static const uint32_t lengths[] = {0, 1, 15, 16, 17, 5000, UINT32_MAX};
	struct heard heard = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(datagram); len++)
		assert_int_equal(diag_message_read(&datagram, len, hear, &heard), 0);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		datagram.head.nlmsg_len = lengths[i];
		(void)diag_message_read(&datagram, sizeof(datagram), hear, &heard);
	}
	assert_int_equal(heard.count, 0);
	datagram = make(AF_INET, 1);
	datagram.attribute.rta_len = 5000; /* beyond the end */
	assert_false(read_one(&datagram).counted);
	datagram = make(AF_UNIX, 1);
	(void)diag_message_read(&datagram, sizeof(datagram), hear, &heard);
	assert_int_equal(heard.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_is_read_with_its_counts),
		cmocka_unit_test(states_are_told_apart),
		cmocka_unit_test(ipv4_inside_ipv6_is_ipv4),
		cmocka_unit_test(one_that_never_connected_has_no_round_trip),
		cmocka_unit_test(our_own_are_known),
		cmocka_unit_test(older_kernels_say_less),
		cmocka_unit_test(a_list_ends_or_is_refused),
		cmocka_unit_test(short_prefixes_and_wrong_lengths_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
