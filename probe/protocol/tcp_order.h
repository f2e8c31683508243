/*
 * One direction of a TCP connection put in order, by sequence numbers alone: each byte
 * counts once. Says of every segment what is new in it; whoever follows the connection
 * delivers, parks or passes over. Pure. Source: RFC 9293 §3.4.
 */
#ifndef PROTOCOL_TCP_ORDER_H
#define PROTOCOL_TCP_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

enum tcp_order_verdict {
	TCP_ORDER_NEW,   /* begins at, or before, what was awaited */
	TCP_ORDER_AHEAD, /* something before it is missing */
	TCP_ORDER_LATE,  /* fills what was passed over as missing a moment ago */
	TCP_ORDER_AGAIN, /* sent again: all of it was seen, or given up, long before */
	TCP_ORDER_PROBE, /* a keep-alive: it says nothing */
	TCP_ORDER_FAR,   /* outside any window: numbers have to be taken up anew */
};

/* What was passed over and may still come; few directions ever have one. Zeroed, or
 * absent (NULL), it is none. */
struct tcp_order_hole {
	uint32_t from, until; /* equal: none */
	uint32_t bytes;       /* that are missing between them */
	uint32_t at_us;       /* since when */
};

/* Times are the lower 32 bits of microseconds: only short spans of them are asked for. */
struct tcp_order {
	uint32_t next;        /* the first number not yet delivered */
	uint32_t acked;       /* as far as the other side has acknowledged */
	uint32_t doubt_at_us; /* since when the other side has what we miss at next; 0: no
			       */
	uint16_t parked;      /* the first buffer with a segment that came too early */
	uint8_t parked_count;
	bool started : 1;
	bool finished : 1; /* FIN has been delivered */
};

void tcp_order_init(struct tcp_order *order);
/* The first data byte will have this number. */
void tcp_order_start(struct tcp_order *order, uint32_t next);

/* *trim: bytes at its front that were delivered before (TCP_ORDER_NEW only). */
enum tcp_order_verdict tcp_order_place(const struct tcp_order *order,
	struct tcp_order_hole *hole, uint32_t seq, uint32_t len, struct moment at,
	uint32_t *trim);

/* Whether what ends the wait for it has been sent again, and not only overtaken. */
bool tcp_order_is_resent(struct moment waited_since, struct moment at);

/* The other side acknowledges. True when bytes that were passed over will never be seen:
 * it has had them, and they have had their grace. */
bool tcp_order_acknowledge(struct tcp_order *order, struct tcp_order_hole *hole,
	uint32_t ack, struct moment at);
/* Whether what is missing at next has been acknowledged long enough to be given up. */
bool tcp_order_gives_up(const struct tcp_order *order, struct moment at);

/* How many bytes at next the other side has had by this acknowledgement; 0 or less: none.
 */
int32_t tcp_order_missing(const struct tcp_order *order, uint32_t ack);

void tcp_order_deliver(struct tcp_order *order, uint32_t len);
/* Passes over missing bytes; where there is room for a hole they are awaited still, if
 * only to be named. True when an earlier hole is thereby given up. */
bool tcp_order_pass_over(struct tcp_order *order, struct tcp_order_hole *hole,
	uint32_t len, struct moment at);
static inline bool tcp_order_is_hole(const struct tcp_order_hole *hole)
{
	return hole && hole->from != hole->until;
}

#endif
