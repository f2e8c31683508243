#include "connection.h"

#include "parking.h"
#include "slab.h"

#define TRIES_BEFORE_TIMEOUT 3

void connection_begin(struct flow *flow, bool mid_stream)
{
	flow->service = SERVICE_NAMING_UNKNOWN;
	flow->held = flow->holes = SLAB_NONE;
	round_trip_init(&flow->trip);
	tcp_order_init(&flow->orders[EXCHANGE_CLIENT]);
	tcp_order_init(&flow->orders[EXCHANGE_SERVER]);
	conversation_init(&flow->talk, mid_stream);
}

static enum exchange_side other_side(enum exchange_side side)
{
	return side == EXCHANGE_CLIENT ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
}

_Static_assert(2 * sizeof(struct tcp_order_hole) <= EXCHANGE_CELL, "fit in a cell");

/* NULL: there is none. */
static struct tcp_order_hole *hole_of(const struct connection_world *world,
	const struct flow *flow, enum exchange_side side)
{
	struct tcp_order_hole *holes;

	if (flow->holes == SLAB_NONE)
		return NULL;
	holes = slab_cell(world->sink.cells, flow->holes);
	return &holes[side];
}

/* Room for one; NULL when there is none left. */
static struct tcp_order_hole *make_hole(
	const struct connection_world *world, struct flow *flow, enum exchange_side side)
{
	struct tcp_order_hole *holes;

	if (flow->holes != SLAB_NONE)
		return hole_of(world, flow, side);
	flow->holes = slab_take(world->sink.cells);
	if (flow->holes == SLAB_NONE)
		return NULL;
	holes = slab_cell(world->sink.cells, flow->holes);
	holes[EXCHANGE_CLIENT] = holes[EXCHANGE_SERVER] = (struct tcp_order_hole){0};
	return &holes[side];
}

static void drop_holes(const struct connection_world *world, struct flow *flow)
{
	slab_give(world->sink.cells, flow->holes);
	flow->holes = SLAB_NONE;
}

static void settle_holes(const struct connection_world *world, struct flow *flow)
{
	if (flow->holes != SLAB_NONE &&
		!tcp_order_is_hole(hole_of(world, flow, EXCHANGE_CLIENT)) &&
		!tcp_order_is_hole(hole_of(world, flow, EXCHANGE_SERVER)))
		drop_holes(world, flow);
}

static void release(struct connection_world *world, struct flow *flow)
{
	conversation_drop(&flow->talk, &world->sink);
	parking_clear(world->sink.buffers, &flow->orders[EXCHANGE_CLIENT]);
	parking_clear(world->sink.buffers, &flow->orders[EXCHANGE_SERVER]);
	drop_holes(world, flow);
}

void connection_end(struct connection_world *world, struct flow *flow, struct moment at)
{
	if (flow->list == FLOW_CLOSED)
		return;
	world->ledger->flow = flow;
	conversation_end(&flow->talk, &world->sink, at);
	release(world, flow);
	ledger_closed(world->ledger);
}

static void close_connection(
	struct connection_world *world, struct flow *flow, struct moment at)
{
	connection_end(world, flow, at);
	flow_table_move(world->table, flow, FLOW_CLOSED, at);
}

void connection_time_out(struct connection_world *world, struct flow *flow)
{
	world->ledger->flow = flow;
	if (!flow->timed_out)
		ledger_timed_out(world->ledger);
	flow->timed_out = true;
	close_connection(world, flow, flow->last);
}

void connection_refuse(
	struct connection_world *world, struct flow *flow, uint32_t seq, struct moment at)
{
	if (flow->list != FLOW_HALF_OPEN || seq != flow->client_start)
		return;
	world->ledger->flow = flow;
	if (!flow->timed_out)
		ledger_refused(world->ledger);
	close_connection(world, flow, at);
}

static void syn_came(struct connection_world *world, struct flow *flow,
	const struct tcp_segment *segment, struct moment at)
{
	if (flow->syn_tries == 0 && flow->syn_ack_tries == 0) {
		flow->client_start = segment->seq;
		flow->shaken = at;
		tcp_order_start(&flow->orders[EXCHANGE_CLIENT], segment->seq + 1);
	} else if (flow->syn_tries > 0) {
		ledger_retransmit(world->ledger);
	} /* else its answer overtook it */
	if (flow->syn_tries < UINT8_MAX)
		flow->syn_tries++;
	if (flow->syn_tries == TRIES_BEFORE_TIMEOUT && flow->syn_ack_tries == 0) {
		ledger_timed_out(world->ledger);
		flow->timed_out = true;
	}
}

static void syn_ack_came(struct connection_world *world, struct flow *flow,
	const struct tcp_segment *segment, struct moment at)
{
	int64_t connect_us =
		flow->syn_tries == 1 ? moment_since_us(at, flow->shaken) : -1;

	if (flow->syn_ack_tries < UINT8_MAX)
		flow->syn_ack_tries++;
	if (flow->syn_ack_tries > 1) {
		ledger_retransmit(world->ledger);
		return;
	}
	flow->shaken = at;
	if (flow->syn_tries == 0)
		flow->client_start = segment->ack - 1;
	tcp_order_start(&flow->orders[EXCHANGE_SERVER], segment->seq + 1);
	if (!flow->orders[EXCHANGE_CLIENT].started)
		tcp_order_start(&flow->orders[EXCHANGE_CLIENT], segment->ack);
	flow_table_move(world->table, flow, FLOW_YOUNG, at);
	ledger_connected(world->ledger, connect_us);
}

/* The client goes on: the handshake is over, even if the SYN-ACK passed elsewhere. */
static void handshake_ends(struct connection_world *world, struct flow *flow,
	const struct tcp_segment *segment, struct moment at)
{
	int64_t away_us = moment_since_us(at, flow->shaken);

	flow->acknowledged = true;
	if (flow->list == FLOW_HALF_OPEN) {
		/* What the server says may pass elsewhere, too: then its acknowledgements
		 * tell of it. */
		tcp_order_start(&flow->orders[EXCHANGE_SERVER], segment->ack);
		flow_table_move(world->table, flow, FLOW_YOUNG, at);
		ledger_connected(world->ledger, -1);
	}
	if (flow->syn_ack_tries != 1)
		return;
	ledger_client_connected(world->ledger, away_us);
	conversation_client_away(&flow->talk, away_us);
}

static void reset_came(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, struct moment at)
{
	if (flow->list != FLOW_HALF_OPEN && !ledger_is_other(flow))
		conversation_breaks_off(&flow->talk, &world->sink, sender);
	if (flow->list == FLOW_HALF_OPEN && sender == EXCHANGE_SERVER)
		ledger_refused(world->ledger);
	else if (conversation_is_open(&flow->talk, &world->sink) &&
		 !ledger_is_other(flow))
		ledger_reset(world->ledger);
	close_connection(world, flow, at);
}

static void deliver(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, struct cursor bytes, uint32_t len, struct moment at)
{
	tcp_order_deliver(&flow->orders[sender], len);
	if (sender == EXCHANGE_SERVER && flow->list == FLOW_YOUNG)
		flow_table_move(world->table, flow, FLOW_OPEN, at);
	ledger_bytes(world->ledger, sender, len);
	if (!ledger_is_other(flow))
		conversation_segment(&flow->talk, &world->sink, sender, bytes, len, at);
}

/* Goes on behind bytes that nobody has seen. */
static void pass_over(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, uint32_t len, bool may_come, struct moment at)
{
	struct tcp_order_hole *hole = may_come ? make_hole(world, flow, sender) : NULL;

	if (tcp_order_pass_over(&flow->orders[sender], hole, len, at) || !hole)
		ledger_lost_packet(world->ledger);
	ledger_bytes(world->ledger, sender, len);
	if (!ledger_is_other(flow))
		conversation_hole(&flow->talk, &world->sink, sender, len, at);
}

/* Delivers those that were parked and whose turn has come. */
static void drain(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, struct moment at)
{
	struct buffer_pool *pool = world->sink.buffers;
	struct tcp_order *order = &flow->orders[sender];
	const struct parked *first;

	while ((first = parking_first(pool, order))) {
		int32_t ahead = tcp_segment_distance(first->seq, order->next);
		uint32_t trim = ahead < 0 ? (uint32_t)-ahead : 0;
		uint32_t skip = trim < first->captured ? trim : first->captured;

		if (ahead > 0)
			return;
		if (trim < first->len)
			deliver(world, flow, sender,
				cursor_over(first->bytes + skip, first->captured - skip),
				first->len - trim, at);
		parking_drop_first(pool, order);
	}
}

/* What is missing may still come, or is lost to the capture. */
static void go_on_at(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, uint32_t seq, bool may_come, struct moment at)
{
	uint32_t len = seq - flow->orders[sender].next;

	pass_over(world, flow, sender, len, may_come, at);
	drain(world, flow, sender, at);
}

/* It comes for the first time; but what is parked behind it has waited too long. */
static bool ends_a_long_wait(struct connection_world *world, const struct flow *flow,
	enum exchange_side sender, struct moment at)
{
	const struct parked *first =
		parking_first(world->sink.buffers, &flow->orders[sender]);

	return first && tcp_order_is_resent(first->at, at);
}

static void data_is_new(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, uint32_t trim,
	struct moment at)
{
	uint32_t skip = trim < segment->captured ? trim : segment->captured;

	if (trim > 0 || ends_a_long_wait(world, flow, sender, at))
		ledger_retransmit(world->ledger);
	if (sender == EXCHANGE_CLIENT)
		round_trip_sent(&flow->trip, segment->seq + segment->len,
			segment->len - trim, at);
	deliver(world, flow, sender,
		cursor_over(segment->data + skip, segment->captured - skip),
		segment->len - trim, at);
	drain(world, flow, sender, at);
}

/* What is missing in front of the segment ends there, or where another is parked. */
static uint32_t end_of_gap(struct connection_world *world, const struct tcp_order *order,
	const struct tcp_segment *segment)
{
	const struct parked *first = parking_first(world->sink.buffers, order);
	bool sooner = first && tcp_segment_distance(first->seq, segment->seq) < 0;

	return sooner ? first->seq : segment->seq;
}

/* False when what the segment waited for was passed over, since it can be, or since there
 * is no room to wait: its place is another now. */
static bool data_is_ahead(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	struct tcp_order *order = &flow->orders[sender];
	struct parked parked = {.at = at,
		.seq = segment->seq,
		.len = segment->len,
		.captured = segment->captured};
	uint32_t until = end_of_gap(world, order, segment);

	if (sender == EXCHANGE_CLIENT)
		round_trip_forget(&flow->trip);
	if (!ledger_is_other(flow) &&
		until - order->next >
			conversation_skippable(&flow->talk, &world->sink, sender) &&
		parking_put(world->sink.buffers, order, &parked, segment->data))
		return true;
	go_on_at(world, flow, sender, until, true, at);
	return false;
}

/* The numbers lead nowhere: a stretch of any length is missing. */
static void data_is_far(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	struct tcp_order *order = &flow->orders[sender];
	struct tcp_order_hole *hole = hole_of(world, flow, sender);

	parking_clear(world->sink.buffers, order);
	ledger_lost_packet(world->ledger);
	if (hole)
		*hole = (struct tcp_order_hole){0};
	if (!ledger_is_other(flow))
		conversation_hole(&flow->talk, &world->sink, sender, UINT64_MAX, at);
	tcp_order_start(order, segment->seq);
	data_is_new(world, flow, sender, segment, 0, at);
}

static void data_came_again(
	struct connection_world *world, struct flow *flow, enum exchange_side sender)
{
	ledger_retransmit(world->ledger);
	if (sender == EXCHANGE_CLIENT)
		round_trip_forget(&flow->trip);
}

/* What the client had when it sent this. */
static void note_unseen(struct connection_world *world, struct flow *flow,
	const struct tcp_segment *segment)
{
	int32_t unseen =
		tcp_segment_distance(flow->orders[EXCHANGE_SERVER].next, segment->ack);

	conversation_unseen(&flow->talk, &world->sink, unseen > 0 ? (uint32_t)unseen : 0);
}

static void data_came(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	struct tcp_order *order = &flow->orders[sender];
	enum tcp_order_verdict verdict;
	uint32_t trim;

	if (!order->started)
		tcp_order_start(order, segment->seq);
	if (sender == EXCHANGE_CLIENT && !ledger_is_other(flow))
		note_unseen(world, flow, segment);
	do
		verdict = tcp_order_place(order, hole_of(world, flow, sender),
			segment->seq, segment->len, at, &trim);
	while (verdict == TCP_ORDER_AHEAD &&
		!data_is_ahead(world, flow, sender, segment, at));
	if (verdict == TCP_ORDER_NEW)
		data_is_new(world, flow, sender, segment, trim, at);
	else if (verdict == TCP_ORDER_AGAIN)
		data_came_again(world, flow, sender);
	else if (verdict == TCP_ORDER_FAR)
		data_is_far(world, flow, sender, segment, at);
}

/* Who speaks has had what it acknowledges: what of that nobody saw was said before, and
 * has to be passed over before. */
static void catch_up(struct connection_world *world, struct flow *flow,
	enum exchange_side side, uint32_t ack, struct moment at)
{
	struct tcp_order *order = &flow->orders[side];
	int32_t missing;

	while ((missing = tcp_order_missing(order, ack)) > 0) {
		const struct parked *first = parking_first(world->sink.buffers, order);
		int32_t gap = missing;

		if (first && tcp_segment_distance(first->seq, ack) < 0)
			gap = tcp_segment_distance(first->seq, order->next);
		pass_over(world, flow, side, (uint32_t)gap, true, at);
		drain(world, flow, side, at);
	}
}

static void acknowledgement_came(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	enum exchange_side peer = other_side(sender);
	struct tcp_order *order = &flow->orders[peer];
	const struct parked *first;
	int64_t rtt_us;

	if (tcp_order_acknowledge(order, hole_of(world, flow, peer), segment->ack, at))
		ledger_lost_packet(world->ledger);
	if (order->parked_count > 0 && tcp_order_gives_up(order, at)) {
		first = parking_first(world->sink.buffers, order);
		go_on_at(world, flow, peer, first->seq, false, at);
	}
	if (segment->len > 0)
		catch_up(world, flow, peer, segment->ack, at);
	if (sender == EXCHANGE_CLIENT)
		return;
	rtt_us = round_trip_acknowledged(&flow->trip, segment->ack, segment->len, at);
	if (rtt_us >= 0)
		ledger_round_trip(world->ledger, rtt_us);
}

static void server_finished(
	struct connection_world *world, struct flow *flow, struct moment at)
{
	if (ledger_is_other(flow))
		return;
	conversation_end(&flow->talk, &world->sink, at);
	if (!conversation_is_open(&flow->talk, &world->sink))
		return;
	ledger_reset(world->ledger);
	close_connection(world, flow, at);
}

static void fin_came(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	struct tcp_order *order = &flow->orders[sender];

	if (order->finished || order->next != segment->seq + segment->len)
		return;
	order->finished = true;
	tcp_order_deliver(order, 1);
	if (!ledger_is_other(flow))
		conversation_breaks_off(&flow->talk, &world->sink, sender);
	if (sender == EXCHANGE_SERVER)
		server_finished(world, flow, at);
	if (flow->list != FLOW_CLOSED && flow->orders[EXCHANGE_CLIENT].finished &&
		flow->orders[EXCHANGE_SERVER].finished)
		close_connection(world, flow, at);
}

static void handshake_segment(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	if (sender == EXCHANGE_CLIENT && (segment->flags & TCP_SEGMENT_SYN))
		syn_came(world, flow, segment, at);
	else if (segment->flags & TCP_SEGMENT_SYN)
		syn_ack_came(world, flow, segment, at);
	else if (sender == EXCHANGE_CLIENT && !(segment->flags & TCP_SEGMENT_RST))
		handshake_ends(world, flow, segment, at);
}

static bool is_copy(const struct connection_world *world, const struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	uint64_t owner = 2 * (uint64_t)flow_table_number(world->table, flow) + sender;

	return copy_table_knows(world->copies, owner, segment, at);
}

void connection_segment(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at)
{
	struct tcp_segment data = *segment;

	if (flow->list == FLOW_CLOSED || is_copy(world, flow, sender, segment, at))
		return;
	world->ledger->flow = flow;
	if (!flow->acknowledged || (segment->flags & TCP_SEGMENT_SYN))
		handshake_segment(world, flow, sender, segment, at);
	if (segment->flags & TCP_SEGMENT_RST) {
		reset_came(world, flow, sender, at);
		return;
	}
	if (segment->flags & TCP_SEGMENT_ACK)
		acknowledgement_came(world, flow, sender, segment, at);
	if (segment->flags & TCP_SEGMENT_SYN)
		data.seq++; /* the SYN has a number of its own (RFC 7413 puts data behind)
			     */
	if (data.len > 0)
		data_came(world, flow, sender, &data, at);
	if (segment->flags & TCP_SEGMENT_FIN)
		fin_came(world, flow, sender, &data, at);
	settle_holes(world, flow);
}
