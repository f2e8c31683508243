#include "route_message.h"

#include <linux/rtnetlink.h>
#include <stdint.h>

#include "astray/cursor.h"
#include "netlink_message.h"

static void read_route(struct route_message_news *news, uint16_t type, struct cursor body)
{
	struct rtmsg route;

	if (!netlink_message_take(&body, &route, sizeof(route)) ||
		route.rtm_dst_len != 0 || route.rtm_table != RT_TABLE_MAIN ||
		route.rtm_type != RTN_UNICAST)
		return;
	news->worth_a_look = true;
	if (type == RTM_DELROUTE)
		news->route_lost = true;
}

static void read_address(struct route_message_news *news, struct cursor body)
{
	struct ifaddrmsg address;

	if (netlink_message_take(&body, &address, sizeof(address)) &&
		address.ifa_scope == RT_SCOPE_UNIVERSE)
		news->worth_a_look = true;
}

void route_message_read(struct route_message_news *news, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len), body;
	struct nlmsghdr head;

	while (netlink_message_next(&cur, &head, &body)) {
		if (head.nlmsg_type == RTM_NEWROUTE || head.nlmsg_type == RTM_DELROUTE)
			read_route(news, head.nlmsg_type, body);
		if (head.nlmsg_type == RTM_NEWADDR || head.nlmsg_type == RTM_DELADDR)
			read_address(news, body);
	}
}
