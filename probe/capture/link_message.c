#include "link_message.h"

#include <fnmatch.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "astray/cursor.h"
#include "netlink_message.h"

#define PATTERN_MAX 64

static void take_name(struct link_message *message, const struct cursor *value)
{
	size_t len = cursor_left(value);

	if (len > 0 && len <= LINK_MESSAGE_NAME && value->at[len - 1] == 0)
		memcpy(message->name, value->at, len);
}

static void read_attributes(struct link_message *message, struct cursor *cur)
{
	struct cursor value;
	uint16_t type;

	while (netlink_message_attribute(cur, &type, &value))
		if (type == IFLA_IFNAME)
			take_name(message, &value);
}

static void read_link(uint16_t type, struct cursor body, link_message_fn each, void *arg)
{
	struct link_message message = {.gone = type == RTM_DELLINK};
	struct ifinfomsg info;

	/* Those of another family speak of an interface's part in a bridge. */
	if (!netlink_message_take(&body, &info, sizeof(info)) ||
		info.ifi_family != AF_UNSPEC)
		return;
	message.number = info.ifi_index;
	message.up = info.ifi_flags & IFF_UP;
	read_attributes(&message, &body);
	if (message.number > 0 && message.name[0])
		each(arg, &message);
}

bool link_message_read(const void *bytes, size_t len, link_message_fn each, void *arg)
{
	struct cursor cur = cursor_over(bytes, len), body;
	struct nlmsghdr head;

	while (netlink_message_next(&cur, &head, &body)) {
		if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
			return true;
		if (head.nlmsg_type == RTM_NEWLINK || head.nlmsg_type == RTM_DELLINK)
			read_link(head.nlmsg_type, body, each, arg);
	}
	return false;
}

bool link_message_is_named(const char *list, const char *name)
{
	char pattern[PATTERN_MAX];

	while (*list) {
		size_t len = strcspn(list, ",");

		(void)snprintf(pattern, sizeof(pattern), "%.*s", (int)len, list);
		if (len < sizeof(pattern) && fnmatch(pattern, name, 0) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}
