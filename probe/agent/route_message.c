#include "route_message.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

#include "astray/cursor.h"

/* The kernel's structures, copied out: a datagram says nothing of alignment. */
static bool take(struct cursor *cur, void *into, size_t len)
{
	const uint8_t *bytes = cursor_take(cur, len);

	if (bytes)
		memcpy(into, bytes, len);
	return bytes;
}

static void read_route(
	struct route_message_news *news, uint16_t type, const uint8_t *body, size_t len)
{
	struct cursor cur = cursor_over(body, len);
	struct rtmsg route;

	if (!take(&cur, &route, sizeof(route)) || route.rtm_dst_len != 0 ||
		route.rtm_table != RT_TABLE_MAIN || route.rtm_type != RTN_UNICAST)
		return;
	news->worth_a_look = true;
	if (type == RTM_DELROUTE)
		news->route_lost = true;
}

static void read_address(struct route_message_news *news, const uint8_t *body, size_t len)
{
	struct cursor cur = cursor_over(body, len);
	struct ifaddrmsg address;

	if (take(&cur, &address, sizeof(address)) &&
		address.ifa_scope == RT_SCOPE_UNIVERSE)
		news->worth_a_look = true;
}

void route_message_read(struct route_message_news *news, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	struct nlmsghdr head;

	while (take(&cur, &head, sizeof(head)) && head.nlmsg_len >= sizeof(head)) {
		size_t body_len = head.nlmsg_len - sizeof(head);
		const uint8_t *body = cursor_take(&cur, body_len);

		if (!body)
			return;
		if (head.nlmsg_type == RTM_NEWROUTE || head.nlmsg_type == RTM_DELROUTE)
			read_route(news, head.nlmsg_type, body, body_len);
		if (head.nlmsg_type == RTM_NEWADDR || head.nlmsg_type == RTM_DELADDR)
			read_address(news, body, body_len);
		(void)cursor_take(&cur, NLMSG_ALIGN(head.nlmsg_len) - head.nlmsg_len);
	}
}
