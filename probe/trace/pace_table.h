/*
 * A token bucket for each of many addresses. The room is fixed: where it runs out, the
 * bucket of its neighbourhood that has rested longest is given to the newcomer, and the
 * loss of one that had not rested enough is counted. Pure memory.
 */
#ifndef TRACE_PACE_TABLE_H
#define TRACE_PACE_TABLE_H

#include <stdint.h>

#include "astray/address.h"
#include "astray/moment.h"

struct pace_table;

/* rate: packets a second to each address, of which burst may go at once. For about
 * `expected` addresses. */
int pace_table_new(
	struct pace_table **out, int64_t rate, unsigned burst, unsigned expected);
void pace_table_free(struct pace_table *table); /* NULL is fine */

/* How long until the next packet to this address may go, 0 when one may. */
int64_t pace_table_wait_us(
	const struct pace_table *table, const struct address *address, struct tick now);
/* One has gone; also where it should have waited, and then the next waits longer. */
void pace_table_take(
	struct pace_table *table, const struct address *address, struct tick now);
/* What was counted for one address was for another. */
void pace_table_move(struct pace_table *table, const struct address *from,
	const struct address *to, struct tick now);

/* Buckets that had to be given up while they still mattered. */
uint64_t pace_table_forgotten(const struct pace_table *table);

#endif
