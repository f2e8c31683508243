/*
 * The raw sockets of one address family: whole packets out, answers in, in lots. Needs
 * CAP_NET_RAW when it is opened and not afterwards; no link layer is met, so that tunnels
 * serve as well. Nothing blocks.
 */
#ifndef TRACE_TRACE_SOCKET_H
#define TRACE_TRACE_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/fault.h"
#include "astray/moment.h"

#define TRACE_SOCKET_LOT \
	16 /* packets sent by one call; few, so that their times are known */
#define TRACE_SOCKET_PACKET 64

struct trace_socket;

struct trace_socket_packet {
	struct address to;
	size_t len;
	uint8_t bytes[TRACE_SOCKET_PACKET];
};

/* What arrived: from IPv4 with its header, from IPv6 what follows it. */
struct trace_socket_arrival {
	struct address from;
	uint8_t protocol;
	struct moment at; /* the kernel's stamp */
	const uint8_t *bytes;
	size_t len;
};

typedef void (*trace_socket_arrival_fn)(
	void *arg, const struct trace_socket_arrival *what);

/* TCP segments are only received for local ports first_port..last_port. -EPERM with the
 * fault saying what to grant; -EAFNOSUPPORT where the machine has no such family. */
int trace_socket_open(struct trace_socket **out, uint8_t family, uint16_t first_port,
	uint16_t last_port, struct fault *fault);
void trace_socket_close(struct trace_socket *socket); /* NULL is fine */

#define TRACE_SOCKET_FDS 2
/* The descriptors to watch for arrivals. */
int trace_socket_fd(const struct trace_socket *socket, unsigned which);

/* Sends a lot, at most TRACE_SOCKET_LOT. Returns how many left; negative when the first
 * could not, -EAGAIN where it may later. */
int trace_socket_send(
	struct trace_socket *socket, struct trace_socket_packet *lot, unsigned count);
/* Hands over what has arrived at one descriptor, a bounded number; how many it was. */
int trace_socket_receive(struct trace_socket *socket, unsigned which,
	trace_socket_arrival_fn arrived, void *arg);
/* Arrivals that the kernel had no room for. */
uint64_t trace_socket_drops(const struct trace_socket *socket);

/* The address that packets to this destination leave from; negative when there is no way.
 */
int trace_socket_source(struct address *out, const struct address *to);

#endif
