/*
 * The traces that are under way, found by their flow or by a reply. Pure memory; bounded
 * by the caller, who also owns what hangs at a flight's waiters.
 */
#ifndef TRACE_FLIGHT_TABLE_H
#define TRACE_FLIGHT_TABLE_H

#include <stdbool.h>

#include "fan.h"
#include "mtu_search.h"
#include "pace.h"
#include "path.h"
#include "probe_packet.h"
#include "trace_record.h"

#define FLIGHT_SPARE_IDS MTU_SEARCH_PROBES

struct flight_waiter; /* somebody who wants the result */
struct trace_socket;

struct flight {
	struct trace_order order;
	struct probe_flow flow;
	struct path *path;
	struct fan *fan; /* with all_paths: asked in the path's place; else NULL */
	struct trace_socket *socket;
	struct pace pace; /* towards this destination */
	unsigned largest; /* packet that can leave towards it */
	bool mtu_begun;
	struct mtu_search mtu; /* once the path is known, if it was asked for */
	uint64_t number;       /* which flight it is */
	struct moment at;      /* when it began */
	struct tick due;       /* when a wait ends next */
	int rc;                /* why sending failed, or 0 */
	struct flight_waiter *waiters;
	bool ready; /* stands in the list of those that may send */
	struct flight *next_ready, *next_ended;
	struct flight *next, *previous; /* all */
	struct flight *next_in_bucket;
};

struct flight_table;

/* For about `expected` flights at once; more make it slower. */
int flight_table_new(struct flight_table **out, unsigned expected);
void flight_table_free(struct flight_table *table); /* and all flights; NULL is fine */

/* A new flight with its path; NULL when there is no memory. */
struct flight *flight_table_add(struct flight_table *table,
	const struct trace_order *order, const struct probe_flow *flow, uint16_t first_id,
	bool narrow);
/* When one of its probes really left. */
void flight_table_note_sent(struct flight *flight, uint16_t id, struct tick at);
/* Takes it out; it is the caller's then. */
void flight_table_remove(struct flight_table *table, struct flight *flight);
void flight_table_free_flight(struct flight *flight);

/* The one of this flow, or NULL. */
struct flight *flight_table_find(
	const struct flight_table *table, const struct trace_order *order);
/* The one that a reply is for, or NULL. A reply without a number says no cookie. */
struct flight *flight_table_match(const struct flight_table *table,
	const struct reply_packet *reply, bool numbered);
/* All are linked by `next`. */
struct flight *flight_table_first(const struct flight_table *table);

#endif
