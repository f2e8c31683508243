#include "fleet_names.h"

#include <stdio.h>
#include <string.h>

#include "fleet_dice.h"

#define POOL 8
#define ROGUE_SERVER 3 /* which of the four a hijacker replaces */

static int64_t move_us(const struct fleet_world *world)
{
	return FLEET_BEGIN_US + (world->options.history_days + 6) * MOMENT_DAY_US +
	       4 * MOMENT_HOUR_US;
}

static unsigned move_zone(const struct fleet_world *world)
{
	return (unsigned)(fleet_dice_hash(world->options.seed, DICE_MOVE, 0, 0) %
			  world->zone_count);
}

bool fleet_names_has_moved(const struct fleet_world *world, unsigned zone, int64_t at_us)
{
	return fleet_world_has(world, NOISE_PLANNED_MOVE) && zone == move_zone(world) &&
	       at_us >= move_us(world);
}

bool fleet_names_announces(const struct fleet_world *world, unsigned *zone,
	int64_t *from_us, int64_t *until_us, int64_t at_us)
{
	*zone = move_zone(world);
	*from_us = move_us(world) - 10 * MOMENT_MINUTE_US;
	*until_us = *from_us + 2 * MOMENT_HOUR_US;
	return fleet_world_has(world, NOISE_PLANNED_MOVE) &&
	       at_us <= *from_us - MOMENT_HOUR_US &&
	       at_us > *from_us - MOMENT_HOUR_US - FLEET_SLOT_US;
}

static void begin(struct obs *obs, const char *name, const char *type,
	enum obs_dns_role role, const struct fleet_world *world, unsigned server,
	int64_t at_us)
{
	struct obs_dns *dns = &obs->dns;

	obs_init(obs, OBS_DNS, (struct moment){at_us});
	(void)snprintf(dns->name, sizeof(dns->name), "%s", name);
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "NOERROR");
	dns->role = role;
	dns->server = fleet_path_address(world, 64990, 0, (unsigned)role * 100 + server);
	dns->authoritative = role == OBS_AUTHORITY;
	dns->rtt_us = 2000;
}

/* Nothing is said of the records when it fails. */
static bool fails(
	struct obs *obs, const struct fleet_world *world, uint64_t who, int64_t at_us)
{
	uint64_t hash;

	if (!fleet_world_has(world, NOISE_SERVFAIL) ||
		!fleet_dice_happens(
			.01, world->options.seed, DICE_SERVFAIL, who, (uint64_t)at_us))
		return false;
	hash = fleet_dice_hash(
		world->options.seed, DICE_SERVFAIL, who + 1, (uint64_t)at_us);
	(void)snprintf(obs->dns.rcode, sizeof(obs->dns.rcode), "%s",
		hash & 1 ? "SERVFAIL" : "TIMEOUT");
	return true;
}

static void add(struct obs_dns *dns, const char *data, int64_t ttl)
{
	struct obs_answer *answer = &dns->answers[dns->answer_count++];

	*answer = (struct obs_answer){.ttl = ttl};
	(void)snprintf(answer->data, sizeof(answer->data), "%s", data);
}

/* exampledns-17.org becomes exampledns-017.org. */
static void lookalike(char name[static OBS_NAME])
{
	char *digits = strchr(strchr(name, '.'), '-') + 1;

	memmove(digits + 1, digits, strlen(digits) + 1);
	*digits = '0';
}

void fleet_names_delegation(struct obs *obs, const struct fleet_world *world,
	const struct fleet_probe *probe, unsigned zone, const struct fleet_effect *effect,
	int64_t at_us)
{
	uint64_t turn =
		fleet_dice_hash(world->options.seed, DICE_ANSWER, zone, (uint64_t)at_us);
	char name[OBS_NAME];

	fleet_world_zone_name(zone, name);
	begin(obs, name, "NS", OBS_PARENT, world, (unsigned)(turn % 4), at_us);
	(void)snprintf(obs->dns.service, sizeof(obs->dns.service), "%s",
		world->services[zone * FLEET_ZONE_SERVICES].name);
	if (fails(obs, world, zone * 10 + probe->number * 1000ull, at_us))
		return;
	for (unsigned i = 0; i < 4; i++) {
		unsigned number = fleet_world_has(world, NOISE_ROTATION)
					  ? (unsigned)((i + turn) % 4)
					  : i;
		char server[OBS_NAME];

		fleet_world_name_server(
			zone, number, fleet_names_has_moved(world, zone, at_us), server);
		if (effect->names && number == ROGUE_SERVER)
			lookalike(server);
		add(&obs->dns, server, 172800);
	}
}

void fleet_names_mail(struct obs *obs, const struct fleet_world *world,
	const struct fleet_probe *probe, unsigned zone, const struct fleet_effect *effect,
	int64_t at_us)
{
	char name[OBS_NAME], mail[OBS_NAME];

	fleet_world_zone_name(zone, name);
	begin(obs, name, "MX", OBS_AUTHORITY, world, zone % 4, at_us);
	(void)snprintf(obs->dns.service, sizeof(obs->dns.service), "%s",
		world->services[zone * FLEET_ZONE_SERVICES].name);
	if (fails(obs, world, 7000 + zone * 10 + probe->number * 1000ull, at_us))
		return;
	(void)snprintf(mail, sizeof(mail), "10 %s.%.200s",
		effect->mail || effect->names ? "mail" : "mx1", name);
	add(&obs->dns, mail, 300);
}

void fleet_names_registry(struct obs *obs, const struct fleet_world *world, unsigned zone,
	const struct fleet_effect *effect, int64_t at_us)
{
	struct obs_registry *registry = &obs->registry;
	bool moved = fleet_names_has_moved(world, zone, at_us);

	obs_init(obs, OBS_REGISTRY, (struct moment){at_us});
	fleet_world_zone_name(zone, registry->domain);
	(void)snprintf(
		registry->registrar, sizeof(registry->registrar), "Example Registrar");
	registry->status_count = 1;
	(void)snprintf(registry->status[0], sizeof(registry->status[0]),
		"client transfer prohibited");
	registry->server_count = 4;
	for (unsigned i = 0; i < 4; i++) {
		fleet_world_name_server(zone, i, moved, registry->name_servers[i]);
		if (effect->names && i == ROGUE_SERVER)
			lookalike(registry->name_servers[i]);
	}
	registry->last_changed.us = FLEET_BEGIN_US - 100 * MOMENT_DAY_US;
	if (moved)
		registry->last_changed.us = move_us(world);
	if (effect->names)
		registry->last_changed.us = effect->names->from_us;
	registry->expires.us = FLEET_BEGIN_US + 300 * MOMENT_DAY_US;
	registry->signed_known = true;
}

void fleet_names_addresses(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service, enum obs_dns_role role,
	const struct fleet_effect *effect, int64_t at_us)
{
	const struct fleet_service *row = &world->services[service];
	uint32_t asn = fleet_path_answer_asn(world, service, effect);
	unsigned city = fleet_path_answer_city(world, vantage, service, effect, at_us);
	uint64_t who = service * 1000ull + vantage->probe->number;
	unsigned first;

	begin(obs, row->host, "A", role, world, vantage->probe->number, at_us);
	(void)snprintf(obs->dns.service, sizeof(obs->dns.service), "%s", row->name);
	if (effect->unresolved) {
		(void)snprintf(obs->dns.rcode, sizeof(obs->dns.rcode), "TIMEOUT");
		return;
	}
	if (fails(obs, world, 9000000 + who, at_us))
		return;
	first = (unsigned)(fleet_dice_hash(world->options.seed, DICE_ANSWER, who,
				   (uint64_t)(at_us / MOMENT_HOUR_US)) %
			   POOL);
	for (unsigned i = 0; i < 2; i++) {
		/* A content network's pool turns; a host has its two. */
		unsigned router = row->edged && fleet_world_has(world, NOISE_ROTATION)
					  ? 200 + (first + i) % POOL
					  : 100 + service + i;
		struct address address = fleet_path_address(world, asn, city, router);
		char text[ADDRESS_TEXT];

		add(&obs->dns, address_text(&address, text), 60);
		fleet_path_place(&obs->dns.answers[i].place, world, asn, city, router,
			row->anycast, at_us);
	}
}
