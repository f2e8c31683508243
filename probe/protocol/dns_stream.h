/*
 * DNS over TCP: each side's bytes cut into messages by the two bytes of length before
 * each, and handed to the sink whole, or as much of them as a buffer holds. Recognised by
 * its first bytes, whatever the port: no other protocol begins like a question. Pure.
 * Source: RFC 7766 §8.
 */
#ifndef PROTOCOL_DNS_STREAM_H
#define PROTOCOL_DNS_STREAM_H

#include <stdbool.h>

#include "astray/cursor.h"
#include "exchange.h"

#define DNS_STREAM_HEAD 8 /* bytes that recognition wants */

struct dns_stream_side {
	uint32_t remaining; /* bytes of the present message still to come */
	uint16_t len;       /* of the present message */
	uint16_t gathered;  /* buffer with what came of it so far */
	uint16_t gathered_len;
	uint8_t length_bytes; /* of the next message's length, that have come */
	bool cut;             /* a part of the present message was not captured */
	bool lost;            /* where the next message begins is not known */
};

struct dns_stream {
	struct dns_stream_side sides[2]; /* by enum exchange_side */
};

/* Whether a client's first bytes are a question; fewer than DNS_STREAM_HEAD may be one.
 */
bool dns_stream_may_begin(const uint8_t *bytes, size_t len);

void dns_stream_init(struct dns_stream *stream);
/* Gives its buffers back. */
void dns_stream_drop(struct dns_stream *stream, const struct exchange_sink *sink);
void dns_stream_bytes(struct dns_stream *stream, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, struct moment at);
/* Bytes that nobody captured: that side is read no further when they hold the next
 * message's beginning. */
void dns_stream_skip(struct dns_stream *stream, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at);
uint64_t dns_stream_skippable(const struct dns_stream *stream, enum exchange_side side);

#endif
