/*
 * Who is speaking: every probe that has sent something, with its role, its site, the
 * network it is in now, and how far its clock is off. A vantage is a probe in a network;
 * a laptop that moved is another vantage. Bounded; what found no room is counted.
 *
 * A site is what the probe's label "site" says; probes without one share the site
 * "default". A probe is roaming when its network lies in another country than its site,
 * and away when it is in another network of the same country (a home office).
 */
#ifndef ASTRAY_VANTAGES_H
#define ASTRAY_VANTAGES_H

#include <stdbool.h>

#include "astray/obs.h"
#include "astray/wire.h"

#define VANTAGES_MAX 8192
#define VANTAGES_SITES 256

struct archive;

struct vantage {
	char probe[OBS_WORD];
	unsigned number; /* from 0, in order of first sight */
	unsigned site;   /* index of vantages_site_name */
	enum obs_role role;
	bool introduced; /* has said hello; until then it is taken for an endpoint */
	bool roaming, away;
	uint32_t asn;
	char country[3];
	struct moment first_rx, last_rx;
	int64_t clock_us; /* its clock is ahead of ours by this; 0 while within half a
			     minute */
	bool clock_lost;  /* so far off that only the time of arrival means something */
	/* Behind this line: how the offset is learnt. */
	int64_t delay_us[8];
	unsigned delay_count;
};

struct vantages;

int vantages_new(struct vantages **out);
void vantages_free(struct vantages *vantages);

/* The sender of an observation; a hello is taken in. NULL when there is no room for
 * another. */
struct vantage *vantages_see(struct vantages *vantages, const struct wire_origin *origin,
	const struct obs *obs);
/* When it was measured, in the collector's time. */
struct moment vantages_moment(const struct vantage *vantage,
	const struct wire_origin *origin, const struct obs *obs);

unsigned vantages_site_count(const struct vantages *vantages);
const char *vantages_site_name(const struct vantages *vantages, unsigned site);
/* The country of a site's gateways, or "" before any has said where it is. */
const char *vantages_site_country(const struct vantages *vantages, unsigned site);
bool vantages_site_has_gateway(const struct vantages *vantages, unsigned site);
unsigned vantages_count(const struct vantages *vantages);
const struct vantage *vantages_at(const struct vantages *vantages, unsigned number);
uint64_t vantages_refused(const struct vantages *vantages);
/* Both ways of a snapshot; what is read goes into an empty one. */
void vantages_keep(struct archive *archive, struct vantages *vantages);

#endif
