#include "netlink_message.h"

#include <string.h>

bool netlink_message_take(struct cursor *cur, void *into, size_t len)
{
	const uint8_t *bytes = cursor_take(cur, len);

	if (bytes)
		memcpy(into, bytes, len);
	return bytes;
}

/* What follows is aligned; behind the last there may be nothing. */
static bool take_padded(struct cursor *cur, struct cursor *out, size_t len)
{
	*out = cursor_take_sub(cur, len);
	if (out->short_read)
		return false;
	cursor_skip(cur, NLMSG_ALIGN(len) - len);
	return true;
}

bool netlink_message_next(struct cursor *cur, struct nlmsghdr *head, struct cursor *body)
{
	return netlink_message_take(cur, head, sizeof(*head)) &&
	       head->nlmsg_len >= sizeof(*head) &&
	       take_padded(cur, body, head->nlmsg_len - sizeof(*head));
}

bool netlink_message_attribute(struct cursor *body, uint16_t *type, struct cursor *value)
{
	struct nlattr head;

	if (!netlink_message_take(body, &head, sizeof(head)) ||
		head.nla_len < sizeof(head))
		return false;
	*type = head.nla_type;
	return take_padded(body, value, head.nla_len - sizeof(head));
}
