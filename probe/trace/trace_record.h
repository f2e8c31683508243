/*
 * A finished path as an observation: its hops with their places, judged by what light
 * allows.
 */
#ifndef TRACE_TRACE_RECORD_H
#define TRACE_TRACE_RECORD_H

#include "astray/obs.h"
#include "mtu_search.h"
#include "path.h"

struct geo;

struct trace_order {
	struct address peer;
	enum obs_protocol protocol;
	uint16_t port; /* unused with ICMP */
	uint16_t flow; /* which of the equal ways; 0..TRACE_FLOW_MAX */
	unsigned max_ttl, queries;
	unsigned likely_length; /* as in struct path_plan */
	bool all_paths;         /* a fan of flows in place of one path */
	bool mtu;               /* how large a packet the path carries is wanted too */
};

#define TRACE_FLOW_MAX 4000

/* geo may be NULL, and here unlocated: then nothing is tagged, or judged. */
void trace_record_fill(struct obs *obs, struct moment at, const char *service,
	const struct trace_order *order, const struct path *path, const struct geo *geo,
	const struct place *here);
/* Places the hops (again, once their names are known). */
void trace_record_place(struct obs *obs, const struct geo *geo, const struct place *here);
/* How large a packet the path carries, and who said so. */
void trace_record_add_mtu(struct obs *obs, const struct mtu_search *search);

#endif
