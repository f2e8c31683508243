/*
 * All paths to one destination: the multipath detection algorithm (Veitch, Augustin,
 * Teixeira, Friedman: "Failure control in multipath route tracing", 2009), in batches.
 * What follows each router is asked with ever more flows that are known to cross it,
 * until so many were asked that one more next router would have shown itself with 95 %
 * confidence at every router. Six flows go to all TTLs at first; then only where the path
 * branches.
 *
 * One flow is asked again where several answered: when it does not stay with one router,
 * packets are balanced, not flows, and no number of flows tells more. Pure: TTLs, flows,
 * ids and times.
 */
#ifndef TRACE_FAN_H
#define TRACE_FAN_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"
#include "reply_packet.h"
#include "ttl_gate.h"

#define FAN_FLOWS 512
#define FAN_TTLS 40
#define FAN_SHOTS 8192
#define FAN_NODES 64 /* at one TTL */

struct fan;

struct fan_plan {
	unsigned max_ttl; /* 1..FAN_TTLS */
	uint16_t first_id;
	bool confident; /* 99 % at each router */
};

struct fan_probe {
	uint8_t ttl;
	uint16_t flow; /* 0..FAN_FLOWS-1 */
	uint16_t id;
};

struct fan_node {
	struct address address; /* family 0: flows that nobody answered for */
	int64_t rtt_us;         /* the least */
	unsigned flows;
	bool is_end; /* the destination, or who refused */
	unsigned mpls_count;
	struct obs_mpls mpls[OBS_MPLS];
};

struct fan_link {
	unsigned from, to; /* nodes at a TTL and at the next */
	unsigned flows;
};

int fan_new(struct fan **out, const struct fan_plan *plan);
void fan_free(struct fan *fan); /* NULL is fine */
uint16_t fan_first_id_max(void);

/* As for a path. */
bool fan_next(struct fan *fan, struct tick now, const struct ttl_gate *gate,
	struct fan_probe *probe);
uint8_t fan_ttl_of(const struct fan *fan, uint16_t id);
void fan_note_sent(struct fan *fan, uint16_t id, struct tick at);
bool fan_take_reply(
	struct fan *fan, uint16_t id, const struct reply_packet *reply, struct tick at);
struct tick fan_deadline(const struct fan *fan);
void fan_expire(struct fan *fan, struct tick now);
bool fan_is_done(const struct fan *fan);

bool fan_is_reached(const struct fan *fan);
unsigned fan_length(const struct fan *fan); /* the last TTL with anything at it */
unsigned fan_flow_count(const struct fan *fan);
/* The nodes at a TTL, borrowed. */
unsigned fan_nodes(const struct fan *fan, unsigned ttl, const struct fan_node **nodes);
/* The node that answered this flow at this TTL, or -1: not asked, or nobody did. */
int fan_node_of(const struct fan *fan, unsigned ttl, unsigned flow);
/* Links from a TTL to the next, at most max; how many there are. */
unsigned fan_links(
	const struct fan *fan, unsigned ttl, struct fan_link *links, unsigned max);
bool fan_balances_packets(const struct fan *fan, unsigned ttl);
/* It ended at a bound of its own, before the rule was content. */
bool fan_is_cut_short(const struct fan *fan);

#endif
