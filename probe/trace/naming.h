/*
 * Finished traces wait here for the names of their routers: until all are known, or as
 * long as was said. A resolver that is slow or away holds up nothing else, and a trace
 * that finds no room goes on without the names that are missing.
 */
#ifndef TRACE_NAMING_H
#define TRACE_NAMING_H

#include "astray/obs.h"
#include "host_names.h"

struct naming;

/* obs is the one that was given, or a copy that is valid for the call; what is known of
 * names has been filled in. */
typedef void (*naming_done_fn)(void *arg, struct obs *obs);

struct naming_counts {
	uint64_t late;   /* traces that went on before all names were there */
	uint64_t full;   /* and that could not wait, for want of room */
	uint64_t unkept; /* addresses whose names found no room */
};

/* At most `limit` wait at once, each at most wait_us. resolver: as of host_names_open. */
int naming_open(struct naming **out, struct uv_loop_s *loop,
	const struct dns_endpoint *resolver, int64_t wait_us, unsigned limit);
/* Those that still wait end without a call. NULL is fine, and is not called back. */
void naming_close(struct naming *naming, void (*closed)(void *arg), void *arg);

/* Calls done exactly once, within this call or from the loop. */
void naming_add(struct naming *naming, struct obs *trace, naming_done_fn done, void *arg);
struct naming_counts naming_count(const struct naming *naming);

#endif
