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

		flight_free(flight);
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

void flight_table_add(struct flight_table *table, struct flight *flight)
{
	struct flight **bucket =
		bucket_at(table, &flight->order.peer, flight->order.protocol);

	flight->next_in_bucket = *bucket;
	*bucket = flight;
	flight->next = table->first;
	if (flight->next)
		flight->next->previous = flight;
	table->first = flight;
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

struct flight *flight_table_match(
	const struct flight_table *table, const struct reply_packet *reply, bool numbered)
{
	struct flight *at = table->buckets[bucket_of(table, &reply->to, reply->protocol)];

	while (at && !flight_is_answered_by(at, reply, numbered))
		at = at->next_in_bucket;
	return at;
}

struct flight *flight_table_first(const struct flight_table *table)
{
	return table->first;
}
