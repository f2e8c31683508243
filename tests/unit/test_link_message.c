#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "link_message.h"

struct link_datagram {
	struct nlmsghdr head;
	struct ifinfomsg info;
	struct rtattr mtu;
	uint32_t mtu_value;
	struct rtattr name;
	char name_value[8];
};

static struct link_datagram link_named(uint16_t type, int number, const char *name)
{
	struct link_datagram datagram = {
		.head = {.nlmsg_len = sizeof(datagram), .nlmsg_type = type},
		.info = {.ifi_index = number, .ifi_flags = IFF_UP},
		.mtu = {.rta_len = 8, .rta_type = IFLA_MTU},
		.name = {.rta_len = 4 + 8, .rta_type = IFLA_IFNAME}};

	memcpy(datagram.name_value, name, strlen(name));
	datagram.name.rta_len = (unsigned short)(4 + strlen(name) + 1);
	return datagram;
}

struct heard {
	unsigned count;
	struct link_message latest;
};

static void hear(void *arg, const struct link_message *message)
{
	struct heard *heard = arg;

	heard->count++;
	heard->latest = *message;
}

static void an_interface_comes_and_goes(void **state)
{
	struct link_datagram datagram = link_named(RTM_NEWLINK, 7, "eth0");
	struct heard heard = {0};

	(void)state;
	assert_false(link_message_read(&datagram, sizeof(datagram), hear, &heard));
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.latest.number, 7);
	assert_string_equal(heard.latest.name, "eth0");
	assert_true(heard.latest.up && !heard.latest.gone);
	datagram.head.nlmsg_type = RTM_DELLINK;
	(void)link_message_read(&datagram, sizeof(datagram), hear, &heard);
	assert_true(heard.latest.gone);
	datagram = link_named(RTM_NEWLINK, 7, "eth0");
	datagram.info.ifi_flags = 0;
	(void)link_message_read(&datagram, sizeof(datagram), hear, &heard);
	assert_true(!heard.latest.gone && !heard.latest.up);
}

static void leaving_a_bridge_is_not_going(void **state)
{
	struct link_datagram datagram = link_named(RTM_DELLINK, 7, "eth0");
	struct heard heard = {0};

	(void)state;
	datagram.info.ifi_family = AF_BRIDGE;
	(void)link_message_read(&datagram, sizeof(datagram), hear, &heard);
	assert_int_equal(heard.count, 0);
}

static void every_interface_of_a_list_is_heard_and_its_end(void **state)
{
	struct {
		struct link_datagram first, second;
		struct nlmsghdr end;
	} list = {.first = link_named(RTM_NEWLINK, 1, "lo"),
		.second = link_named(RTM_NEWLINK, 2, "eth0"),
		.end = {.nlmsg_len = sizeof(list.end), .nlmsg_type = NLMSG_DONE}};
	struct heard heard = {0};

	(void)state;
	assert_true(link_message_read(&list, sizeof(list), hear, &heard));
	assert_int_equal(heard.count, 2);
	assert_string_equal(heard.latest.name, "eth0");
}

static void short_prefixes_and_wrong_lengths_say_nothing(void **state)
{
	struct link_datagram datagram = link_named(RTM_NEWLINK, 7, "eth0");
	static const uint32_t lengths[] = {0, 1, 15, 16, 17, 1000, UINT32_MAX};
	struct heard heard = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(datagram); len++)
		assert_false(link_message_read(&datagram, len, hear, &heard));
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		datagram.head.nlmsg_len = lengths[i];
		(void)link_message_read(&datagram, sizeof(datagram), hear, &heard);
	}
	datagram = link_named(RTM_NEWLINK, 7, "eth0");
	datagram.name.rta_len = 100; /* beyond the end */
	(void)link_message_read(&datagram, sizeof(datagram), hear, &heard);
	datagram.name.rta_len = 6; /* a name without its end */
	(void)link_message_read(&datagram, sizeof(datagram), hear, &heard);
	assert_int_equal(heard.count, 0);
}

static void names_are_matched_by_lists_of_patterns(void **state)
{
	(void)state;
	assert_true(link_message_is_named("eth0", "eth0"));
	assert_false(link_message_is_named("eth0", "eth01"));
	assert_true(link_message_is_named("eth0,wlan*", "wlan3"));
	assert_true(link_message_is_named("*", "lo"));
	assert_false(link_message_is_named("eth?,wlan*", "veth0"));
	assert_false(link_message_is_named("", "lo"));
	assert_false(link_message_is_named(",,", "lo"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interface_comes_and_goes),
		cmocka_unit_test(leaving_a_bridge_is_not_going),
		cmocka_unit_test(every_interface_of_a_list_is_heard_and_its_end),
		cmocka_unit_test(short_prefixes_and_wrong_lengths_say_nothing),
		cmocka_unit_test(names_are_matched_by_lists_of_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
