/*
 * Packets of several flights that leave by one call of one socket.
 */
#ifndef TRACE_LOT_H
#define TRACE_LOT_H

#include "flight.h"
#include "trace_socket.h"

struct lot {
	unsigned count;              /* at most TRACE_SOCKET_LOT */
	struct trace_socket *socket; /* that all leave by */
	struct trace_packet packets[TRACE_SOCKET_LOT];
	struct flight *flights[TRACE_SOCKET_LOT]; /* NULL: that one has ended */
};

/* There must be room. */
void lot_add(struct lot *lot, struct flight *flight, const struct trace_packet *packet);
/* The flight is going away; its packets leave all the same. */
void lot_forget(struct lot *lot, const struct flight *flight);
/* Sends what it holds, at least one packet, and tells the paths when theirs left. Returns
 * how many did; -EAGAIN when the kernel has no room; any other failure is the first
 * packet's, which is dropped. */
int lot_send(struct lot *lot, bool stamped);

#endif
