/*
 * Where probes leave and answers come in, for one address family. There are several
 * kinds, by what the system allows this process; all are asked the same way:
 *
 *   raw         CAP_NET_RAW: whole packets out, whole answers in, all protocols
 *   datagram    nobody's leave: UDP, and the errors that the kernel keeps for its sender
 *   ping        a group within net.ipv4.ping_group_range: ICMP echo, and its errors
 *   connect     nobody's leave: TCP connections, one probe of a flow at a time
 *
 * No link layer is met, so that tunnels serve as well. Nothing blocks.
 */
#ifndef TRACE_TRACE_SOCKET_H
#define TRACE_TRACE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"
#include "astray/fault.h"
#include "astray/moment.h"
#include "reply_packet.h"
#include "trace_packet.h"

#define TRACE_SOCKET_LOT \
	16 /* packets sent by one call; few, so that their times are known */

/* Who is told. */
struct trace_listener {
	void *arg;
	/* numbered: the reply says which probe it is for. */
	void (*answered)(void *arg, const struct reply_packet *reply, bool numbered,
		struct moment at);
	/* rc as of reply_packet_read_*. */
	void (*refused)(void *arg, int rc);
	/* When a packet really left, by the kernel's clock. */
	void (*left)(void *arg, uint64_t tag, struct moment at);
};

struct trace_socket_order {
	uint8_t family;
	enum obs_protocol protocol;            /* raw ones serve all */
	uint16_t first_port, last_port;        /* of the flows that will be sent */
	uint16_t identifier;                   /* of echo requests */
	const struct trace_listener *listener; /* outlives the socket */
};

struct trace_socket;

/* One way of doing it. The first member of each one's own struct is its trace_socket. */
struct trace_socket_kind {
	const char *name;
	const char *text; /* for people */
	bool narrow;      /* one probe of a flow at a time */
	/* Negative errno when the system does not allow it, or has no such family. */
	int (*open)(struct trace_socket **out, const struct trace_socket_order *order);
	void (*close)(struct trace_socket *sock);
	int (*send)(struct trace_socket *sock, const struct trace_packet *lot,
		unsigned count, bool stamped);
	bool (*receive)(struct trace_socket *sock);
};

struct trace_socket {
	const struct trace_socket_kind *kind;
	struct trace_listener listener;
	uint8_t family;
	int epoll_fd; /* holds all descriptors of it */
	uint64_t drops;
};

/* -EPERM, with the fault saying what to grant for this protocol. */
int trace_socket_explain(struct fault *fault, enum obs_protocol protocol, int rc);
/* The best that is allowed; -EAFNOSUPPORT where the machine has no such family. The fault
 * says what to grant where nothing is allowed. */
int trace_socket_open(struct trace_socket **out, const struct trace_socket_order *order,
	struct fault *fault);
void trace_socket_close(struct trace_socket *sock); /* NULL is fine */

/* The descriptor to watch for arrivals. */
int trace_socket_fd(const struct trace_socket *sock);

/* Sends a lot, at most TRACE_SOCKET_LOT. Returns how many left; negative when the first
 * could not, -EAGAIN where it may later. stamped: the listener is to be told when each
 * left, where this kind can. */
int trace_socket_send(struct trace_socket *sock, const struct trace_packet *lot,
	unsigned count, bool stamped);
/* Tells the listener what has arrived, a bounded number. True when more may wait. */
bool trace_socket_receive(struct trace_socket *sock);
/* Arrivals that the kernel had no room for. */
uint64_t trace_socket_drops(const struct trace_socket *sock);

/* The address that packets to this destination leave from, and the largest that can;
 * negative when there is no way. */
int trace_socket_source(struct address *out, unsigned *largest, const struct address *to);

/* For the kinds. */
int trace_socket_init(struct trace_socket *sock, const struct trace_socket_kind *kind,
	const struct trace_socket_order *order);
int trace_socket_watch(struct trace_socket *sock, int fd, uint32_t events, uint32_t key);
int trace_socket_domain(uint8_t family);

extern const struct trace_socket_kind raw_socket_kind;
extern const struct trace_socket_kind datagram_socket_kind;
extern const struct trace_socket_kind ping_socket_kind;
extern const struct trace_socket_kind connect_socket_kind;

#endif
