/*
 * What the readers of a conversation (HTTP, TLS, turns) tell about it: requests, their
 * answers and times. Whoever follows a connection gives them a sink; they know nothing of
 * services, windows or connections.
 */
#ifndef PROTOCOL_EXCHANGE_H
#define PROTOCOL_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/cursor.h"
#include "astray/obs.h"

enum exchange_side { EXCHANGE_CLIENT, EXCHANGE_SERVER };

enum exchange_event {
	EXCHANGE_REQUEST,     /* one began */
	EXCHANGE_RESPONSE,    /* its answer's first byte came value_us after it */
	EXCHANGE_UNTIMED,     /* a request will have no time, answered or not */
	EXCHANGE_ANSWERED,    /* an answer came whose request has no time */
	EXCHANGE_STATUS,      /* the answer's HTTP status is value_us, which is no time */
	EXCHANGE_ERROR,       /* the answer was a failure (HTTP 5xx) */
	EXCHANGE_LAST_BYTE,   /* the answer's last byte came value_us after the request */
	EXCHANGE_MULTIPLEXED, /* a request shares its connection with another */
	EXCHANGE_ESTIMATED,   /* one, or its answer, was inferred: nothing showed it alone
			       */
	EXCHANGE_RESET,       /* the server gave a request up before it was answered */
	EXCHANGE_BROKEN,      /* the TLS handshake failed, or was broken off */
	EXCHANGE_HANDSHAKE,   /* TLS took value_us until application data was possible */
};

struct buffer_pool;
struct hpack_pool;
struct slab;

/* Whom the client asked for, and in what. */
struct exchange_host {
	enum obs_naming by;
	const char *name; /* NULL: none that could be seen */
	size_t len;
	uint16_t port; /* where a proxy is asked to go; 0: the connection's */
	bool outer;    /* another may be asked for behind it, in secret (ECH) */
	bool in_turn;  /* nothing is open: what comes is its, until another is told so */
};

/* Events of a connection that are told before its host, at most. */
#define EXCHANGE_EVENTS_AHEAD 16

/* For what only some connections need, or for a while; no more than three at a time. */
#define EXCHANGE_CELL 152

struct exchange_sink {
	/* The event's place in time is that of the packet that is being read. */
	void (*event)(void *arg, enum exchange_event event, int64_t value_us);
	/* Called before the first request is told, or, where a connection may yet change
	 * to TLS, before EXCHANGE_EVENTS_AHEAD events were. The first call counts,
	 * and who is asked for in turn. */
	void (*host)(void *arg, const struct exchange_host *host);
	/* One message of a protocol whose questions and answers are matched elsewhere
	 * (DNS): what there is of its len bytes. */
	void (*message)(void *arg, enum exchange_side from, struct cursor bytes,
		uint32_t len, struct moment at);
	void *arg;
	struct buffer_pool *buffers; /* for heads that span segments */
	struct slab *cells;          /* of EXCHANGE_CELL bytes */
	struct hpack_pool *readers;  /* of compressed heads */
};

/* Nothing will tell whom the client asked for. */
static inline void exchange_nameless(const struct exchange_sink *sink)
{
	const struct exchange_host nobody = {.by = OBS_BY_ADDRESS};

	sink->host(sink->arg, &nobody);
}

/* Capture queues may hand packets over out of order by this much: what ends earlier than
 * it began took no time. By more than that the clock was set back, and nothing is known
 * of the time. */
#define EXCHANGE_DISORDER_US (100 * INT64_C(1000))

static inline void exchange_tell(
	const struct exchange_sink *sink, enum exchange_event event, int64_t value_us)
{
	if (value_us >= -EXCHANGE_DISORDER_US) {
		sink->event(sink->arg, event, value_us < 0 ? 0 : value_us);
	} else if (event == EXCHANGE_RESPONSE) {
		sink->event(sink->arg, EXCHANGE_UNTIMED, 0);
		sink->event(sink->arg, EXCHANGE_ANSWERED, 0);
	}
}

/* An answer's HTTP status; 0: it could not be read. */
static inline void exchange_tell_status(const struct exchange_sink *sink, int status)
{
	if (status > 0)
		exchange_tell(sink, EXCHANGE_STATUS, status);
	if (status >= 500 && status < 600)
		exchange_tell(sink, EXCHANGE_ERROR, 0);
}

#endif
