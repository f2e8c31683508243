#include "fleet_truth.h"

#include <stdio.h>
#include <string.h>

#include "fleet_names.h"

#define HOME_CITIES 12 /* where services and sites are; behind them, detours */

/* The nations of the sites and of the host, each once. */
static void write_countries(const struct fleet_world *world,
	const struct fleet_service *service, struct json *into)
{
	struct json *list = json_add_array(into, "countries");
	unsigned cities[FLEET_SITES + 1], count = 0;

	for (unsigned i = 0; i < world->options.sites; i++)
		cities[count++] = world->sites[i].city;
	if (!service->edged)
		cities[count++] = service->city;
	for (unsigned i = 0; i < count; i++) {
		const char *country = fleet_world_city(cities[i])->country;
		bool seen = false;

		for (unsigned j = 0; j < i; j++)
			seen = seen ||
			       strcmp(fleet_world_city(cities[j])->country, country) == 0;
		if (!seen)
			json_add_text(list, NULL, country);
	}
}

/* An operator who moves a zone allows both sets. */
static void write_name_servers(const struct fleet_world *world,
	const struct fleet_service *service, struct json *into)
{
	struct json *list = json_add_array(into, "name_servers");
	bool moves = fleet_names_has_moved(world, service->zone, INT64_MAX);
	char name[OBS_NAME];

	for (unsigned i = 0; i < (moves ? 8u : 4u); i++) {
		fleet_world_name_server(service->zone, i % 4, i >= 4, name);
		json_add_text(list, NULL, name);
	}
}

static void write_expect(const struct fleet_world *world,
	const struct fleet_service *service, struct json *into)
{
	struct json *expect = json_add_object(into, "expect");
	char zone[OBS_NAME], mail[OBS_NAME];

	write_countries(world, service, expect);
	json_add_int(
		json_add_array(expect, "asns"), NULL, fleet_world_provider_asn(service));
	write_name_servers(world, service, expect);
	fleet_world_zone_name(service->zone, zone);
	(void)snprintf(mail, sizeof(mail), "mx1.%.200s", zone);
	json_add_text(json_add_array(expect, "mail"), NULL, mail);
	json_add_text(json_add_array(expect, "issuers"), NULL, "Example CA");
}

void fleet_truth_config(const struct fleet_world *world, struct json *into)
{
	struct json *services = json_add_array(into, "services");

	for (unsigned i = 0; i < world->options.services; i++) {
		const struct fleet_service *service = &world->services[i];
		struct json *row = json_add_object(services, NULL);
		char text[OBS_TEXT];

		json_add_text(row, "name", service->name);
		json_add_text(json_add_array(row, "hosts"), NULL, service->host);
		(void)snprintf(text, sizeof(text), "https://%s/health", service->host);
		json_add_text(row, "url", text);
		fleet_world_zone_name(service->zone, text);
		json_add_text(row, "zone", text);
		if (service->policy)
			write_expect(world, service, row);
	}
}

static void write_trouble(const struct fleet_world *world,
	const struct fleet_trouble *trouble, struct json *list)
{
	struct json *row = json_add_object(list, NULL), *services;

	json_add_text(row, "kind", fleet_trouble_text(trouble->kind));
	json_add_int(row, "from_us", trouble->from_us);
	json_add_int(row, "until_us", trouble->until_us);
	json_add_double(row, "weight", fleet_trouble_weight(trouble->kind));
	json_add_int(row, "target_us", fleet_trouble_target_us(trouble->kind));
	json_add_text(row, "causes", fleet_trouble_causes(trouble->kind));
	json_add_double(row, "size", trouble->size);
	services = json_add_array(row, "services");
	for (unsigned i = 0; i < world->options.services; i++)
		if (fleet_trouble_hits(world, trouble, i))
			json_add_text(services, NULL, world->services[i].name);
	if (trouble->site >= 0)
		json_add_text(row, "site", world->sites[trouble->site].name);
}

void fleet_truth_write(const struct fleet_world *world,
	const struct fleet_troubles *troubles, struct json *into)
{
	struct json *list;

	json_add_int(into, "judged_from_us",
		FLEET_BEGIN_US + world->options.history_days * MOMENT_DAY_US);
	json_add_int(into, "judged_until_us",
		FLEET_BEGIN_US + (world->options.history_days + world->options.days) *
					 MOMENT_DAY_US);
	json_add_int(into, "services", world->options.services);
	list = json_add_array(into, "troubles");
	for (unsigned i = 0; i < troubles->count; i++)
		write_trouble(world, &troubles->list[i], list);
}
