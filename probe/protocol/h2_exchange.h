/*
 * An HTTP/2 connection in the clear: by prior knowledge, or after HTTP/1 has switched to
 * it. Frames say whose they are, so every request meets its own answer, in whatever order
 * they come: a client's first HEADERS on a stream is a request, the server's first on it
 * that is not 1xx its answer; 5xx is an error; the last byte comes with END_STREAM. A
 * stream that the server resets before its answer is a reset; one that the client gives
 * up, or that stands above what a GOAWAY still serves, stays without a time.
 *
 * A request begins when its head is complete; the answer when its HEADERS frame begins.
 * Requests beyond H2_EXCHANGE_OPEN at one time are counted but not timed; so are all
 * where no buffer is left. Heads are read while there are readers (hpack_pool.h); without
 * one, neither host nor errors are known, and any answer counts as final. Pure. Source:
 * RFC 9113.
 */
#ifndef PROTOCOL_H2_EXCHANGE_H
#define PROTOCOL_H2_EXCHANGE_H

#include <stdbool.h>

#include "astray/cursor.h"
#include "exchange.h"

#define H2_EXCHANGE_OPEN 256
#define H2_EXCHANGE_PREFACE 24 /* bytes that a client begins with */

struct h2_side {
	uint32_t remaining; /* of the present frame's payload */
	uint32_t stream;
	uint8_t type, flags;
	uint8_t header_len; /* bytes of the next header that have come */
	uint8_t header[9];
	uint8_t before; /* payload bytes in front of a head: padding's length, priority */
	uint8_t padding; /* behind it */
	uint8_t opening; /* of HEADERS whose block goes on in CONTINUATION: its flags */
	bool in_block;   /* such a block is not complete yet */
	bool first_byte; /* of the payload, is still to come */
	bool lost;       /* where the next frame begins is not known */
	bool unreadable; /* its heads cannot be read any more */
};

struct h2_exchange {
	struct h2_side sides[2]; /* by enum exchange_side */
	struct moment base;      /* the request that came when none was open */
	struct moment head;      /* when the present head of the server began */
	uint32_t last_stream;    /* the client's newest */
	uint32_t go_away;        /* bytes of a GOAWAY, or an error's code */
	uint16_t book;           /* buffer with the open streams */
	uint16_t open;
	uint16_t readers;
	uint16_t status;      /* that the present head of the server says; 0: none */
	uint8_t preface_left; /* bytes of it still to come */
	bool named;           /* the host was told */
};

/* Whether a client's first bytes are HTTP/2's preface, as far as they go. */
bool h2_exchange_may_begin(const uint8_t *bytes, size_t len);

/* Whether a server's first bytes are its settings, with which it may begin before the
 * client has said anything. */
bool h2_exchange_may_greet(const uint8_t *bytes, size_t len);

/* switched: from HTTP/1; stream 1 is the request that asked for it. */
void h2_exchange_init(
	struct h2_exchange *h2, const struct exchange_sink *sink, bool switched);
/* Gives back what it holds. */
void h2_exchange_drop(struct h2_exchange *h2, const struct exchange_sink *sink);

void h2_exchange_bytes(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, struct moment at);
/* Bytes that nobody captured. */
void h2_exchange_skip(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len);
uint64_t h2_exchange_skippable(const struct h2_exchange *h2, enum exchange_side side);
bool h2_exchange_is_open(const struct h2_exchange *h2);

#endif
