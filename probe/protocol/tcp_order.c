#include "tcp_order.h"

#include "buffer_pool.h"
#include "tcp_segment.h"

/* No window is larger in practice; the protocol's bound is 1 GiB. */
#define WINDOW_MAX (64 << 20)

/* Capture queues and mirrors hand packets over a little out of order: what looks missing
 * is given this long before it is believed. */
#define GRACE_US 5000

/* What fills a hole sooner was out of order; later, it was sent again. */
#define REORDERING_US 3000

void tcp_order_init(struct tcp_order *order)
{
	*order = (struct tcp_order){.parked = BUFFER_POOL_NONE};
}

void tcp_order_start(struct tcp_order *order, uint32_t next)
{
	order->next = order->acked = next;
	order->started = true;
}

/* Never 0, which stands for no time. */
static uint32_t low_us(struct moment at)
{
	return (uint32_t)at.us | 1;
}

static int32_t since_us(struct moment at, uint32_t before_us)
{
	return (int32_t)(low_us(at) - before_us);
}

static bool fills(const struct tcp_order_hole *hole, uint32_t seq, uint32_t len)
{
	return tcp_order_is_hole(hole) && tcp_segment_distance(hole->until, seq) > 0 &&
	       tcp_segment_distance(seq + len, hole->from) > 0;
}

bool tcp_order_is_resent(struct moment waited_since, struct moment at)
{
	return moment_since_us(at, waited_since) >= REORDERING_US;
}

static void fill(struct tcp_order_hole *hole, uint32_t seq, uint32_t len)
{
	hole->bytes -= len < hole->bytes ? len : hole->bytes;
	if (hole->bytes == 0)
		hole->from = hole->until;
	else if (tcp_segment_distance(seq, hole->from) <= 0)
		hole->from = tcp_segment_distance(hole->until, seq) < (int32_t)len
				     ? hole->until
				     : seq + len;
}

static enum tcp_order_verdict place_old(const struct tcp_order *order,
	struct tcp_order_hole *hole, uint32_t seq, uint32_t len, struct moment at)
{
	if (len <= 1 && seq + 1 == order->next)
		return TCP_ORDER_PROBE;
	if (!fills(hole, seq, len))
		return TCP_ORDER_AGAIN;
	fill(hole, seq, len);
	return since_us(at, hole->at_us) < REORDERING_US ? TCP_ORDER_LATE
							 : TCP_ORDER_AGAIN;
}

enum tcp_order_verdict tcp_order_place(const struct tcp_order *order,
	struct tcp_order_hole *hole, uint32_t seq, uint32_t len, struct moment at,
	uint32_t *trim)
{
	int32_t ahead = tcp_segment_distance(seq, order->next);

	*trim = 0;
	if (ahead > WINDOW_MAX || ahead < -WINDOW_MAX)
		return TCP_ORDER_FAR;
	if (ahead > 0)
		return TCP_ORDER_AHEAD;
	if ((uint32_t)-ahead >= len)
		return place_old(order, hole, seq, len, at);
	*trim = (uint32_t)-ahead;
	if (fills(hole, seq, *trim))
		fill(hole, seq, *trim);
	return TCP_ORDER_NEW;
}

/* The other side has had what was passed over, and it has had its grace. */
static bool is_lost(const struct tcp_order *order, const struct tcp_order_hole *hole,
	struct moment at)
{
	return tcp_order_is_hole(hole) &&
	       tcp_segment_distance(order->acked, hole->until) >= 0 &&
	       since_us(at, hole->at_us) >= GRACE_US;
}

bool tcp_order_acknowledge(struct tcp_order *order, struct tcp_order_hole *hole,
	uint32_t ack, struct moment at)
{
	if (!order->started)
		return false;
	if (tcp_segment_distance(ack, order->acked) > 0)
		order->acked = ack;
	if (tcp_segment_distance(order->acked, order->next) > 0 && !order->doubt_at_us)
		order->doubt_at_us = low_us(at);
	if (!is_lost(order, hole, at))
		return false;
	hole->from = hole->until;
	return true;
}

bool tcp_order_gives_up(const struct tcp_order *order, struct moment at)
{
	return order->doubt_at_us && since_us(at, order->doubt_at_us) >= GRACE_US;
}

int32_t tcp_order_missing(const struct tcp_order *order, uint32_t ack)
{
	int32_t missing = tcp_segment_distance(ack, order->next);

	return order->started && !order->finished && missing <= WINDOW_MAX ? missing : 0;
}

void tcp_order_deliver(struct tcp_order *order, uint32_t len)
{
	order->next += len;
	if (tcp_segment_distance(order->acked, order->next) <= 0)
		order->doubt_at_us = 0;
}

bool tcp_order_pass_over(struct tcp_order *order, struct tcp_order_hole *hole,
	uint32_t len, struct moment at)
{
	bool gives_up = is_lost(order, hole, at);

	if (hole && (gives_up || !tcp_order_is_hole(hole)))
		*hole = (struct tcp_order_hole){.from = order->next, .at_us = low_us(at)};
	if (hole) {
		hole->until = order->next + len;
		hole->bytes += len;
	}
	tcp_order_deliver(order, len);
	return gives_up;
}
