#include "link_message.h"

#include <fnmatch.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "astray/cursor.h"

#define PATTERN_MAX 64

/* The kernel's structures, copied out: a datagram says nothing of alignment. */
static bool take(struct cursor *cur, void *into, size_t len)
{
	const uint8_t *bytes = cursor_take(cur, len);

	if (bytes)
		memcpy(into, bytes, len);
	return bytes;
}

static void take_name(struct link_message *message, const struct cursor *value)
{
	size_t len = cursor_left(value);

	if (len > 0 && len <= LINK_MESSAGE_NAME && value->at[len - 1] == 0)
		memcpy(message->name, value->at, len);
}

static void read_attributes(struct link_message *message, struct cursor *cur)
{
	struct rtattr attribute;

	while (take(cur, &attribute, sizeof(attribute)) &&
		attribute.rta_len >= sizeof(attribute)) {
		size_t len = attribute.rta_len - sizeof(attribute);
		struct cursor value = cursor_take_sub(cur, len);

		if (cur->short_read)
			return;
		if (attribute.rta_type == IFLA_IFNAME)
			take_name(message, &value);
		cursor_skip(cur, RTA_ALIGN(len) - len);
	}
}

static void read_link(uint16_t type, struct cursor body, link_message_fn each, void *arg)
{
	struct link_message message = {.gone = type == RTM_DELLINK};
	struct ifinfomsg info;

	/* Those of another family speak of an interface's part in a bridge. */
	if (!take(&body, &info, sizeof(info)) || info.ifi_family != AF_UNSPEC)
		return;
	message.number = info.ifi_index;
	message.up = info.ifi_flags & IFF_UP;
	read_attributes(&message, &body);
	if (message.number > 0 && message.name[0])
		each(arg, &message);
}

bool link_message_read(const void *bytes, size_t len, link_message_fn each, void *arg)
{
	struct cursor cur = cursor_over(bytes, len);
	struct nlmsghdr head;

	while (take(&cur, &head, sizeof(head)) && head.nlmsg_len >= sizeof(head)) {
		size_t body_len = head.nlmsg_len - sizeof(head);
		struct cursor body = cursor_take_sub(&cur, body_len);

		if (cur.short_read)
			return false;
		if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
			return true;
		if (head.nlmsg_type == RTM_NEWLINK || head.nlmsg_type == RTM_DELLINK)
			read_link(head.nlmsg_type, body, each, arg);
		cursor_skip(&cur, NLMSG_ALIGN(head.nlmsg_len) - head.nlmsg_len);
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
