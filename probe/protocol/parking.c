#include "parking.h"

#include <string.h>

#include "tcp_segment.h"

#define BYTES_MAX (BUFFER_POOL_SIZE - sizeof(struct parked))

static struct parked *at_number(struct buffer_pool *pool, uint16_t number)
{
	return buffer_pool_bytes(pool, number);
}

/* The link behind which a segment with this number belongs. */
static uint16_t *place_for(
	struct buffer_pool *pool, struct tcp_order *order, uint32_t seq)
{
	uint16_t *link = &order->parked;

	while (*link != BUFFER_POOL_NONE &&
		tcp_segment_distance(at_number(pool, *link)->seq, seq) < 0)
		link = &at_number(pool, *link)->next;
	return link;
}

bool parking_put(struct buffer_pool *pool, struct tcp_order *order,
	const struct parked *segment, const uint8_t *bytes)
{
	uint16_t *link = place_for(pool, order, segment->seq);
	struct parked *parked;
	uint16_t number;

	if (*link != BUFFER_POOL_NONE && at_number(pool, *link)->seq == segment->seq &&
		at_number(pool, *link)->len >= segment->len)
		return true;
	if (order->parked_count >= PARKING_MAX ||
		(order->parked_count >= PARKING_FEW && !buffer_pool_is_plentiful(pool)))
		return false;
	number = buffer_pool_take(pool);
	if (number == BUFFER_POOL_NONE)
		return false;
	parked = at_number(pool, number);
	*parked = *segment;
	if (parked->captured > BYTES_MAX)
		parked->captured = BYTES_MAX;
	memcpy(parked->bytes, bytes, parked->captured);
	parked->next = *link;
	*link = number;
	order->parked_count++;
	return true;
}

const struct parked *parking_first(
	struct buffer_pool *pool, const struct tcp_order *order)
{
	return order->parked == BUFFER_POOL_NONE ? NULL : at_number(pool, order->parked);
}

void parking_drop_first(struct buffer_pool *pool, struct tcp_order *order)
{
	uint16_t number = order->parked;

	if (number == BUFFER_POOL_NONE)
		return;
	order->parked = at_number(pool, number)->next;
	order->parked_count--;
	buffer_pool_give(pool, number);
}

void parking_clear(struct buffer_pool *pool, struct tcp_order *order)
{
	while (order->parked != BUFFER_POOL_NONE)
		parking_drop_first(pool, order);
}
