/*
 * Finds the servers that answer for a zone, and the addresses of hosts, from the root
 * down and without any resolver: those are among the things that are measured. What it
 * learned of the root's and the top level's servers it keeps for a day, the rest for
 * minutes.
 */
#ifndef NAMES_FINDER_H
#define NAMES_FINDER_H

#include "dns_client.h"
#include "zone_cut.h"

#define FINDER_ADDRESSES 16
#define FINDER_ROOTS 32

struct finder;

typedef void (*finder_cut_fn)(void *arg, int rc, const struct zone_cut *cut);
typedef void (*finder_host_fn)(
	void *arg, int rc, const struct address *addresses, unsigned count);
/* rc 0: a server that speaks for the name says so, even if it is that there is nothing;
 * else negative, and no reply. */
typedef void (*finder_records_fn)(void *arg, int rc, const struct dns_reply *reply);

/* Without roots the well-known ones. A port that the first of them has is every server's.
 */
int finder_open(struct finder **out, struct dns_client *client,
	const struct dns_endpoint *roots, unsigned root_count);
/* Cancel the client's questions first: what is under way must have ended. NULL is fine.
 */
void finder_close(struct finder *finder);
uint16_t finder_port(const struct finder *finder);

/* The servers that refer to the zone: those of the zone above, or of one further up.
 * Calls done exactly once, perhaps during the call. */
void finder_parent(
	struct finder *finder, const char *zone, finder_cut_fn done, void *arg);
/* The IPv4 and IPv6 addresses of a host. */
void finder_host(struct finder *finder, const char *host, finder_host_fn done, void *arg);
/* What one of the name's own servers says to (name, type) now: only the way to them is
 * kept. A name that is an alias is not followed. */
void finder_records(struct finder *finder, const char *name, uint16_t type,
	finder_records_fn done, void *arg);
/* Forgets what it knows of the zones on the way to the name, and of hosts under it. */
void finder_forget(struct finder *finder, const char *name);

#endif
