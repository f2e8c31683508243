#include "astray/services.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void services_free(struct services *services)
{
	free(services->list);
	*services = (struct services){0};
}

static void write_names(
	struct json *into, const char *key, const char (*names)[OBS_NAME], unsigned count)
{
	struct json *list = json_add_array(into, key);

	for (unsigned i = 0; i < count; i++)
		json_add_text(list, NULL, names[i]);
}

static void write_expect(const struct service_expect *expect, struct json *into)
{
	struct json *list;

	if (expect->countries_given) {
		list = json_add_array(into, "countries");
		for (unsigned i = 0; i < expect->country_count; i++)
			json_add_text(list, NULL, expect->countries[i]);
	}
	if (expect->asns_given) {
		list = json_add_array(into, "asns");
		for (unsigned i = 0; i < expect->asn_count; i++)
			json_add_int(list, NULL, expect->asns[i]);
	}
	if (expect->name_servers_given)
		write_names(into, "name_servers", expect->name_servers,
			expect->name_server_count);
	if (expect->mail_given)
		write_names(into, "mail", expect->mail, expect->mail_count);
	if (expect->issuers_given)
		write_names(into, "issuers", expect->issuers, expect->issuer_count);
}

static void write_service(const struct service *service, struct json *into)
{
	char text[ADDRESS_TEXT];
	struct json *list;

	json_add_text(into, "name", service->name);
	write_names(into, "hosts", service->hosts, service->host_count);
	list = json_add_array(into, "ports");
	for (unsigned i = 0; i < service->port_count; i++)
		json_add_int(list, NULL, service->ports[i]);
	if (service->address_count) {
		list = json_add_array(into, "addresses");
		for (unsigned i = 0; i < service->address_count; i++)
			json_add_text(
				list, NULL, address_text(&service->addresses[i], text));
	}
	if (service->url[0])
		json_add_text(into, "url", service->url);
	if (service->zone[0])
		json_add_text(into, "zone", service->zone);
	write_expect(&service->expect, json_add_object(into, "expect"));
}

void services_write(const struct services *services, struct json *into)
{
	struct json *list = json_add_array(into, "services");

	for (size_t i = 0; i < services->count; i++)
		write_service(&services->list[i], json_add_object(list, NULL));
}

const struct service *services_find(const struct services *services, const char *name)
{
	for (size_t i = 0; i < services->count; i++)
		if (strcmp(services->list[i].name, name) == 0)
			return &services->list[i];
	return NULL;
}

/* How well a pattern fits a host: 0 not at all, longer suffixes better, exact best. */
static size_t fit(const char *pattern, const char *host)
{
	size_t host_len = strlen(host), suffix_len;

	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, host) == 0 ? OBS_NAME : 0;
	suffix_len = strlen(pattern + 1); /* with its dot */
	if (host_len <= suffix_len ||
		strcasecmp(pattern + 1, host + host_len - suffix_len) != 0)
		return 0;
	return suffix_len;
}

const struct service *services_by_host(const struct services *services, const char *host)
{
	const struct service *best = NULL;
	size_t best_fit = 0;

	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = &services->list[i];

		for (unsigned h = 0; h < service->host_count; h++) {
			size_t this_fit = fit(service->hosts[h], host);

			if (this_fit > best_fit) {
				best_fit = this_fit;
				best = service;
			}
		}
	}
	return best;
}

const struct service *services_by_address(
	const struct services *services, const struct address *address, uint16_t port)
{
	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = &services->list[i];

		for (unsigned a = 0; a < service->address_count; a++)
			if (address_equal(&service->addresses[a], address) &&
				services_has_port(service, port))
				return service;
	}
	return NULL;
}

bool services_has_port(const struct service *service, uint16_t port)
{
	for (unsigned i = 0; i < service->port_count; i++)
		if (service->ports[i] == port)
			return true;
	return false;
}

bool services_can_be_found(const struct service *service)
{
	for (unsigned i = 0; i < service->host_count; i++)
		if (service->hosts[i][0] != '*')
			return true;
	return service->address_count > 0;
}
