/*
 * A QUIC client's hello put together from the frames of its Initial packets, which come
 * shuffled and split over packets and datagrams, on purpose. One buffer of the pool,
 * taken when the first piece comes. Pure. Source: RFC 9000 §19, RFC 9001 §4.
 */
#ifndef PROTOCOL_QUIC_HELLO_H
#define PROTOCOL_QUIC_HELLO_H

#include <stdbool.h>

#include "astray/cursor.h"
#include "buffer_pool.h"

#define QUIC_HELLO_PIECES 16 /* that do not touch each other yet */

struct quic_hello_piece {
	uint16_t from, until;
};

/* As much of a hello as is kept. */
#define QUIC_HELLO_SIZE \
	(BUFFER_POOL_SIZE - QUIC_HELLO_PIECES * sizeof(struct quic_hello_piece))

struct quic_hello {
	uint16_t buffer; /* the bytes, and behind them the pieces, ascending */
	uint8_t piece_count;
};

/* What a packet's frames held. */
struct quic_hello_frames {
	bool news;   /* bytes of the hello that had not come before */
	bool crypto; /* any of its bytes */
	bool close;  /* the connection is closed */
};

void quic_hello_init(struct quic_hello *hello);
void quic_hello_drop(struct quic_hello *hello, struct buffer_pool *pool);

/* Reads the frames of an Initial packet; hello NULL: of the server's, only whether it
 * closes. STATUS_SYNTAX where a frame does not belong there; what stood before it
 * counts. */
int quic_hello_read(struct quic_hello *hello, struct buffer_pool *pool,
	struct quic_hello_frames *out, struct cursor frames);

/* The stretches that have come, piece_count of them. */
const struct quic_hello_piece *quic_hello_pieces(
	const struct quic_hello *hello, struct buffer_pool *pool);
/* Its bytes from the first on, as far as none is missing; empty: none. */
struct cursor quic_hello_bytes(const struct quic_hello *hello, struct buffer_pool *pool);
/* Whether these are the whole hello, or all of it that we would ever keep. */
bool quic_hello_is_whole(const struct quic_hello *hello, struct buffer_pool *pool);

#endif
