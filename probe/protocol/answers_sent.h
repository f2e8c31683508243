/*
 * Which answers of a connection the client has not had yet, where the capture is far from
 * it: by what it has acknowledged, and by where among the server's bytes each answer
 * began. Of no more than the latest ones anything is known. It costs a cell where there
 * are such answers, and nothing elsewhere. Pure.
 */
#ifndef PROTOCOL_ANSWERS_SENT_H
#define PROTOCOL_ANSWERS_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange.h"

#define ANSWERS_SENT_MAX 32
#define ANSWERS_SENT_MASK 0x3fu

struct answers_sent {
	uint32_t cell;  /* with what is remembered, or SLAB_NONE */
	uint32_t bytes; /* of the server's records so far, from anywhere on */
};

/* A record of the server's begins, of so many bytes. */
static inline void answers_sent_record(struct answers_sent *sent, uint32_t bytes)
{
	sent->bytes += bytes;
}

/* It is of an answer: it begins it, or may hold the beginnings of others. */
void answers_sent_add(struct answers_sent *sent, const struct exchange_sink *sink,
	struct moment at, uint32_t bytes, bool begins);
/* So many of the bytes have not reached the client: how many answers begin among them.
 * wanted: from now on they are to be remembered. */
uint8_t answers_sent_unseen(struct answers_sent *sent, const struct exchange_sink *sink,
	uint32_t bytes, bool wanted);
/* When the latest record that the client has had was sent, as far as it is known; latest:
 * when the server last spoke. */
struct moment answers_sent_latest_had(const struct answers_sent *sent,
	const struct exchange_sink *sink, struct moment latest);
void answers_sent_drop(struct answers_sent *sent, const struct exchange_sink *sink);

#endif
