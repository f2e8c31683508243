#include "flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define UNPROVEN_SHARE                                                   \
	4 /* of the table for each kind, before they push out each other \
	   */

/* Gateways follow many. */
_Static_assert(sizeof(struct flow) <= 232, "a flow has outgrown its share of memory");

struct ends {
	uint32_t oldest, latest, count;
};

struct flow_table {
	uint64_t seed;
	uint32_t capacity, untouched; /* entries from here on were never used */
	uint32_t free;                /* the first of those given back, by chain */
	uint32_t mask;
	struct ends lists[FLOW_LISTS];
	uint32_t *buckets;
	struct flow flows[];
};

int flow_table_new(struct flow_table **out, uint32_t capacity, uint64_t seed)
{
	struct flow_table *table;
	uint32_t buckets = 1;

	*out = NULL;
	while (buckets < capacity && buckets < UINT32_C(1) << 31)
		buckets <<= 1;
	table = calloc(1, sizeof(*table) + (size_t)capacity * sizeof(table->flows[0]));
	if (!table)
		return -ENOMEM;
	table->buckets = malloc((size_t)buckets * sizeof(*table->buckets));
	if (!table->buckets) {
		free(table);
		return -ENOMEM;
	}
	memset(table->buckets, 0xff, (size_t)buckets * sizeof(*table->buckets));
	table->seed = seed;
	table->capacity = capacity;
	table->mask = buckets - 1;
	table->free = NONE;
	for (unsigned i = 0; i < FLOW_LISTS; i++)
		table->lists[i] = (struct ends){NONE, NONE, 0};
	*out = table;
	return 0;
}

void flow_table_free(struct flow_table *table)
{
	if (!table)
		return;
	free(table->buckets);
	free(table);
}

static uint32_t *bucket_of(const struct flow_table *table, const struct flow_key *key)
{
	uint64_t words[5] = {0}, hash = table->seed;

	_Static_assert(sizeof(*key) <= sizeof(words), "a key fits its words");
	memcpy(words, key, sizeof(*key));
	for (unsigned i = 0; i < 5; i++) {
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return &table->buckets[hash & table->mask];
}

bool flow_table_order(struct flow_key *key)
{
	int order = memcmp(&key->low, &key->high, sizeof(key->low));
	struct flow_key turned = {
		key->high, key->low, key->high_port, key->low_port, key->protocol};
	bool is_low = order ? order < 0 : key->low_port < key->high_port;

	if (!is_low)
		*key = turned;
	return is_low;
}

struct flow *flow_table_find(struct flow_table *table, const struct flow_key *key)
{
	uint32_t number = *bucket_of(table, key);

	while (number != NONE) {
		struct flow *flow = &table->flows[number];

		if (memcmp(&flow->key, key, sizeof(*key)) == 0)
			return flow;
		number = flow->chain;
	}
	return NULL;
}

uint32_t flow_table_number(const struct flow_table *table, const struct flow *flow)
{
	return (uint32_t)(flow - table->flows);
}

static void unlink_flow(struct flow_table *table, struct flow *flow)
{
	struct ends *ends = &table->lists[flow->list];

	if (flow->older == NONE)
		ends->oldest = flow->newer;
	else
		table->flows[flow->older].newer = flow->newer;
	if (flow->newer == NONE)
		ends->latest = flow->older;
	else
		table->flows[flow->newer].older = flow->older;
	ends->count--;
}

static void link_latest(struct flow_table *table, struct flow *flow, enum flow_list list)
{
	struct ends *ends = &table->lists[list];
	uint32_t number = flow_table_number(table, flow);

	flow->list = (uint8_t)list;
	flow->newer = NONE;
	flow->older = ends->latest;
	if (ends->latest == NONE)
		ends->oldest = number;
	else
		table->flows[ends->latest].newer = number;
	ends->latest = number;
	ends->count++;
}

struct flow *flow_table_oldest(struct flow_table *table, enum flow_list list)
{
	uint32_t number = table->lists[list].oldest;

	return number == NONE ? NULL : &table->flows[number];
}

uint32_t flow_table_count(const struct flow_table *table, enum flow_list list)
{
	return table->lists[list].count;
}

static bool has_more_than_its_share(const struct flow_table *table, enum flow_list list)
{
	return table->lists[list].count > table->capacity / UNPROVEN_SHARE;
}

struct flow *flow_table_victim(struct flow_table *table)
{
	static const enum flow_list order[] = {FLOW_CLOSED, FLOW_OPEN, FLOW_YOUNG};

	if (has_more_than_its_share(table, FLOW_HALF_OPEN))
		return flow_table_oldest(table, FLOW_HALF_OPEN);
	if (table->free != NONE || table->untouched < table->capacity)
		return NULL;
	if (table->lists[FLOW_CLOSED].count == 0 &&
		has_more_than_its_share(table, FLOW_YOUNG))
		return flow_table_oldest(table, FLOW_YOUNG);
	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (table->lists[order[i]].count > 0)
			return flow_table_oldest(table, order[i]);
	return flow_table_oldest(table, FLOW_HALF_OPEN);
}

static struct flow *take_entry(struct flow_table *table)
{
	struct flow *flow;

	if (table->free != NONE) {
		flow = &table->flows[table->free];
		table->free = flow->chain;
		return flow;
	}
	if (table->untouched == table->capacity)
		return NULL;
	return &table->flows[table->untouched++];
}

struct flow *flow_table_add(struct flow_table *table, const struct flow_key *key,
	enum flow_list list, struct moment at)
{
	uint32_t *bucket = bucket_of(table, key);
	struct flow *flow = take_entry(table);

	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	flow->last = at;
	flow->chain = *bucket;
	*bucket = flow_table_number(table, flow);
	link_latest(table, flow, list);
	return flow;
}

void flow_table_remove(struct flow_table *table, struct flow *flow)
{
	uint32_t *link = bucket_of(table, &flow->key);
	uint32_t number = flow_table_number(table, flow);

	while (*link != number)
		link = &table->flows[*link].chain;
	*link = flow->chain;
	unlink_flow(table, flow);
	flow->chain = table->free;
	table->free = number;
}

void flow_table_move(struct flow_table *table, struct flow *flow, enum flow_list list,
	struct moment at)
{
	unlink_flow(table, flow);
	link_latest(table, flow, list);
	flow->last = at;
}
