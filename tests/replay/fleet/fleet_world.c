#include "fleet_world.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fleet_dice.h"

static const struct fleet_city cities[] = {
	{"Tokyo", "JP", 35.7, 139.7},
	{"Osaka", "JP", 34.7, 135.5},
	{"London", "GB", 51.5, -0.1},
	{"Frankfurt", "DE", 50.1, 8.7},
	{"New York", "US", 40.7, -74.0},
	{"Nagoya", "JP", 35.2, 136.9},
	{"Manchester", "GB", 53.5, -2.2},
	{"Munich", "DE", 48.1, 11.6},
	{"Ashburn", "US", 39.0, -77.5},
	{"Chicago", "US", 41.9, -87.6},
	{"Los Angeles", "US", 34.1, -118.2},
	{"Seattle", "US", 47.6, -122.3},
	/* From here on: where no service's traffic goes. */
	{"Amsterdam", "NL", 52.4, 4.9},
	{"Hong Kong", "HK", 22.3, 114.2},
	{"Singapore", "SG", 1.3, 103.8},
	{"Seoul", "KR", 37.6, 127.0},
	{"Paris", "FR", 48.9, 2.4},
	{"Brussels", "BE", 50.8, 4.4},
	{"Moscow", "RU", 55.8, 37.6},
	{"Toronto", "CA", 43.7, -79.4},
	{"Sao Paulo", "BR", -23.5, -46.6},
};
const unsigned fleet_world_city_count = sizeof(cities) / sizeof(cities[0]);

static const char *const noises[FLEET_NOISES] = {
	[NOISE_BALANCING] = "balancing",
	[NOISE_SILENT_HOPS] = "silent-hops",
	[NOISE_SLOW_ROUTERS] = "slow-routers",
	[NOISE_TRANSIT_CHANGES] = "transit-changes",
	[NOISE_EDGE_FLAPS] = "edge-flaps",
	[NOISE_WRONG_PLACES] = "wrong-places",
	[NOISE_GEO_RELEASE] = "geo-release",
	[NOISE_ROTATION] = "rotation",
	[NOISE_SERVFAIL] = "servfail",
	[NOISE_PLANNED_MOVE] = "planned-move",
	[NOISE_HOLIDAYS] = "holidays",
	[NOISE_CLOSURES] = "closures",
	[NOISE_LEAVE] = "leave",
	[NOISE_HOMES] = "homes",
	[NOISE_WIFI] = "wifi",
	[NOISE_TRAVEL] = "travel",
	[NOISE_SKEW] = "skew",
	[NOISE_BURSTS] = "bursts",
	[NOISE_GROWTH] = "growth",
	[NOISE_DEPLOYS] = "deploys",
	[NOISE_SURGES] = "surges",
	[NOISE_MAINTENANCE] = "maintenance",
	[NOISE_RENEWALS] = "renewals",
	[NOISE_LOSS] = "loss",
	[NOISE_LATENESS] = "lateness",
	[NOISE_DOUBLES] = "doubles",
	[NOISE_RESTARTS] = "restarts",
	[NOISE_ISOLATION] = "isolation",
	[NOISE_LIARS] = "liars",
	[NOISE_BLACKOUTS] = "blackouts",
	[NOISE_DEAD_GATEWAY] = "dead-gateway",
	[NOISE_CLOCK_CHANGE] = "clock-change",
	[NOISE_HALF_DAYS] = "half-days",
	[NOISE_MONTHS] = "months",
	[NOISE_LOAD_TESTS] = "load-tests",
	[NOISE_PROVIDER_SWAP] = "provider-swap",
	[NOISE_RENAMING] = "renaming",
	[NOISE_RECOUNT] = "recount",
	[NOISE_RETIREMENT] = "retirement",
	[NOISE_DARK_WEEKENDS] = "dark-weekends",
};

static const struct fleet_site places[FLEET_SITES] = {
	{"tokyo", 0, 9, 64600},
	{"osaka", 1, 9, 64601},
	{"london", 2, 0, 64602},
	{"frankfurt", 3, 1, 64603},
	{"newyork", 4, -5, 64604},
};

const char *fleet_world_noise_text(enum fleet_noise noise)
{
	return noises[noise];
}

const struct fleet_city *fleet_world_city(unsigned number)
{
	return &cities[number];
}

bool fleet_world_has(const struct fleet_world *world, enum fleet_noise noise)
{
	return !(world->options.without >> noise & 1);
}

unsigned fleet_world_near_edge(const struct fleet_world *world, unsigned site)
{
	return world->sites[site].city;
}

unsigned fleet_world_next_edge(const struct fleet_world *world, unsigned site)
{
	static const unsigned next[FLEET_SITES] = {1, 0, 3, 2, 8};

	(void)world;
	return next[site];
}

uint32_t fleet_world_provider_asn(const struct fleet_service *service)
{
	return (service->edged ? 64700u : 64720u) + service->provider;
}

void fleet_world_zone_name(unsigned zone, char name[static OBS_NAME])
{
	(void)snprintf(name, OBS_NAME, "zone%u.example", zone);
}

void fleet_world_name_server(
	unsigned zone, unsigned number, bool moved, char name[static OBS_NAME])
{
	static const char *const suffixes[4] = {"com", "net", "org", "co.uk"};

	(void)snprintf(name, OBS_NAME, "ns-%u.%s-%02u.%s", 100 + zone * 8 + number * 400,
		moved ? "otherdns" : "exampledns", 10 + (zone * 4 + number) % 50,
		suffixes[number]);
}

static double draw(const struct fleet_world *world, unsigned service, unsigned number)
{
	return fleet_dice_uniform(world->options.seed, DICE_SERVICE, service, number);
}

/* Cycles, so that a small world holds every rhythm too. */
static void make_service(struct fleet_world *world, unsigned number)
{
	static const enum fleet_rhythm rhythms[12] = {RHYTHM_PUBLIC, RHYTHM_STAFF,
		RHYTHM_MACHINE, RHYTHM_STAFF, RHYTHM_PUBLIC, RHYTHM_LOW, RHYTHM_STAFF,
		RHYTHM_MACHINE, RHYTHM_PUBLIC, RHYTHM_BATCH, RHYTHM_STAFF, RHYTHM_PUBLIC};
	struct fleet_service *service = &world->services[number];

	service->rhythm = rhythms[number % 12];
	service->zone = number / FLEET_ZONE_SERVICES;
	(void)snprintf(service->name, sizeof(service->name), "service-%02u", number);
	(void)snprintf(service->host, sizeof(service->host), "s%02u.zone%u.example",
		number, service->zone);
	service->requests = 30 * exp2(draw(world, number, 0) * 6);
	if (service->rhythm == RHYTHM_LOW)
		service->requests = 5;
	service->edged = draw(world, number, 1) < .55;
	service->anycast = service->edged && draw(world, number, 2) < .4;
	service->policy = draw(world, number, 3) < .6;
	service->provider = (unsigned)(draw(world, number, 4) * 3);
	service->city = (unsigned)(draw(world, number, 5) * 12);
	service->server_us = 4000 * exp2(draw(world, number, 6) * 5);
	service->spread = .3 + .4 * draw(world, number, 7);
	service->young = number % 12 == 11;
}

static void add_probe(struct fleet_world *world, enum obs_role role, unsigned site,
	const char *what, unsigned number)
{
	struct fleet_probe *probe = &world->probes[world->probe_count];

	*probe = (struct fleet_probe){
		.role = role, .site = site, .number = world->probe_count++};
	(void)snprintf(probe->name, sizeof(probe->name), "%.3s-%s-%u",
		world->sites[site].name, what, number);
}

int fleet_world_init(struct fleet_world *world, const struct fleet_options *options)
{
	if (options->sites < 1 || options->sites > FLEET_SITES || options->services < 1 ||
		options->services > FLEET_SERVICES || options->endpoints_a_site > 64)
		return -EINVAL;
	memset(world, 0, sizeof(*world));
	world->options = *options;
	memcpy(world->sites, places, sizeof(places));
	for (unsigned i = 0; i < options->services; i++)
		make_service(world, i);
	world->zone_count =
		(options->services + FLEET_ZONE_SERVICES - 1) / FLEET_ZONE_SERVICES;
	for (unsigned site = 0; site < options->sites; site++) {
		add_probe(world, OBS_GATEWAY, site, "gw", 1);
		for (unsigned i = 0; i < options->endpoints_a_site; i++)
			add_probe(world, OBS_ENDPOINT, site, "laptop", i + 1);
	}
	add_probe(world, OBS_SENTINEL, 0, "sentinel", 1);
	add_probe(world, OBS_SENTINEL, options->sites > 2 ? 2 : 0, "sentinel", 2);
	return 0;
}
