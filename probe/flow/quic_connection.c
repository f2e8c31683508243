#include "quic_connection.h"

#include <errno.h>
#include <stdlib.h>

#include "slab.h"

#define DATAGRAM_MAX 65536

struct quic_connection_desk {
	struct quic_crypt *crypt;
	uint8_t plain[DATAGRAM_MAX];
};

int quic_connection_desk_new(struct quic_connection_desk **out)
{
	struct quic_connection_desk *desk = calloc(1, sizeof(*desk));
	int rc;

	*out = NULL;
	if (!desk)
		return -ENOMEM;
	rc = quic_crypt_new(&desk->crypt);
	if (rc)
		quic_connection_desk_free(desk);
	else
		*out = desk;
	return rc;
}

void quic_connection_desk_free(struct quic_connection_desk *desk)
{
	if (!desk)
		return;
	quic_crypt_free(desk->crypt);
	free(desk);
}

bool quic_connection_may_begin(
	struct quic_connection_desk *desk, const struct udp_datagram *datagram)
{
	return quic_talk_may_begin(
		desk->crypt, desk->plain, datagram->data, datagram->len);
}

bool quic_connection_is_another(struct quic_connection_desk *desk,
	const struct flow *flow, enum exchange_side sender,
	const struct udp_datagram *datagram)
{
	if (flow->list == FLOW_CLOSED)
		return quic_connection_may_begin(desk, datagram);
	return sender == EXCHANGE_CLIENT &&
	       quic_talk_is_another(&flow->quic, desk->crypt, desk->plain, datagram->data,
		       datagram->len);
}

void quic_connection_begin(struct flow *flow)
{
	flow->service = SERVICE_NAMING_UNKNOWN;
	flow->held = SLAB_NONE;
	round_trip_init(&flow->trip);
	quic_talk_init(&flow->quic);
}

void quic_connection_end(
	struct connection_world *world, struct flow *flow, struct moment at)
{
	(void)at;
	if (flow->list == FLOW_CLOSED)
		return;
	world->ledger->flow = flow;
	quic_talk_end(&flow->quic, &world->sink);
	quic_talk_drop(&flow->quic, &world->sink);
	ledger_closed(world->ledger);
}

static void close_connection(
	struct connection_world *world, struct flow *flow, struct moment at)
{
	quic_connection_end(world, flow, at);
	flow_table_move(world->table, flow, FLOW_CLOSED, at);
}

void quic_connection_time_out(struct connection_world *world, struct flow *flow)
{
	world->ledger->flow = flow;
	if (flow->quic.foreign)
		ledger_refused(world->ledger);
	else
		ledger_timed_out(world->ledger);
	close_connection(world, flow, flow->last);
}

void quic_connection_refuse(struct connection_world *world, struct flow *flow,
	struct cursor quoted, struct moment at)
{
	if (flow->list != FLOW_HALF_OPEN || !quic_talk_sent(&flow->quic, quoted))
		return;
	world->ledger->flow = flow;
	ledger_refused(world->ledger);
	close_connection(world, flow, at);
}

static void server_answered(
	struct connection_world *world, struct flow *flow, struct moment at)
{
	bool timed = flow->syn_tries == 1;

	flow->shaken = at;
	flow_table_move(world->table, flow, FLOW_OPEN, at);
	ledger_connected(
		world->ledger, timed ? moment_since_us(at, flow->quic.began) : -1);
}

static void tell(struct connection_world *world, struct flow *flow,
	const struct quic_talk_news *news, struct moment at)
{
	if (news->repeated) {
		flow->syn_tries = 2;
		ledger_retransmit(world->ledger);
	}
	if (news->answered && !news->refused)
		server_answered(world, flow, at);
	if (news->confirmed && flow->syn_tries == 1)
		ledger_client_connected(world->ledger, moment_since_us(at, flow->shaken));
	if (news->established)
		exchange_tell(&world->sink, EXCHANGE_HANDSHAKE,
			moment_since_us(at, flow->quic.began));
	if (news->rtt_us >= 0) {
		round_trip_note(&flow->trip, news->rtt_us);
		ledger_round_trip(world->ledger, news->rtt_us);
	}
}

void quic_connection_datagram(struct connection_world *world,
	struct quic_connection_desk *desk, struct flow *flow, enum exchange_side sender,
	const struct udp_datagram *datagram, struct moment at)
{
	struct quic_talk_scene scene = {.crypt = desk->crypt,
		.plain = desk->plain,
		.sink = &world->sink,
		.least_rtt_us = flow->trip.least_us == ROUND_TRIP_NONE
					? -1
					: (int64_t)flow->trip.least_us};
	struct quic_talk_news news;

	if (flow->list == FLOW_CLOSED)
		return;
	world->ledger->flow = flow;
	if (flow->syn_tries == 0)
		flow->syn_tries = 1;
	ledger_bytes(world->ledger, sender, datagram->len);
	quic_talk_datagram(
		&flow->quic, &scene, &news, sender, datagram->data, datagram->len, at);
	tell(world, flow, &news, at);
	if (!news.refused)
		return;
	ledger_refused(world->ledger);
	close_connection(world, flow, at);
}
