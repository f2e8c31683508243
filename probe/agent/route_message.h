/*
 * What the kernel says of routes and addresses (rtnetlink), as far as it tells that this
 * machine may stand in another network now. Pure.
 */
#ifndef ASTRAY_ROUTE_MESSAGE_H
#define ASTRAY_ROUTE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

struct route_message_news {
	bool route_lost;   /* a default route went */
	bool worth_a_look; /* a default route or a global address came, went or changed */
};

/* Adds what one datagram says. */
void route_message_read(struct route_message_news *news, const void *bytes, size_t len);

#endif
