/*
 * Segments that came before their turn, kept in buffers until what is missing arrives or
 * is given up: a list for each direction, sorted by sequence number, at most PARKING_MAX
 * long, and only PARKING_FEW where buffers are scarce: what one connection has on its way
 * costs nobody else the head of a conversation. Only as much of a segment is kept as a
 * buffer holds; its length is kept whole.
 */
#ifndef PROTOCOL_PARKING_H
#define PROTOCOL_PARKING_H

#include "buffer_pool.h"
#include "tcp_order.h"

#define PARKING_MAX 128
#define PARKING_FEW 16

struct parked {
	struct moment at;
	uint32_t seq, len, captured;
	uint16_t next;
	uint8_t bytes[];
};

/* False when there is no room; a segment that stands there already is not kept twice. */
bool parking_put(struct buffer_pool *pool, struct tcp_order *order,
	const struct parked *segment, const uint8_t *bytes);
/* The one with the lowest number, or NULL. */
const struct parked *parking_first(
	struct buffer_pool *pool, const struct tcp_order *order);
void parking_drop_first(struct buffer_pool *pool, struct tcp_order *order);
void parking_clear(struct buffer_pool *pool, struct tcp_order *order);

#endif
