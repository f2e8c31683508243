#include "copy_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SETS 4096 /* of 32 bytes: sixteen milliseconds of a million packets a second */
#define WAYS 4    /* rows that a segment may stand in */

struct copy_row {
	uint32_t tag; /* 0: empty */
	uint32_t at_us;
};

struct copy_table {
	uint64_t seed;
	struct copy_row rows[SETS][WAYS];
};

int copy_table_new(struct copy_table **out, uint64_t seed)
{
	struct copy_table *table = calloc(1, sizeof(*table));

	*out = table;
	if (!table)
		return -ENOMEM;
	table->seed = seed;
	return 0;
}

void copy_table_free(struct copy_table *table)
{
	free(table);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Queues may hand a copy over before its original. */
static bool is_recent(const struct copy_row *row, struct moment at)
{
	uint32_t since_us = (uint32_t)at.us - row->at_us;

	return since_us <= COPY_TABLE_US || -since_us <= COPY_TABLE_US;
}

bool copy_table_knows(struct copy_table *table, uint64_t owner,
	const struct tcp_segment *segment, struct moment at)
{
	uint64_t hash = mix(table->seed, owner);
	struct copy_row *set;
	uint32_t tag;

	if (segment->mark == 0) /* nothing tells copies */
		return false;
	hash = mix(hash, (uint64_t)segment->seq << 32 | segment->len);
	hash = mix(hash, segment->mark);
	set = table->rows[hash % SETS];
	tag = (uint32_t)(hash >> 32) | 1;
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].tag == tag && is_recent(&set[i], at))
			return true;
	memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
	set[0] = (struct copy_row){tag, (uint32_t)at.us};
	return false;
}
