#include "flight_table.h"

#include <errno.h>
#include <stdlib.h>

struct flight_table {
	struct flight *first;
	unsigned mask;
	struct flight *buckets[];
};

int flight_table_new(struct flight_table **out, unsigned expected)
{
	unsigned buckets = 16;

	while (buckets < expected && buckets < 1u << 20)
		buckets *= 2;
	*out = calloc(1, sizeof(**out) + buckets * sizeof(struct flight *));
	if (!*out)
		return -ENOMEM;
	(*out)->mask = buckets - 1;
	return 0;
}

void flight_table_free(struct flight_table *table)
{
	struct flight *flight = table ? table->first : NULL;

	while (flight) {
		struct flight *next = flight->next;

		flight_table_free_flight(flight);
		flight = next;
	}
	free(table);
}

static unsigned bucket_of(const struct flight_table *table, const struct address *peer,
	enum obs_protocol protocol)
{
	return (unsigned)address_hash(peer, protocol) & table->mask;
}

static struct flight **bucket_at(struct flight_table *table, const struct address *peer,
	enum obs_protocol protocol)
{
	return &table->buckets[bucket_of(table, peer, protocol)];
}

static int make_search(struct flight *flight, const struct trace_order *order,
	const struct path_plan *plan)
{
	struct fan_plan fan = {
		.max_ttl = order->max_ttl < FAN_TTLS ? order->max_ttl : FAN_TTLS,
		.first_id = plan->first_id};
	int rc = path_new(&flight->path, plan);

	if (rc == 0 && order->all_paths)
		rc = fan_new(&flight->fan, &fan);
	return rc;
}

struct flight *flight_table_add(struct flight_table *table,
	const struct trace_order *order, const struct probe_flow *flow, uint16_t first_id,
	bool narrow)
{
	struct path_plan plan = {.max_ttl = order->max_ttl,
		.queries = order->queries,
		.first_id = first_id,
		.likely_length = order->likely_length,
		.narrow = narrow,
		.spare_ids = FLIGHT_SPARE_IDS};
	struct flight **bucket = bucket_at(table, &order->peer, order->protocol);
	struct flight *flight = calloc(1, sizeof(*flight));

	if (!flight || make_search(flight, order, &plan)) {
		if (flight)
			flight_table_free_flight(flight);
		return NULL;
	}
	flight->order = *order;
	flight->flow = *flow;
	flight->next_in_bucket = *bucket;
	*bucket = flight;
	flight->next = table->first;
	if (flight->next)
		flight->next->previous = flight;
	table->first = flight;
	return flight;
}

void flight_table_remove(struct flight_table *table, struct flight *flight)
{
	struct flight **at =
		bucket_at(table, &flight->order.peer, flight->order.protocol);

	while (*at != flight)
		at = &(*at)->next_in_bucket;
	*at = flight->next_in_bucket;
	if (flight->next)
		flight->next->previous = flight->previous;
	if (flight->previous)
		flight->previous->next = flight->next;
	else
		table->first = flight->next;
}

void flight_table_free_flight(struct flight *flight)
{
	path_free(flight->path);
	fan_free(flight->fan);
	free(flight);
}

struct flight *flight_table_find(
	const struct flight_table *table, const struct trace_order *order)
{
	struct flight *at =
		table->buckets[bucket_of(table, &order->peer, order->protocol)];

	while (at &&
		!(at->order.protocol == order->protocol &&
			at->order.port == order->port && at->order.flow == order->flow &&
			address_equal(&at->order.peer, &order->peer)))
		at = at->next_in_bucket;
	return at;
}

/* A fan's flows differ in one port, in ICMP's case the checksum. */
static bool answers(
	const struct flight *flight, const struct reply_packet *reply, bool numbered)
{
	bool icmp = flight->flow.protocol == OBS_ICMP;
	struct probe_flow flow = flight->flow;
	uint16_t *port = icmp ? &flow.to_port : &flow.from_port;
	unsigned beyond = (unsigned)(icmp ? reply->to_port : reply->from_port) - *port;

	if (flight->fan && beyond < FAN_FLOWS)
		*port = (uint16_t)(*port + beyond);
	return reply_packet_answers(reply, &flow, numbered);
}

struct flight *flight_table_match(
	const struct flight_table *table, const struct reply_packet *reply, bool numbered)
{
	struct flight *at = table->buckets[bucket_of(table, &reply->to, reply->protocol)];

	while (at && !answers(at, reply, numbered))
		at = at->next_in_bucket;
	return at;
}

struct flight *flight_table_first(const struct flight_table *table)
{
	return table->first;
}

void flight_table_note_sent(struct flight *flight, uint16_t id, struct tick at)
{
	if (flight->fan)
		fan_note_sent(flight->fan, id, at);
	else
		path_note_sent(flight->path, id, at);
}
