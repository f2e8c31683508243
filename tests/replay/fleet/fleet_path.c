#include "fleet_path.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fleet_change.h"
#include "fleet_dice.h"
#include "light.h"

/* Numbers of networks, by what they are for; all private use. */
enum {
	HOME_ASN = 64640,
	HOTEL_ASN = 64660,
	TRANSIT_ASN = 64800,
	TRANSITS = 30,
	DETOUR_ASN = 65000,
	ROGUE_ASN = 65200
};

static bool is_transit(uint32_t asn)
{
	return asn >= TRANSIT_ASN && asn < TRANSIT_ASN + TRANSITS;
}

struct fleet_vantage fleet_path_vantage(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	const struct fleet_site *site = &world->sites[probe->site];
	struct fleet_vantage vantage = {probe, fleet_people_where(world, probe, at_us),
		site->city, fleet_change_asn(world, probe->site, at_us)};

	if (vantage.where == AT_HOME) {
		vantage.asn = HOME_ASN + probe->site * 3 + probe->number % 3;
	} else if (vantage.where == ABROAD) {
		/* One traveller in three stays in the country. */
		vantage.city = probe->number % 3
				       ? (site->city + 2) % 5
				       : fleet_world_next_edge(world, probe->site);
		vantage.asn = HOTEL_ASN + vantage.city;
	}
	return vantage;
}

static bool is_flapped(
	const struct fleet_world *world, unsigned site, unsigned service, int64_t at_us)
{
	uint64_t who = site * 1000 + world->services[service].provider,
		 hour = (uint64_t)(at_us / MOMENT_HOUR_US);
	double minute = (double)(at_us % MOMENT_HOUR_US) / (double)MOMENT_MINUTE_US;

	return fleet_world_has(world, NOISE_EDGE_FLAPS) &&
	       fleet_dice_happens(.03, world->options.seed, DICE_EDGE_FLAP, who, hour) &&
	       minute < 10 + 30 * fleet_dice_uniform(world->options.seed, DICE_EDGE_FLAP,
					  who + 500, hour);
}

unsigned fleet_path_answer_city(const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us)
{
	const struct fleet_service *row = &world->services[service];
	unsigned site = vantage->probe->site;

	if (effect->reaches_names)
		return effect->leads->city;
	if (!row->edged)
		return row->city;
	if (vantage->where == ABROAD)
		return vantage->city;
	return is_flapped(world, site, service, at_us)
		       ? fleet_world_next_edge(world, site)
		       : fleet_world_near_edge(world, site);
}

uint32_t fleet_path_answer_asn(const struct fleet_world *world, unsigned service,
	const struct fleet_effect *effect)
{
	const struct fleet_service *row = &world->services[service];

	if (effect->reaches_names && (!row->edged || !effect->names))
		return ROGUE_ASN + effect->leads->number;
	return fleet_world_provider_asn(row);
}

struct address fleet_path_address(
	const struct fleet_world *world, uint32_t asn, unsigned city, unsigned router)
{
	uint64_t hash = fleet_dice_hash(
		world->options.seed, DICE_ROUTER, (uint64_t)asn << 16 | city, router);
	uint8_t bytes[4] = {198, (uint8_t)(18 + (hash & 1)), (uint8_t)(hash >> 8),
		(uint8_t)(hash >> 16)};

	return address_v4(bytes);
}

static uint64_t router_key(uint32_t asn, unsigned city, unsigned router)
{
	return (uint64_t)asn << 24 | city << 12 | router;
}

/* Databases know where a backbone router's owner lives better than where the router
 * stands. */
static unsigned believed_city(const struct fleet_world *world, uint32_t asn,
	unsigned city, uint64_t key, int64_t at_us)
{
	uint64_t seed = world->options.seed;
	int64_t release_us =
		FLEET_BEGIN_US + (world->options.history_days + 5) * MOMENT_DAY_US;
	double wrong = is_transit(asn) ? .3 : .06;
	unsigned edition = 0;

	if (!fleet_world_has(world, NOISE_WRONG_PLACES))
		return city;
	if (fleet_world_has(world, NOISE_GEO_RELEASE) && at_us >= release_us &&
		fleet_dice_happens(.05, seed, DICE_GEO_RELEASE, key, 0))
		edition = 1;
	if (!fleet_dice_happens(
		    edition ? .5 : wrong, seed, DICE_ROUTER_PLACE, key, edition))
		return city;
	return (unsigned)(fleet_dice_uniform(seed, DICE_ROUTER_PLACE, key, 10 + edition) *
			  fleet_world_city_count);
}

void fleet_path_place(struct place *place, const struct fleet_world *world, uint32_t asn,
	unsigned city, unsigned router, bool anycast, int64_t at_us)
{
	uint64_t key = router_key(asn, city, router);
	bool named = is_transit(asn) && fleet_dice_happens(.3, world->options.seed,
						DICE_ROUTER_PLACE, key, 20);
	const struct fleet_city *where;

	*place = (struct place){.asn = asn};
	if (!asn)
		return;
	(void)snprintf(place->org, sizeof(place->org), "Network %u", asn);
	if (anycast) {
		place->source = PLACE_SOURCE_ANYCAST;
		return;
	}
	place->source = named ? PLACE_SOURCE_RDNS : PLACE_SOURCE_MMDB;
	where = fleet_world_city(
		named ? city : believed_city(world, asn, city, key, at_us));
	memcpy(place->country, where->country, sizeof(place->country));
	if (!named &&
		fleet_dice_happens(.1, world->options.seed, DICE_ROUTER_PLACE, key, 30))
		return; /* a country and no city */
	(void)snprintf(place->city, sizeof(place->city), "%s", where->name);
	place->located = true;
	place->latitude = where->latitude;
	place->longitude = where->longitude;
}

static double between_us(unsigned a, unsigned b)
{
	const struct fleet_city *from = fleet_world_city(a), *to = fleet_world_city(b);

	/* Cables take one and a quarter of the great circle. */
	return 1.25 * (double)light_least_rtt_us(from->latitude, from->longitude,
			      to->latitude, to->longitude);
}

static void add_hop(struct fleet_path *path, uint32_t asn, unsigned city, unsigned router)
{
	const struct fleet_hop *last = path->count ? &path->hops[path->count - 1] : NULL;
	double rtt_us = last ? last->rtt_us + between_us(last->city, city) + 180 : 350;

	if (path->count < FLEET_PATH_HOPS)
		path->hops[path->count++] = (struct fleet_hop){asn, city, router, rtt_us};
}

/* Carriers between two cities come and go within the same countries. */
static uint32_t transit_asn(
	const struct fleet_world *world, unsigned from, unsigned to, int64_t at_us)
{
	uint64_t seed = world->options.seed, pair = from * 100 + to;
	uint64_t epoch = (uint64_t)((at_us + (int64_t)(pair % 24) * MOMENT_HOUR_US) /
				    (4 * MOMENT_DAY_US));
	uint64_t pick = 0;

	if (fleet_world_has(world, NOISE_TRANSIT_CHANGES))
		pick = fleet_dice_hash(seed, DICE_TRANSIT, pair, epoch) % 4;
	return TRANSIT_ASN +
	       (uint32_t)(fleet_dice_hash(seed, DICE_TRANSIT, pair, 100000 + pick) %
			  TRANSITS);
}

static unsigned way(
	const struct fleet_world *world, uint64_t who, unsigned flow, unsigned ways)
{
	if (!fleet_world_has(world, NOISE_BALANCING))
		return 0;
	return (unsigned)(fleet_dice_hash(world->options.seed, DICE_FLOW, who, flow) %
			  ways);
}

void fleet_path_build(struct fleet_path *path, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service, unsigned flow,
	const struct fleet_effect *effect, int64_t at_us)
{
	unsigned to = fleet_path_answer_city(world, vantage, service, effect, at_us),
		 here = vantage->city;
	uint32_t carrier = transit_asn(world, here, to, at_us),
		 answers = fleet_path_answer_asn(world, service, effect);

	path->count = 0;
	add_hop(path, 0, here, vantage->where);
	if (vantage->where == AT_HOME)
		path->hops[0].rtt_us += 3000;
	add_hop(path, vantage->asn, here, 0);
	add_hop(path, vantage->asn, here, 1 + way(world, vantage->asn, flow, 2));
	if (effect->detour) {
		add_hop(path, DETOUR_ASN + effect->detour->number, effect->detour->city,
			0);
		add_hop(path, DETOUR_ASN + effect->detour->number, effect->detour->city,
			1);
	}
	if (to != here || !world->services[service].edged) {
		add_hop(path, carrier, here, way(world, carrier, flow, 4));
		add_hop(path, carrier, to, 4 + way(world, carrier + 1, flow, 4));
	}
	add_hop(path, answers, to, 900 + way(world, answers, flow, 2));
	add_hop(path, answers, to, 100 + service);
}

static double wait_us(
	const struct fleet_world *world, uint64_t who, int64_t at_us, double mean)
{
	return -mean * log(1 - fleet_dice_uniform(world->options.seed, DICE_RTT, who,
				       (uint64_t)at_us));
}

static void fill_hop(struct obs_hop *out, const struct fleet_world *world,
	const struct fleet_vantage *vantage, const struct fleet_hop *hop, bool anycast,
	int64_t at_us)
{
	uint64_t seed = world->options.seed,
		 key = router_key(hop->asn, hop->city, hop->router);
	const struct fleet_city *here = fleet_world_city(vantage->city);
	struct place from = {.located = true,
		.latitude = here->latitude,
		.longitude = here->longitude};
	static const uint8_t inner[3][4] = {
		{10, 0, 0, 1}, {192, 168, 1, 1}, {10, 20, 0, 1}};
	uint64_t when = (uint64_t)at_us + vantage->probe->number;

	out->sent = 1;
	if (hop->asn && fleet_world_has(world, NOISE_SILENT_HOPS) &&
		fleet_dice_happens(.08, seed, DICE_HOP, key, 0))
		return;
	if (hop->asn && fleet_world_has(world, NOISE_SLOW_ROUTERS) &&
		fleet_dice_happens(.08, seed, DICE_HOP, key, 1) &&
		fleet_dice_happens(.5, seed, DICE_HOP, key, when))
		return; /* it answers so many a second */
	out->answered = 1;
	out->address =
		hop->asn ? fleet_path_address(world, hop->asn, hop->city, hop->router)
			 : address_v4(inner[hop->router]);
	out->rtt_us = (int64_t)(hop->rtt_us + wait_us(world, key, (int64_t)when, 120));
	if (fleet_world_has(world, NOISE_SLOW_ROUTERS) &&
		fleet_dice_happens(.05, seed, DICE_HOP, key + 7, when))
		out->rtt_us += (int64_t)wait_us(world, key + 1, (int64_t)when, 15000);
	fleet_path_place(
		&out->place, world, hop->asn, hop->city, hop->router, anycast, at_us);
	out->place.verdict = light_verdict(&from, &out->place, out->rtt_us);
}

void fleet_path_trace(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service, unsigned flow,
	const struct fleet_effect *effect, int64_t at_us)
{
	struct obs_trace *trace = &obs->trace;
	struct fleet_path path;

	fleet_path_build(&path, world, vantage, service, flow, effect, at_us);
	obs_init(obs, OBS_TRACE, (struct moment){at_us});
	(void)snprintf(trace->service, sizeof(trace->service), "%s",
		world->services[service].name);
	trace->protocol = OBS_TCP;
	trace->port = 443;
	trace->flow = flow;
	trace->reached = true;
	for (unsigned i = 0; i < path.count; i++) {
		struct obs_hop *hop = &trace->hops[trace->hop_count++];
		bool last = i + 1 == path.count;

		*hop = (struct obs_hop){.ttl = i + 1, .rtt_us = OBS_ABSENT};
		fill_hop(hop, world, vantage, &path.hops[i],
			last && world->services[service].anycast, at_us);
		/* Balanced by packet: two routers answer for one distance. */
		if (!last && hop->answered && is_transit(path.hops[i].asn) &&
			fleet_world_has(world, NOISE_BALANCING) &&
			path.hops[i].asn % 7 == 0) {
			path.hops[i].router ^= 1;
			*++hop = (struct obs_hop){.ttl = i + 1, .rtt_us = OBS_ABSENT};
			fill_hop(hop, world, vantage, &path.hops[i], false, at_us);
			trace->hop_count += hop->answered != 0;
		}
	}
	trace->peer = fleet_path_address(world, path.hops[path.count - 1].asn,
		path.hops[path.count - 1].city, path.hops[path.count - 1].router);
	if (!trace->hops[trace->hop_count - 1].answered)
		trace->reached = false;
}
