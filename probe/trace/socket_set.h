/*
 * The sockets of a tracer: of each address family the best that is allowed for each
 * protocol, watched on a libuv loop.
 */
#ifndef TRACE_SOCKET_SET_H
#define TRACE_SOCKET_SET_H

#include "trace_socket.h"

struct uv_loop_s;
struct socket_set;

struct socket_set_order {
	uint16_t first_port, last_port; /* of the flows that will be sent */
	uint16_t identifier;            /* of echo requests */
	struct trace_listener listener;
	/* Answers wait at this socket. */
	void (*waiting)(void *arg, struct trace_socket *sock);
	void *waiting_arg;
};

/* What is not there or not allowed is left out; only when nothing is left it fails. */
int socket_set_open(struct socket_set **out, struct uv_loop_s *loop,
	const struct socket_set_order *order, struct fault *fault);
/* `closed` is called from the loop when nothing is left of it. */
void socket_set_close(struct socket_set *set, void (*closed)(void *arg), void *arg);

/* NULL: the machine has no such family, or does not allow it. */
struct trace_socket *socket_set_for(
	const struct socket_set *set, uint8_t family, enum obs_protocol protocol);
/* Why there is none. */
int socket_set_refusal(const struct socket_set *set, uint8_t family);
/* Raw sockets serve all protocols. */
bool socket_set_serves_all(const struct trace_socket *sock);

/* Tells the listener what has arrived at any of them, a bounded number. True when more
 * may wait. */
bool socket_set_receive(const struct socket_set *set);
/* Arrivals that the kernel had no room for. */
uint64_t socket_set_drops(const struct socket_set *set);

#endif
