/*
 * An HTTP/1.x connection in the clear: every request line at a message boundary is a
 * request, every final status line ends the oldest open one. Bodies are followed by
 * Content-Length and chunks, so that text inside a body is never taken for a message. 1xx
 * answers are not final; 101 turns the connection into a tunnel that is read no further,
 * a 2xx answer to CONNECT into another conversation, which is its owner's to read.
 *
 * A request begins when its head is complete; the answer when its status line begins.
 * Deeper pipelines than HTTP_PIPELINE are counted but not timed. Source: RFC 9112 §6,
 * §9.3.2.
 */
#ifndef PROTOCOL_HTTP_EXCHANGE_H
#define PROTOCOL_HTTP_EXCHANGE_H

#include <stdbool.h>

#include "astray/cursor.h"
#include "buffer_pool.h"
#include "exchange.h"

#define HTTP_PIPELINE (BUFFER_POOL_SIZE / 4)
#define HTTP_NEAR 2 /* of them kept here; more take a cell, many more a buffer */

struct http_side {
	uint64_t remaining; /* of the body, or of the present chunk */
	uint8_t stage;
	uint8_t matched;     /* of the head's end */
	bool chunk_has_size; /* a digit of the chunk's size has come */
	uint16_t gathered;   /* buffer with a head that spans segments */
	uint16_t gathered_len;
};

struct http_exchange {
	struct http_side sides[2]; /* by enum exchange_side */
	struct moment base;        /* the request that came when none was open */
	struct moment answer;      /* when the present answer began */
	struct moment current;     /* the request that it answers; 0: not timed */
	uint32_t near[HTTP_NEAR];  /* requests: a ring, here */
	uint32_t cell;             /* … in this cell, */
	uint16_t buffer;           /* … or in this buffer */
	uint16_t first, count;     /* of requests that wait for an answer */
	uint16_t untimed;          /* behind those that wait: requests without a time */
	bool is_http : 1;          /* a request has come */
	bool body_doubtful : 1;    /* nobody saw whether the answer is to HEAD */
	bool connected : 1;        /* a proxy has done what CONNECT asked for */
	bool server_lost : 1; /* answers to those that are open may have passed unseen */
	bool client_lost : 1; /* a request may be missing: an answer more is its */
};

void http_exchange_init(struct http_exchange *http, bool mid_stream);
void http_exchange_drop(struct http_exchange *http, const struct exchange_sink *sink);

/* In-order bytes of one side; `fresh`: they begin a segment. What is left of them stands
 * behind the end of HTTP. */
void http_exchange_bytes(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor *bytes, bool fresh, struct moment at);
/* Bytes that a captured segment had but its capture cut off. */
void http_exchange_skip(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at);
/* Bytes that were sent, but in packets that nobody captured. */
void http_exchange_hole(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len);
uint64_t http_exchange_skippable(
	const struct http_exchange *http, enum exchange_side side);
/* The server has closed its side, or the connection is over. */
void http_exchange_end(
	struct http_exchange *http, const struct exchange_sink *sink, struct moment at);
/* What the client says is not HTTP/1 after all. */
bool http_exchange_is_foreign(const struct http_exchange *http);
/* Another protocol was agreed on: what follows is read no further. */
bool http_exchange_is_tunnel(const struct http_exchange *http);
/* A proxy has connected the two ends: whatever follows is theirs. */
bool http_exchange_is_connected(const struct http_exchange *http);
bool http_exchange_is_open(const struct http_exchange *http);

#endif
