/*
 * The traces that are under way, found by their flow or by a reply. Pure memory; bounded
 * by the caller, who also owns what hangs at a flight's waiters.
 */
#ifndef TRACE_FLIGHT_TABLE_H
#define TRACE_FLIGHT_TABLE_H

#include "flight.h"

struct flight_table;

/* For about `expected` flights at once; more make it slower. */
int flight_table_new(struct flight_table **out, unsigned expected);
void flight_table_free(struct flight_table *table); /* and all flights; NULL is fine */

/* Takes a new flight over. */
void flight_table_add(struct flight_table *table, struct flight *flight);
/* Takes it out; it is the caller's then. */
void flight_table_remove(struct flight_table *table, struct flight *flight);

/* The one of this flow, or NULL. */
struct flight *flight_table_find(
	const struct flight_table *table, const struct trace_order *order);
/* The one that a reply is for, or NULL. A reply without a number says no cookie. */
struct flight *flight_table_match(const struct flight_table *table,
	const struct reply_packet *reply, bool numbered);
/* All are linked by `next`. */
struct flight *flight_table_first(const struct flight_table *table);

#endif
