/*
 * What was measured of each service, in windows of fixed length aligned to 1970. Time
 * comes with the packets or from windows_advance, never from a clock. When a window ends,
 * every service that was configured or seen is emitted, also one without a single
 * request: nothing is information too. What comes late counts in the present window.
 *
 * The number of services is bounded. One that was not configured makes room for another
 * when no connection is its own any more and its present window is empty; while none can,
 * new ones are refused and counted.
 */
#ifndef FLOW_WINDOWS_H
#define FLOW_WINDOWS_H

#include "astray/obs.h"
#include "astray/services.h"

struct windows;

struct windows_config {
	int64_t window_us;
	int64_t pause_us; /* a longer silence means that nobody measured: no windows for
			     it */
	bool exact_ends;  /* the first and last window are as long as was measured, not
			     whole */
	enum obs_method method;
	unsigned limit; /* services, at least those configured; at most INT16_MAX */
	obs_emit_fn emit;
	void *emit_arg;
};

/* Configured services have the numbers that they have in the list. */
int windows_new(struct windows **out, const struct windows_config *config,
	const struct services *services);
void windows_free(struct windows *windows);

/* The number of the service of that name, adding it; negative when there is no room. */
int windows_service(struct windows *windows, const char *name);
const char *windows_name(const struct windows *windows, int service);
/* Where to count in the present window. */
struct obs_traffic *windows_traffic(struct windows *windows, int service);
/* A request to this server. */
void windows_count_peer(struct windows *windows, int service, const struct address *peer);
/* A connection is the service's own from now on, and no more. */
void windows_enter(struct windows *windows, int service);
void windows_leave(struct windows *windows, int service);

/* Ends every window that ends at or before now. */
void windows_advance(struct windows *windows, struct moment now);
/* Emits the present window as it stands. */
void windows_finish(struct windows *windows);

uint64_t windows_refused_services(const struct windows *windows);
/* Requests to servers for which a window had no row left. */
uint64_t windows_unlisted_peers(const struct windows *windows);

#endif
