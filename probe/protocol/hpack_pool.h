/*
 * Readers of HTTP/2's compressed heads (HPACK), one for each side of a connection. They
 * remember what their connection said before, so each costs memory while it lives: their
 * number is fixed, and who finds none left goes without, which is counted. The file that
 * meets libnghttp2. Source: RFC 7541.
 */
#ifndef PROTOCOL_HPACK_POOL_H
#define PROTOCOL_HPACK_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange.h"

#define HPACK_POOL_NONE UINT16_MAX

struct hpack_pool;

int hpack_pool_new(struct hpack_pool **out, uint16_t count);
void hpack_pool_free(struct hpack_pool *pool);

/* Readers for both sides of a new connection, or HPACK_POOL_NONE. */
uint16_t hpack_pool_take(struct hpack_pool *pool);
/* Gives them back; HPACK_POOL_NONE is allowed. */
void hpack_pool_give(struct hpack_pool *pool, uint16_t number);
uint64_t hpack_pool_refusals(const struct hpack_pool *pool);

typedef void (*hpack_pool_field_fn)(void *arg, const char *name, size_t name_len,
	const char *value, size_t value_len);

/* More bytes of a side's present block; `last`: it ends here. Every field of it is
 * handed over as soon as it is whole. STATUS_SYNTAX when this is no such block: nothing
 * that follows on that side can be read. */
int hpack_pool_read(struct hpack_pool *pool, uint16_t number, enum exchange_side side,
	const uint8_t *bytes, size_t len, bool last, hpack_pool_field_fn field,
	void *arg);

#endif
