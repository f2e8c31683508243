#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <cmocka.h>

#include "route_message.h"

struct route_datagram {
	struct nlmsghdr head;
	struct rtmsg route;
};

static struct route_datagram route(uint16_t type, uint8_t dst_len, uint8_t table)
{
	return (struct route_datagram){
		.head = {.nlmsg_len = sizeof(struct route_datagram), .nlmsg_type = type},
		.route = {.rtm_family = 2,
			.rtm_dst_len = dst_len,
			.rtm_table = table,
			.rtm_type = RTN_UNICAST}};
}

static struct route_message_news read_route(uint16_t type, uint8_t dst_len, uint8_t table)
{
	struct route_datagram datagram = route(type, dst_len, table);
	struct route_message_news news = {0};

	route_message_read(&news, &datagram, sizeof(datagram));
	return news;
}

static void a_default_route_that_goes_is_lost(void **state)
{
	struct route_message_news news = read_route(RTM_DELROUTE, 0, RT_TABLE_MAIN);

	(void)state;
	assert_true(news.route_lost && news.worth_a_look);
	news = read_route(RTM_NEWROUTE, 0, RT_TABLE_MAIN);
	assert_true(!news.route_lost && news.worth_a_look);
}

static void other_routes_are_no_news(void **state)
{
	(void)state;
	assert_false(read_route(RTM_DELROUTE, 24, RT_TABLE_MAIN).worth_a_look);
	assert_false(read_route(RTM_DELROUTE, 0, RT_TABLE_LOCAL).worth_a_look);
	assert_false(read_route(RTM_NEWLINK, 0, RT_TABLE_MAIN).worth_a_look);
}

static void only_global_addresses_are_news(void **state)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg address;
	} datagram = {.head = {.nlmsg_len = sizeof(datagram), .nlmsg_type = RTM_NEWADDR}};
	struct route_message_news news = {0};

	(void)state;
	datagram.address.ifa_scope = RT_SCOPE_LINK;
	route_message_read(&news, &datagram, sizeof(datagram));
	assert_false(news.worth_a_look);
	datagram.address.ifa_scope = RT_SCOPE_UNIVERSE;
	route_message_read(&news, &datagram, sizeof(datagram));
	assert_true(news.worth_a_look);
}

static void every_message_of_a_datagram_is_read(void **state)
{
	struct route_datagram two[2] = {route(RTM_DELROUTE, 8, RT_TABLE_MAIN),
		route(RTM_DELROUTE, 0, RT_TABLE_MAIN)};
	struct route_message_news news = {0};

	(void)state;
	route_message_read(&news, two, sizeof(two));
	assert_true(news.route_lost);
}

static void short_prefixes_and_wrong_lengths_say_nothing(void **state)
{
	struct route_datagram datagram = route(RTM_DELROUTE, 0, RT_TABLE_MAIN);
	struct route_message_news news = {0};
	static const uint32_t lengths[] = {0, 1, 15, 16, 17, 1000, UINT32_MAX};

	(void)state;
	for (size_t len = 0; len < sizeof(datagram); len++)
		route_message_read(&news, &datagram, len);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		datagram.head.nlmsg_len = lengths[i];
		route_message_read(&news, &datagram, sizeof(datagram));
	}
	assert_false(news.worth_a_look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_default_route_that_goes_is_lost),
		cmocka_unit_test(other_routes_are_no_news),
		cmocka_unit_test(only_global_addresses_are_news),
		cmocka_unit_test(every_message_of_a_datagram_is_read),
		cmocka_unit_test(short_prefixes_and_wrong_lengths_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
