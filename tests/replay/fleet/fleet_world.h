/*
 * The world that a fleet measures: cities, sites, networks, services, probes. Made from a
 * seed; nothing in it changes afterwards. All addresses lie in the benchmark network
 * 198.18/15.
 */
#ifndef FLEET_WORLD_H
#define FLEET_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/obs.h"

#define FLEET_SLOT_US (5 * MOMENT_MINUTE_US)
#define FLEET_SLOTS_A_DAY (MOMENT_DAY_US / FLEET_SLOT_US)
/* A Monday, 00:00 UTC. */
#define FLEET_BEGIN_US INT64_C(1588550400000000)

/* What ordinary days are made of. Each can be left out, so that a false page can be
 * blamed on one. */
enum fleet_noise {
	NOISE_BALANCING,
	NOISE_SILENT_HOPS,
	NOISE_SLOW_ROUTERS,
	NOISE_TRANSIT_CHANGES,
	NOISE_EDGE_FLAPS,
	NOISE_WRONG_PLACES,
	NOISE_GEO_RELEASE,
	NOISE_ROTATION,
	NOISE_SERVFAIL,
	NOISE_PLANNED_MOVE,
	NOISE_HOLIDAYS,
	NOISE_CLOSURES,
	NOISE_LEAVE,
	NOISE_HOMES,
	NOISE_WIFI,
	NOISE_TRAVEL,
	NOISE_SKEW,
	NOISE_BURSTS,
	NOISE_GROWTH,
	NOISE_DEPLOYS,
	NOISE_SURGES,
	NOISE_MAINTENANCE,
	NOISE_RENEWALS,
	NOISE_LOSS,
	NOISE_LATENESS,
	NOISE_DOUBLES,
	NOISE_RESTARTS,
	NOISE_ISOLATION,
	NOISE_LIARS,        /* one laptop in twenty says what nobody else sees */
	NOISE_BLACKOUTS,    /* nothing at all arrives, and what was measured is lost */
	NOISE_DEAD_GATEWAY, /* for a day */
	NOISE_CLOCK_CHANGE, /* an office begins an hour later, by summer time */
	NOISE_HALF_DAYS,    /* a country goes home at noon */
	NOISE_MONTHS,       /* payday, and longer batches at a month's end */
	NOISE_LOAD_TESTS,   /* of one service, from one office */
	NOISE_PROVIDER_SWAP,
	NOISE_RENAMING,
	NOISE_RECOUNT,
	NOISE_RETIREMENT,
	NOISE_DARK_WEEKENDS,
	FLEET_NOISES
};
const char *fleet_world_noise_text(enum fleet_noise noise);

struct fleet_options {
	uint64_t seed;
	unsigned sites, services, endpoints_a_site;
	int history_days, days; /* only what comes after the history is judged */
	bool incidents;
	uint64_t without; /* bits 1 << enum fleet_noise */
};

struct fleet_city {
	const char *name, *country;
	double latitude, longitude;
};

enum fleet_rhythm {
	RHYTHM_PUBLIC,
	RHYTHM_STAFF,
	RHYTHM_MACHINE,
	RHYTHM_BATCH,
	RHYTHM_LOW
};

#define FLEET_SITES 5
#define FLEET_SERVICES 300
#define FLEET_ZONE_SERVICES 4 /* neighbours in the list share a zone */

struct fleet_site {
	const char *name;
	unsigned city;
	int utc_offset_hours;
	uint32_t asn;
};

struct fleet_service {
	char name[OBS_WORD], host[OBS_NAME];
	unsigned zone;
	enum fleet_rhythm rhythm;
	double requests; /* a slot at one site at the height of its day */
	bool edged; /* served by a content network's edge near each site, else from one
		       city */
	bool anycast;
	bool policy;              /* has expectations */
	unsigned provider;        /* the content network, or the hosting one */
	unsigned city;            /* where it is hosted when it is not edged */
	double server_us, spread; /* median of the server's own time; of its logarithm */
	bool young;               /* begins a week before the judged days */
};

struct fleet_probe {
	char name[OBS_WORD];
	enum obs_role role;
	unsigned site;
	unsigned number; /* among all */
};

struct fleet_world {
	struct fleet_options options;
	unsigned zone_count, probe_count;
	struct fleet_site sites[FLEET_SITES];
	struct fleet_service services[FLEET_SERVICES];
	struct fleet_probe probes[FLEET_SITES * 64 + FLEET_SITES + 2];
};

int fleet_world_init(struct fleet_world *world, const struct fleet_options *options);

const struct fleet_city *fleet_world_city(unsigned number);
extern const unsigned fleet_world_city_count;
bool fleet_world_has(const struct fleet_world *world, enum fleet_noise noise);
static inline int64_t fleet_world_slot_us(int64_t slot)
{
	return FLEET_BEGIN_US + slot * FLEET_SLOT_US;
}
/* The city whose edge serves a site on ordinary days. */
unsigned fleet_world_near_edge(const struct fleet_world *world, unsigned site);
/* Its known alternate. */
unsigned fleet_world_next_edge(const struct fleet_world *world, unsigned site);
uint32_t fleet_world_provider_asn(const struct fleet_service *service);
void fleet_world_zone_name(unsigned zone, char name[static OBS_NAME]);
/* The name servers of a zone: number 0..3. */
void fleet_world_name_server(
	unsigned zone, unsigned number, bool moved, char name[static OBS_NAME]);

#endif
