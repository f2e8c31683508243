/*
 * One trace that is under way: a path, or a fan of them, and the search for the path's
 * MTU behind it, asked in one manner. Pure memory, packets' meanings and times.
 */
#ifndef TRACE_FLIGHT_H
#define TRACE_FLIGHT_H

#include <stdbool.h>

#include "fan.h"
#include "mtu_search.h"
#include "path.h"
#include "probe_packet.h"
#include "trace_packet.h"
#include "trace_record.h"

#define FLIGHT_SPARE_IDS MTU_SEARCH_PROBES

struct flight_waiter; /* somebody who wants the result */
struct trace_socket;

struct flight {
	struct trace_order order;
	struct probe_flow flow;
	struct path *path;
	struct fan *fan; /* with all_paths: asked in the path's place; else NULL */
	bool mtu_begun;
	struct mtu_search mtu; /* once the path is known, if it was asked for */
	unsigned largest;      /* packet that can leave towards it */
	int rc;                /* why sending failed, or 0 */
	/* What follows is its owner's. */
	struct trace_socket *socket;
	uint64_t number;  /* which flight it is */
	struct moment at; /* when it began */
	struct tick due;  /* when a wait ends next */
	struct flight_waiter *waiters;
	bool ready; /* stands in the list of those that may send */
	struct flight *next_ready, *next_ended;
	struct flight *next, *previous; /* all */
	struct flight *next_in_bucket;
};

/* NULL when there is no memory. narrow: as in struct path_plan. */
struct flight *flight_new(const struct trace_order *order, const struct probe_flow *flow,
	uint16_t first_id, bool narrow);
void flight_free(struct flight *flight); /* NULL is fine */

/* The next packet to send now, noted as sent, or false. The tag is left alone. */
bool flight_next(struct flight *flight, struct tick now, const struct ttl_gate *gate,
	struct trace_packet *packet);
/* When one of its probes really left. */
void flight_note_sent(struct flight *flight, uint16_t id, struct tick at);
/* One could not leave: a packet that was too large for the first link teaches the search
 * for the MTU, any other ends the flight. */
void flight_refused(struct flight *flight, uint16_t id, int rc);

/* Whether a reply is for this flight at all; numbered: it says for which probe. */
bool flight_is_answered_by(
	const struct flight *flight, const struct reply_packet *reply, bool numbered);
enum path_match flight_take_reply(
	struct flight *flight, struct reply_packet *reply, bool numbered, struct tick at);
/* The TTL that was asked by the probe that a reply is for; 0: not known, or it does not
 * ask a router. */
uint8_t flight_ttl_of(
	const struct flight *flight, const struct reply_packet *reply, bool numbered);

/* As of a path. */
struct tick flight_deadline(const struct flight *flight);
void flight_expire(struct flight *flight, struct tick now);
bool flight_is_over(const struct flight *flight);

#endif
