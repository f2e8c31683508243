/*
 * What the kernel says of its TCP sockets (sock_diag): those that there are, when asked,
 * and those that it destroys, by itself. Pure. Source: sock_diag(7), linux/inet_diag.h,
 * linux/tcp.h.
 */
#ifndef FLOW_DIAG_MESSAGE_H
#define FLOW_DIAG_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/address.h"

enum diag_message_state {
	DIAG_MESSAGE_OTHER,
	DIAG_MESSAGE_LISTENS,
	DIAG_MESSAGE_CONNECTS, /* its SYN is not answered yet */
	DIAG_MESSAGE_CONNECTED,
	DIAG_MESSAGE_DESTROYED,
};

struct diag_message {
	uint64_t cookie; /* the socket's, for ever */
	enum diag_message_state state;
	struct address local, remote;
	uint16_t local_port, remote_port; /* 0: forgotten when connecting failed */
	bool counted;                     /* what follows is known */
	bool was_connected;               /* there was a round trip */
	bool is_own;                      /* of a check, a trace, the uplink */
	uint32_t rtt_us;                  /* smoothed; 0: none */
	uint32_t tries;                   /* of what is unanswered now, after the first */
	uint32_t retransmits, segments_in;
	uint64_t sent_bytes, received_bytes; /* sent: once each, answered or not */
};

typedef void (*diag_message_fn)(void *arg, const struct diag_message *message);

/* Calls for every socket that one datagram speaks of. 1 when it ends a list that was
 * asked for, 0 when more follows, or the kernel's refusal, negative. */
int diag_message_read(const void *bytes, size_t len, diag_message_fn each, void *arg);

#endif
