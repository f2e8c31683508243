/*
 * What the two sides of one TCP connection say to each other: recognises HTTP, TLS,
 * DNS or none of them by the client's first bytes, and hands all bytes to the reader of
 * that. Where one conversation ends and another begins (behind a load balancer's
 * preamble, in a proxy's tunnel, after an agreement on TLS) recognition begins anew. How
 * the bytes were cut into segments makes no difference. Pure; fixed size.
 */
#ifndef PROTOCOL_CONVERSATION_H
#define PROTOCOL_CONVERSATION_H

#include "dns_stream.h"
#include "h2_exchange.h"
#include "http_exchange.h"
#include "opaque_talk.h"
#include "preamble.h"
#include "tls_session.h"

#define CONVERSATION_HEAD 8 /* bytes that recognition wants */

enum conversation_protocol {
	CONVERSATION_UNKNOWN,
	CONVERSATION_PREAMBLE,
	CONVERSATION_HTTP,
	CONVERSATION_HTTP_2,
	CONVERSATION_TLS,
	CONVERSATION_DNS,
	CONVERSATION_OPAQUE,
};

struct conversation {
	uint8_t protocol;
	bool mid_stream : 1;
	bool missed : 1;     /* … of the client's words */
	bool introduced : 1; /* a preamble has passed: there is no second */
	uint8_t puzzled;     /* segments of a mid-stream start that told nothing */
	uint8_t head_len;
	uint32_t away_us; /* the client, from here and back; 0: nobody knows */
	union {
		uint8_t head[CONVERSATION_HEAD]; /* the client's first bytes, until they
						    are recognised */
		struct http_exchange http;
		uint32_t h2; /* cell with a struct h2_exchange */
		struct tls_session tls;
		struct dns_stream dns;
		struct opaque_talk opaque;
		struct preamble preamble;
	};
};

/* mid_stream: the connection's beginning was not seen. */
void conversation_init(struct conversation *talk, bool mid_stream);
/* Gives buffers back; nothing is told. */
void conversation_drop(struct conversation *talk, const struct exchange_sink *sink);

/* How far the client is away from here and back, as its handshake showed. */
void conversation_client_away(struct conversation *talk, int64_t us);

/* One segment's new bytes, in order: `bytes` is what was captured of `len`. */
void conversation_segment(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, uint32_t len, struct moment at);
/* Bytes that were sent, but in packets that nobody captured. */
void conversation_hole(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at);
/* When the client sends what comes next, so many bytes that the server has sent are still
 * on their way to it. */
void conversation_unseen(
	struct conversation *talk, const struct exchange_sink *sink, uint32_t bytes);
/* How many bytes of that side may be missing without harm. */
uint64_t conversation_skippable(const struct conversation *talk,
	const struct exchange_sink *sink, enum exchange_side side);
/* The server, or the connection, has ended; at: when. */
void conversation_end(
	struct conversation *talk, const struct exchange_sink *sink, struct moment at);
/* That side resets the connection, or says that it is done. */
void conversation_breaks_off(struct conversation *talk, const struct exchange_sink *sink,
	enum exchange_side side);
/* Whether a request waits for its answer. */
bool conversation_is_open(
	const struct conversation *talk, const struct exchange_sink *sink);
/* Which side spoke, judged by a segment's first bytes alone; false when they tell
 * nothing. */
bool conversation_guess_side(enum exchange_side *side, const uint8_t *bytes, size_t len);

#endif
