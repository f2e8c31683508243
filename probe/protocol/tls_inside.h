/*
 * Who speaks inside TLS: a protocol of turns such as HTTP/1, or HTTP/2. TLS 1.2 shows
 * which was chosen; TLS 1.3 shows, at best, the length of the choice. Where it may be
 * HTTP/2 the first records are kept aside until one of them tells, or, if it is, until
 * tickets and settings can be told from answers; then they are read again by the right
 * reader (turns.h, streams.h). A client that acknowledges settings speaks HTTP/2, and so
 * does one whose records are too short for HTTP/1. Pure. Source: RFC 9113 §3.4, §6.5.3.
 */
#ifndef PROTOCOL_TLS_INSIDE_H
#define PROTOCOL_TLS_INSIDE_H

#include "streams.h"
#include "turns.h"

enum tls_inside_state {
	TLS_INSIDE_TURNS,
	TLS_INSIDE_STREAMS,
	TLS_INSIDE_UNDECIDED, /* nothing was told yet */
	TLS_INSIDE_LATE,      /* told by turns, which agrees with both so far */
};

/* The first records of a connection that may speak either. */
struct tls_inside_aside {
	uint16_t buffer; /* of struct tls_inside_record */
	uint16_t count;
};

struct tls_inside {
	uint8_t state;
	uint8_t overhead; /* of a record over its content */
	bool certain; /* while undecided: it is HTTP/2, only its beginning is wanted */
	union {
		struct turns turns;
		uint32_t streams; /* cell with a struct streams */
		struct tls_inside_aside aside;
	};
};

/* One of turns, until something else is known. */
void tls_inside_init(struct tls_inside *inside);
/* The handshake is over: what it said of ALPN, and of the cipher suite. */
void tls_inside_begin(struct tls_inside *inside, const struct exchange_sink *sink,
	enum tls_inside_state state, uint8_t overhead, bool tickets_possible);
/* Gives back what it holds. */
void tls_inside_drop(struct tls_inside *inside, const struct exchange_sink *sink);

/* A record of len bytes begins. */
void tls_inside_record(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at, uint16_t len);
/* More of what a former call began. */
void tls_inside_more(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at);
/* When the client sends what comes next, so many of the server's bytes, of records that
 * have begun, are still on their way to it; so far away it is, and back (0: nobody
 * knows). */
void tls_inside_unseen(struct tls_inside *inside, const struct exchange_sink *sink,
	uint32_t bytes, uint32_t away_us);
/* Bytes passed that the capture has cut: records of that side may have begun in them. */
void tls_inside_cut(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side);
void tls_inside_lost(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len);
/* The client goes away: where answers share a connection, it has had them. */
void tls_inside_leave(struct tls_inside *inside, const struct exchange_sink *sink);
void tls_inside_end(struct tls_inside *inside, const struct exchange_sink *sink);
/* Whether it is read by turns. */
static inline bool tls_inside_takes_turns(const struct tls_inside *inside)
{
	return inside->state == TLS_INSIDE_TURNS || inside->state == TLS_INSIDE_LATE;
}
bool tls_inside_is_open(
	const struct tls_inside *inside, const struct exchange_sink *sink);

#endif
