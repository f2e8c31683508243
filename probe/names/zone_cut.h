/*
 * A zone and the servers that answer for it, as the zone above says. Pure.
 */
#ifndef NAMES_ZONE_CUT_H
#define NAMES_ZONE_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/obs.h"

#define ZONE_CUT_HOSTS 16
#define ZONE_CUT_ADDRESSES 64

struct zone_cut {
	char zone[OBS_NAME]; /* the root is "" */
	uint32_t ttl;        /* seconds */
	unsigned host_count, address_count;
	char hosts[ZONE_CUT_HOSTS][OBS_NAME];
	struct {
		unsigned host;
		struct address address;
	} addresses[ZONE_CUT_ADDRESSES];
};

/* What finds no room is left out: enough servers stay. */
void zone_cut_add_host(struct zone_cut *cut, const char *host);
void zone_cut_add_address(
	struct zone_cut *cut, const char *host, const struct address *address);
bool zone_cut_host_is_known(const struct zone_cut *cut, unsigned host);

#endif
