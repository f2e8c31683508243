#include "meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/own_mark.h"
#include "astray/status.h"
#include "buffer_pool.h"
#include "connection.h"
#include "hpack_pool.h"
#include "icmp_quote.h"
#include "quic_connection.h"
#include "server_book.h"
#include "slab.h"
#include "syn_mark.h"
#include "udp_datagram.h"

#define FLOWS_PER_LOOKUP 8 /* questions wait for milliseconds */
#define LOOKUPS_MIN 256
#define READERS \
	64 /* HTTP/2 connections in the clear whose heads are read: up to 32 KiB each */
#define FLOWS_PER_BUFFER 8 /* few connections have anything split at one time */
#define CELLS_PER_FLOW 1u  /* all may speak HTTP/2; few need a second one */
#define BUFFERS_MIN 16
#define BUFFERS_MAX 1024               /* of 4 KiB; untouched ones cost nothing */
#define SWEEP_US (100 * INT64_C(1000)) /* how often unanswered SYNs are looked after */

struct meter {
	struct meter_counts counts;
	struct unwrap *unwrap;
	struct flow_table *table;
	struct copy_table *copies;
	struct server_book *servers;
	struct buffer_pool *buffers;
	struct slab *cells;
	struct hpack_pool *readers;
	struct windows *windows;
	struct service_naming *naming;
	struct dns_names *names;
	struct dns_traffic *dns;
	struct quic_connection_desk *desk;
	struct ledger ledger;
	struct connection_world world;
	struct moment swept; /* when the half open were looked after */
};

static uint16_t buffers_for(uint32_t flows)
{
	uint32_t buffers = flows / FLOWS_PER_BUFFER;

	if (buffers < BUFFERS_MIN)
		return BUFFERS_MIN;
	return (uint16_t)(buffers < BUFFERS_MAX ? buffers : BUFFERS_MAX);
}

static int make_dns(struct meter *meter, const struct meter_config *config)
{
	uint32_t lookups = config->flows / FLOWS_PER_LOOKUP;
	struct dns_traffic_config dns = {.windows = meter->windows,
		.naming = meter->naming,
		.names = config->keeps_no_names ? NULL : meter->names,
		.lookups = lookups > LOOKUPS_MIN ? lookups : LOOKUPS_MIN,
		.seed = config->seed};

	return dns_traffic_new(&meter->dns, &dns);
}

static int make_parts(struct meter *meter, const struct meter_config *config,
	const struct services *services)
{
	struct windows_config windows = {.window_us = config->window_us,
		.pause_us = config->pause_us,
		.exact_ends = config->exact_ends,
		.limit = services->count ? (unsigned)services->count
					 : config->service_limit,
		.emit = config->emit,
		.emit_arg = config->emit_arg};
	int rc;

	rc = unwrap_new(&meter->unwrap, config->tunnels);
	if (rc == 0)
		rc = flow_table_new(&meter->table, config->flows, config->seed);
	if (rc == 0)
		rc = copy_table_new(&meter->copies, config->seed);
	if (rc == 0)
		rc = server_book_new(&meter->servers, config->seed);
	if (rc == 0)
		rc = buffer_pool_new(&meter->buffers, buffers_for(config->flows));
	if (rc == 0)
		rc = slab_new(
			&meter->cells, CELLS_PER_FLOW * config->flows, EXCHANGE_CELL);
	if (rc == 0)
		rc = windows_new(&meter->windows, &windows, services);
	if (rc == 0)
		rc = dns_names_new(&meter->names, services, config->seed);
	if (rc == 0)
		rc = service_naming_new(
			&meter->naming, services, meter->windows, meter->names);
	if (rc == 0)
		rc = make_dns(meter, config);
	if (rc == 0)
		rc = hpack_pool_new(&meter->readers, READERS);
	if (rc == 0)
		rc = quic_connection_desk_new(&meter->desk);
	return rc;
}

int meter_new(struct meter **out, const struct meter_config *config,
	const struct services *services)
{
	struct meter *meter;
	int rc;

	*out = NULL;
	meter = calloc(1, sizeof(*meter));
	if (!meter)
		return -ENOMEM;
	rc = make_parts(meter, config, services);
	if (rc)
		goto fail;
	meter->ledger.windows = meter->windows;
	meter->ledger.naming = meter->naming;
	meter->ledger.dns = meter->dns;
	meter->ledger.cells = meter->cells;
	meter->world.table = meter->table;
	meter->world.copies = meter->copies;
	meter->world.ledger = &meter->ledger;
	meter->world.sink = (struct exchange_sink){.event = ledger_event,
		.host = ledger_host,
		.message = ledger_message,
		.arg = &meter->ledger,
		.buffers = meter->buffers,
		.cells = meter->cells,
		.readers = meter->readers};
	*out = meter;
	return 0;

fail:
	meter_free(meter);
	return rc;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	quic_connection_desk_free(meter->desk);
	dns_traffic_free(meter->dns);
	service_naming_free(meter->naming);
	dns_names_free(meter->names);
	windows_free(meter->windows);
	hpack_pool_free(meter->readers);
	slab_free(meter->cells);
	buffer_pool_free(meter->buffers);
	server_book_free(meter->servers);
	copy_table_free(meter->copies);
	flow_table_free(meter->table);
	unwrap_free(meter->unwrap);
	free(meter);
}

/* Who is the client of a connection whose beginning was not seen: its first bytes say so,
 * or that one of the two has answered others, or a port that is watched, or the lower
 * port that services have by custom. */
static bool sender_is_client(const struct meter *meter, const struct tcp_segment *segment)
{
	bool from_watched =
		service_naming_is_watched_port(meter->naming, segment->source_port);
	bool to_watched =
		service_naming_is_watched_port(meter->naming, segment->destination_port);
	bool from_server =
		server_book_knows(meter->servers, &segment->source, segment->source_port);
	bool to_server = server_book_knows(
		meter->servers, &segment->destination, segment->destination_port);
	enum exchange_side side;

	if (conversation_guess_side(&side, segment->data, segment->captured))
		return side == EXCHANGE_CLIENT;
	if (from_server != to_server)
		return to_server;
	if (from_watched != to_watched)
		return to_watched;
	return segment->source_port > segment->destination_port;
}

static void end_flow(struct meter *meter, struct flow *flow, struct moment at)
{
	if (flow->key.protocol == FLOW_UDP)
		quic_connection_end(&meter->world, flow, at);
	else
		connection_end(&meter->world, flow, at);
}

static void evict(struct meter *meter, struct flow *flow, struct moment at)
{
	if (flow->list == FLOW_HALF_OPEN)
		meter->counts.evicted_half_open++;
	else if (flow->list != FLOW_CLOSED)
		meter->counts.evicted++;
	end_flow(meter, flow, at);
	flow_table_remove(meter->table, flow);
}

/* What belongs to a trace or to our own requests is a connection that is over: whatever
 * follows says nothing. So is what is seen on the other side of a translation. */
static enum flow_list first_list(const struct tcp_segment *segment)
{
	uint8_t kind = segment->flags & (TCP_SEGMENT_SYN | TCP_SEGMENT_ACK);

	if (segment->ttl == OWN_MARK_TTL)
		return FLOW_CLOSED;
	if (kind != TCP_SEGMENT_SYN)
		return FLOW_YOUNG;
	return segment->window == SYN_MARK_WINDOW ? FLOW_CLOSED : FLOW_HALF_OPEN;
}

static struct flow *add_flow(struct meter *meter, const struct flow_key *key,
	bool client_is_low, enum flow_list list, struct moment at)
{
	struct flow *victim = flow_table_victim(meter->table);
	struct flow *flow;

	if (victim)
		evict(meter, victim, at);
	flow = flow_table_add(meter->table, key, list, at);
	if (flow)
		flow->client_is_low = client_is_low;
	return flow;
}

/* The same SYN with another address at one end: a machine that translates addresses shows
 * it on both sides of itself, and is captured on all its interfaces. */
static bool is_translation(
	struct meter *meter, const struct tcp_segment *segment, struct moment at)
{
	uint64_t from = address_hash(&segment->source, segment->source_port);
	uint64_t to = address_hash(&segment->destination, ~segment->destination_port);
	bool known;

	/* Without a timestamp the numbers of two connections may be alike by design. */
	if (!segment->stamped)
		return false;
	known = copy_table_knows(meter->copies, from, segment, at);
	return copy_table_knows(meter->copies, to, segment, at) || known;
}

static struct flow *begin_flow(struct meter *meter, const struct flow_key *key,
	const struct tcp_segment *segment, bool from_low, struct moment at)
{
	enum flow_list list = first_list(segment);
	struct flow *flow;
	bool client_sends;

	if (segment->flags & TCP_SEGMENT_SYN)
		client_sends = !(segment->flags & TCP_SEGMENT_ACK);
	else if (segment->len > 0 && !(segment->flags & TCP_SEGMENT_RST))
		client_sends = sender_is_client(meter, segment);
	else
		return NULL; /* the end of something that was never seen */
	if (list == FLOW_HALF_OPEN && is_translation(meter, segment, at))
		list = FLOW_CLOSED;
	flow = add_flow(meter, key, client_sends == from_low, list, at);
	if (flow)
		connection_begin(flow, !(segment->flags & TCP_SEGMENT_SYN));
	return flow;
}

/* The four numbers of a finished connection may come again; its SYN begins at another
 * one. */
static bool is_another(const struct flow *flow, const struct tcp_segment *segment)
{
	if ((segment->flags & (TCP_SEGMENT_SYN | TCP_SEGMENT_ACK)) != TCP_SEGMENT_SYN)
		return false;
	return flow->list == FLOW_CLOSED || flow->syn_tries + flow->syn_ack_tries == 0 ||
	       flow->client_start != segment->seq;
}

/* One of our own that was met in its middle, by a packet of the other side. */
static void disown(struct meter *meter, struct flow *flow, struct moment at)
{
	connection_end(&meter->world, flow, at);
	flow_table_move(meter->table, flow, FLOW_CLOSED, at);
}

static void follow(
	struct meter *meter, const struct tcp_segment *segment, struct moment at)
{
	struct flow_key key = {segment->source, segment->destination,
		segment->source_port, segment->destination_port, FLOW_TCP};
	bool from_low = flow_table_order(&key);
	struct flow *flow = flow_table_find(meter->table, &key);

	if (segment->flags & TCP_SEGMENT_SYN && segment->flags & TCP_SEGMENT_ACK)
		server_book_note(meter->servers, &segment->source, segment->source_port);
	if (flow && is_another(flow, segment)) {
		connection_end(&meter->world, flow, at);
		flow_table_remove(meter->table, flow);
		flow = NULL;
	}
	if (!flow)
		flow = begin_flow(meter, &key, segment, from_low, at);
	if (!flow)
		return;
	if (segment->ttl == OWN_MARK_TTL && flow->list != FLOW_CLOSED)
		disown(meter, flow, at);
	flow_table_touch(meter->table, flow, at);
	connection_segment(&meter->world, flow,
		flow->client_is_low == from_low ? EXCHANGE_CLIENT : EXCHANGE_SERVER,
		segment, at);
}

static void count_fault(struct meter *meter, int rc)
{
	if (rc == STATUS_SHORT)
		meter->counts.cut++;
	else if (rc == STATUS_SYNTAX)
		meter->counts.malformed++;
}

/* False when it belongs to no QUIC connection. */
static bool follow_quic(
	struct meter *meter, const struct udp_datagram *datagram, struct moment at)
{
	struct flow_key key = {datagram->source, datagram->destination,
		datagram->source_port, datagram->destination_port, FLOW_UDP};
	bool from_low = flow_table_order(&key);
	struct flow *flow = flow_table_find(meter->table, &key);
	enum exchange_side sender = flow && flow->client_is_low != from_low
					    ? EXCHANGE_SERVER
					    : EXCHANGE_CLIENT;

	if (flow && quic_connection_is_another(meter->desk, flow, sender, datagram)) {
		end_flow(meter, flow, at);
		flow_table_remove(meter->table, flow);
		flow = NULL;
		sender = EXCHANGE_CLIENT;
	}
	if (!flow) {
		if (!quic_connection_may_begin(meter->desk, datagram))
			return false;
		flow = add_flow(meter, &key, from_low, FLOW_HALF_OPEN, at);
		if (!flow)
			return true;
		quic_connection_begin(flow);
	}
	flow_table_touch(meter->table, flow, at);
	quic_connection_datagram(&meter->world, meter->desk, flow, sender, datagram, at);
	return true;
}

static void read_datagram(
	struct meter *meter, const struct ip_packet *ip, struct moment at)
{
	struct udp_datagram datagram;
	struct dns_traffic_message message;
	int rc = udp_datagram_read(&datagram, ip);

	if (rc) {
		count_fault(meter, rc);
		return;
	}
	meter->counts.datagrams++;
	if (datagram.ttl == OWN_MARK_TTL || follow_quic(meter, &datagram, at))
		return;
	message = (struct dns_traffic_message){.from = &datagram.source,
		.to = &datagram.destination,
		.from_port = datagram.source_port,
		.to_port = datagram.destination_port,
		.bytes = datagram.data,
		.len = datagram.len};
	dns_traffic_read(meter->dns, &message, at);
}

static struct flow *find_quoted(struct meter *meter, const struct icmp_quote *quote)
{
	struct flow_key key = {quote->packet.source, quote->packet.destination,
		quote->source_port, quote->destination_port, quote->packet.protocol};
	bool from_low = flow_table_order(&key);
	struct flow *flow = flow_table_find(meter->table, &key);

	return flow && flow->client_is_low == from_low ? flow : NULL;
}

/* A segment or datagram of a client's cannot arrive, somebody says. */
static void read_quote(struct meter *meter, const struct ip_packet *ip, struct moment at)
{
	struct icmp_quote quote;
	struct dns_traffic_message message;
	struct flow *flow;
	int rc = icmp_quote_read(&quote, ip);

	if (rc || !quote.final) {
		count_fault(meter, rc);
		return;
	}
	flow = find_quoted(meter, &quote);
	if (flow && flow->key.protocol == FLOW_TCP)
		connection_refuse(&meter->world, flow, quote.seq, at);
	else if (flow)
		quic_connection_refuse(&meter->world, flow, quote.data, at);
	if (quote.packet.protocol != FLOW_UDP)
		return;
	message = (struct dns_traffic_message){.from = &quote.packet.source,
		.to = &quote.packet.destination,
		.from_port = quote.source_port,
		.to_port = quote.destination_port,
		.bytes = quote.data,
		.len = quote.data_len};
	dns_traffic_refuse(meter->dns, &message);
}

static void read_transport(
	struct meter *meter, const struct ip_packet *ip, struct moment at)
{
	struct tcp_segment segment;
	int rc;

	meter->ledger.now = at;
	if (ip->protocol == FLOW_UDP)
		read_datagram(meter, ip, at);
	if (ip->protocol == ICMP_QUOTE_V4 || ip->protocol == ICMP_QUOTE_V6)
		read_quote(meter, ip, at);
	if (ip->protocol != FLOW_TCP)
		return;
	rc = tcp_segment_read(&segment, ip);
	if (rc) {
		count_fault(meter, rc);
		return;
	}
	meter->counts.segments++;
	follow(meter, &segment, at);
}

static void time_out(struct meter *meter, struct flow *flow)
{
	if (flow->key.protocol == FLOW_UDP)
		quic_connection_time_out(&meter->world, flow);
	else
		connection_time_out(&meter->world, flow);
}

static void sweep_half_open(struct meter *meter, struct moment now)
{
	struct flow *flow;

	meter->swept = now;
	while ((flow = flow_table_oldest(meter->table, FLOW_HALF_OPEN)) &&
		moment_since_us(now, flow->last) > CONNECTION_ANSWER_US)
		time_out(meter, flow);
	dns_traffic_sweep(meter->dns, now);
}

void meter_advance(struct meter *meter, struct moment now)
{
	if (now.us < 0 || now.us > MOMENT_MAX_US)
		return;
	windows_advance(meter->windows, now);
	if (moment_since_us(now, meter->swept) > SWEEP_US ||
		moment_before(now, meter->swept))
		sweep_half_open(meter, now);
}

void meter_packet(struct meter *meter, int link_type, struct moment at,
	const uint8_t *bytes, uint32_t captured, uint32_t wire_len)
{
	struct ip_packet ip;
	int rc;

	meter->counts.packets++;
	if (at.us < 0 || at.us > MOMENT_MAX_US) {
		meter->counts.malformed++;
		return;
	}
	meter_advance(meter, at);
	if (wire_len < captured)
		wire_len = captured;
	rc = unwrap_packet(meter->unwrap, &ip, link_type, at, bytes, captured, wire_len);
	if (rc)
		count_fault(meter, rc);
	else
		read_transport(meter, &ip, at);
}

static void end_all(struct meter *meter, enum flow_list list)
{
	struct flow *flow;

	while ((flow = flow_table_oldest(meter->table, list))) {
		end_flow(meter, flow, flow->last);
		flow_table_remove(meter->table, flow);
	}
}

void meter_finish(struct meter *meter)
{
	for (unsigned list = 0; list < FLOW_LISTS; list++)
		end_all(meter, (enum flow_list)list);
	dns_traffic_finish(meter->dns);
	windows_finish(meter->windows);
}

void meter_count(const struct meter *meter, struct meter_counts *counts)
{
	*counts = meter->counts;
	unwrap_count(meter->unwrap, &counts->layers);
	counts->unbuffered =
		buffer_pool_refusals(meter->buffers) + slab_refusals(meter->cells);
	counts->evicted_lookups = dns_traffic_evicted(meter->dns);
	counts->displaced_names = dns_names_displaced(meter->names);
	counts->unread_heads = hpack_pool_refusals(meter->readers);
	counts->refused_services = windows_refused_services(meter->windows);
	counts->unlisted_peers = windows_unlisted_peers(meter->windows);
}
