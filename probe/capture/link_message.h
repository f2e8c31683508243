/*
 * What the kernel says of network interfaces (rtnetlink): which there are, which come and
 * go. Pure.
 */
#ifndef CAPTURE_LINK_MESSAGE_H
#define CAPTURE_LINK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#define LINK_MESSAGE_NAME 16

struct link_message {
	int number; /* the kernel's, which stays when the name changes */
	char name[LINK_MESSAGE_NAME];
	bool gone, up;
};

typedef void (*link_message_fn)(void *arg, const struct link_message *message);

/* Calls for every interface that one datagram speaks of. True when it ends a list that
 * was asked for. */
bool link_message_read(const void *bytes, size_t len, link_message_fn each, void *arg);

/* Whether a list of names and patterns with commas between ("eth0,wlan*") has it. */
bool link_message_is_named(const char *list, const char *name);

#endif
