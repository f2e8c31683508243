/*
 * What the kernel sends on a netlink socket, cut into its messages and these into their
 * attributes. Pure; nothing is read beyond what came, whatever lengths it declares.
 * Source: RFC 3549 §2.2 and §2.3.
 */
#ifndef NETLINK_NETLINK_MESSAGE_H
#define NETLINK_NETLINK_MESSAGE_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/cursor.h"

/* One of the kernel's structures, copied out: a datagram says nothing of alignment. False
 * when it is cut. */
bool netlink_message_take(struct cursor *cur, void *into, size_t len);

/* The next message; false when there is none, or it is cut. */
bool netlink_message_next(struct cursor *cur, struct nlmsghdr *head, struct cursor *body);

/* The next attribute of a body, behind the structure that it begins with; the same. */
bool netlink_message_attribute(struct cursor *body, uint16_t *type, struct cursor *value);

#endif
