#include "names_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "authority_watch.h"
#include "dns_client.h"
#include "finder.h"
#include "names_record.h"
#include "parent_watch.h"
#include "registry_watch.h"
#include "resolver_watch.h"

struct settings {
	bool delegation, authority, resolver, registry;
	int64_t interval_us, registry_interval_us;
	struct conf_texts roots, resolvers;
	char rdap[OBS_TEXT], rdap_list[OBS_TEXT];
};

static const struct conf_option options[] = {
	{"resolver", CONF_BOOL, offsetof(struct settings, resolver), 0, 0, 0, "true",
		"ask this machine's resolver for the services' addresses and mail "
		"servers"},
	{"delegation", CONF_BOOL, offsetof(struct settings, delegation), 0, 0, 0, "false",
		"ask the registry's servers for the zones' name servers (for sentinels: "
		"few "
		"probes should)"},
	{"authority", CONF_BOOL, offsetof(struct settings, authority), 0, 0, 0, "false",
		"ask every name server of the zones, too, each one directly (implies "
		"delegation)"},
	{"interval", CONF_SPAN, offsetof(struct settings, interval_us), 0, 1e6, 86400e6,
		"\"1 min\"", "from one round of questions to the next"},
	{"registry", CONF_BOOL, offsetof(struct settings, registry), 0, 0, 0, "false",
		"ask the registries (RDAP) of the zones and of their name servers' "
		"domains"},
	{"registry_interval", CONF_SPAN, offsetof(struct settings, registry_interval_us),
		0, 10e6, 86400e6, "\"15 min\"",
		"from one question to a zone's registry to the next"},
	{"rdap", CONF_TEXT, offsetof(struct settings, rdap),
		sizeof(((struct settings *)0)->rdap), 0, 0, "\"\"",
		"base URL of the registry to ask, in place of the one that IANA lists"},
	{"rdap_list", CONF_TEXT, offsetof(struct settings, rdap_list),
		sizeof(((struct settings *)0)->rdap_list), 0, 0, "\"\"",
		"URL of the list of registries (RFC 9224), in place of IANA's"},
	{"resolvers", CONF_TEXTS, offsetof(struct settings, resolvers), 0, 0,
		DNS_CLIENT_RESOLVERS, "[]",
		"ADDRESS or ADDRESS:PORT of resolvers to ask, in place of resolv.conf's"},
	{"roots", CONF_TEXTS, offsetof(struct settings, roots), 0, 0, FINDER_ROOTS, "[]",
		"ADDRESS or ADDRESS:PORT of root servers, in place of the well-known "
		"ones; "
		"the port is then that of all name servers"},
	{0},
};

/* One zone that services stand in, as the argument of its callbacks. */
struct watched_zone {
	struct names_watch *watch;
	const char *zone;
	struct parent_watch *parent;
	struct authority_watch *authority;
};

struct names_watch {
	struct source_env env;
	struct dns_client *client;
	struct finder *finder;
	struct resolver_watch *resolver;
	struct registry_watch *registry;
	struct obs *obs;  /* too large for a stack */
	unsigned closing; /* parts that are still to go */
	void (*stopped)(void *arg);
	void *stopped_arg;
	size_t zone_count;
	struct watched_zone zones[];
};

static void emit(struct names_watch *watch)
{
	watch->env.emit(watch->env.emit_arg, watch->obs);
}

static void word_heard(void *arg, const struct delegation_word *word)
{
	const struct watched_zone *zone = arg;
	struct names_watch *watch = zone->watch;
	const struct services *services = watch->env.services;

	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = &services->list[i];

		if (strcmp(service->zone, zone->zone) != 0)
			continue;
		for (unsigned row = 0; names_record_word(watch->obs, word, zone->zone,
			     service->name, row, watch->env.geo);
			row++)
			emit(watch);
	}
}

/* The servers' own domains count, too: one that was registered days ago tells a lot. */
static void ask_registry(const struct watched_zone *zone,
	const struct delegation *delegation, bool changed)
{
	for (unsigned i = 0; i < delegation->server_count; i++)
		registry_watch_follow(
			zone->watch->registry, delegation->servers[i], false);
	if (changed)
		registry_watch_hurry(zone->watch->registry, zone->zone);
}

static void delegation_believed(
	void *arg, const struct delegation *delegation, bool changed)
{
	const struct watched_zone *zone = arg;

	if (changed)
		finder_forget(zone->watch->finder, zone->zone);
	if (zone->authority)
		authority_watch_follow(zone->authority, delegation);
	if (zone->watch->registry)
		ask_registry(zone, delegation, changed);
}

static bool has_host(const struct service *service, const char *host)
{
	for (unsigned i = 0; i < service->host_count; i++)
		if (strcmp(service->hosts[i], host) == 0)
			return true;
	return false;
}

static void emit_reply(struct names_watch *watch, const struct service *service,
	const struct dns_reply *reply, enum obs_dns_role role)
{
	/* The alias before what it leads to: readers then know that it was one. */
	if (names_record_alias(watch->obs, reply, service->name, role))
		emit(watch);
	names_record_reply(watch->obs, reply, service->name, role, watch->env.geo);
	emit(watch);
}

/* What is said of the zone concerns all its services, of a host those that have it. */
static void authority_heard(void *arg, const struct dns_reply *reply)
{
	const struct watched_zone *zone = arg;
	const struct services *services = zone->watch->env.services;

	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = &services->list[i];

		if (strcmp(service->zone, zone->zone) == 0 &&
			(strcmp(reply->question->name, zone->zone) == 0 ||
				has_host(service, reply->question->name)))
			emit_reply(zone->watch, service, reply, OBS_AUTHORITY);
	}
}

static void alias_followed(void *arg, const char *name, const struct dns_reply *reply)
{
	const struct watched_zone *zone = arg;
	struct names_watch *watch = zone->watch;
	const struct services *services = watch->env.services;

	for (size_t i = 0; i < services->count; i++) {
		const struct service *service = &services->list[i];

		if (strcmp(service->zone, zone->zone) != 0 || !has_host(service, name))
			continue;
		names_record_followed(
			watch->obs, reply, service->name, name, watch->env.geo);
		emit(watch);
	}
}

static void resolver_heard(
	void *arg, const struct service *service, const struct dns_reply *reply)
{
	emit_reply(arg, service, reply, OBS_RESOLVER);
}

static int read_endpoints(struct dns_endpoint *out, const struct conf_texts *texts,
	const char *key, struct fault *fault)
{
	for (unsigned i = 0; i < texts->count; i++)
		if (dns_endpoint_read(&out[i], texts->text[i]))
			return fault_at(fault, STATUS_SYNTAX, key,
				"\"%s\" is neither ADDRESS nor ADDRESS:PORT",
				texts->text[i]);
	return 0;
}

static int open_finder(
	struct names_watch *watch, const struct settings *settings, struct fault *fault)
{
	struct dns_endpoint roots[FINDER_ROOTS];
	int rc = read_endpoints(roots, &settings->roots, "roots", fault);

	if (rc == 0)
		rc = finder_open(
			&watch->finder, watch->client, roots, settings->roots.count);
	return rc;
}

static bool is_watched(const struct names_watch *watch, const char *zone)
{
	for (size_t i = 0; i < watch->zone_count; i++)
		if (strcmp(watch->zones[i].zone, zone) == 0)
			return true;
	return false;
}

static int open_authority(struct watched_zone *zone, const struct settings *settings)
{
	const struct names_watch *watch = zone->watch;
	struct authority_watch_order order = {.loop = watch->env.loop,
		.log = watch->env.log,
		.client = watch->client,
		.finder = watch->finder,
		.services = watch->env.services,
		.zone = zone->zone,
		.interval_us = settings->interval_us,
		.heard = authority_heard,
		.followed = alias_followed,
		.arg = zone};

	return settings->authority ? authority_watch_open(&zone->authority, &order) : 0;
}

static int open_zone(
	struct names_watch *watch, const struct settings *settings, const char *name)
{
	struct watched_zone *zone = &watch->zones[watch->zone_count];
	struct parent_watch_order order = {.loop = watch->env.loop,
		.log = watch->env.log,
		.client = watch->client,
		.finder = watch->finder,
		.zone = name,
		.interval_us = settings->interval_us,
		.heard = word_heard,
		.believed = delegation_believed,
		.arg = zone};
	int rc;

	if (!name[0] || is_watched(watch, name))
		return 0;
	*zone = (struct watched_zone){.watch = watch, .zone = name};
	watch->zone_count++;
	rc = open_authority(zone, settings);
	return rc ? rc : parent_watch_open(&zone->parent, &order);
}

static int open_zones(
	struct names_watch *watch, const struct settings *settings, struct fault *fault)
{
	const struct services *services = watch->env.services;
	int rc = open_finder(watch, settings, fault);

	for (size_t i = 0; rc == 0 && i < services->count; i++)
		rc = open_zone(watch, settings, services->list[i].zone);
	return rc;
}

static int open_resolver(
	struct names_watch *watch, const struct settings *settings, struct fault *fault)
{
	struct resolver_watch_order order = {.loop = watch->env.loop,
		.log = watch->env.log,
		.client = watch->client,
		.services = watch->env.services,
		.interval_us = settings->interval_us,
		.resolver_count = settings->resolvers.count,
		.heard = resolver_heard,
		.arg = watch};
	int rc =
		read_endpoints(order.resolvers, &settings->resolvers, "resolvers", fault);

	return rc ? rc : resolver_watch_open(&watch->resolver, &order);
}

static void registry_heard(void *arg, const struct obs *obs)
{
	struct names_watch *watch = arg;

	watch->env.emit(watch->env.emit_arg, obs);
}

static int open_registry(struct names_watch *watch, const struct settings *settings)
{
	const struct services *services = watch->env.services;
	struct registry_watch_order order = {.loop = watch->env.loop,
		.log = watch->env.log,
		.base = settings->rdap,
		.bootstrap = settings->rdap_list,
		.interval_us = settings->registry_interval_us,
		.heard = registry_heard,
		.arg = watch};
	int rc = registry_watch_open(&watch->registry, &order);

	for (size_t i = 0; rc == 0 && i < services->count; i++)
		if (services->list[i].zone[0])
			registry_watch_follow(
				watch->registry, services->list[i].zone, true);
	return rc;
}

static int open_parts(
	struct names_watch *watch, const struct settings *settings, struct fault *fault)
{
	int rc = 0;

	if (settings->resolver)
		rc = open_resolver(watch, settings, fault);
	if (rc == 0 && settings->registry)
		rc = open_registry(watch, settings);
	if (rc == 0 && (settings->delegation || settings->authority))
		rc = open_zones(watch, settings, fault);
	return rc;
}

static void drop_watch(struct names_watch *watch)
{
	finder_close(watch->finder);
	free(watch->obs);
	free(watch);
}

static void part_gone(void *arg)
{
	struct names_watch *watch = arg;

	if (--watch->closing > 0)
		return;
	if (watch->stopped)
		watch->stopped(watch->stopped_arg);
	drop_watch(watch);
}

static void close_parts(struct names_watch *watch)
{
	watch->closing = 1 + (unsigned)(watch->resolver != NULL) +
			 (unsigned)(watch->registry != NULL);
	for (size_t i = 0; i < watch->zone_count; i++)
		watch->closing += (unsigned)(watch->zones[i].parent != NULL) +
				  (unsigned)(watch->zones[i].authority != NULL);
	/* First: what is under way ends with it. */
	dns_client_close(watch->client, part_gone, watch);
	resolver_watch_close(watch->resolver, part_gone, watch);
	registry_watch_close(watch->registry, part_gone, watch);
	for (size_t i = 0; i < watch->zone_count; i++) {
		parent_watch_close(watch->zones[i].parent, part_gone, watch);
		authority_watch_close(watch->zones[i].authority, part_gone, watch);
	}
}

static int start(void **out, const struct source_env *env, const void *settings_read,
	struct fault *fault)
{
	const struct settings *settings = settings_read;
	size_t zones = env->services->count;
	struct names_watch *watch =
		calloc(1, sizeof(*watch) + zones * sizeof(watch->zones[0]));
	int rc;

	*out = NULL;
	if (!watch)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	watch->env = *env;
	watch->obs = malloc(sizeof(*watch->obs));
	rc = watch->obs ? dns_client_open(&watch->client, env->loop) : -ENOMEM;
	if (rc) {
		drop_watch(watch);
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	rc = open_parts(watch, settings, fault);
	if (rc) {
		if (rc == -ENOMEM)
			(void)fault_at(fault, rc, "", "%s", status_text(rc));
		close_parts(watch);
		return rc;
	}
	*out = watch;
	return 0;
}

static void stop(void *source, void (*stopped)(void *arg), void *arg)
{
	struct names_watch *watch = source;
	struct dns_client_counts counts = dns_client_count(watch->client);

	log_info(watch->env.log, "names",
		"stopped; %llu questions asked, %llu of them again, %llu over TCP; %llu "
		"answers were malformed, %llu questions found no room",
		(unsigned long long)counts.asked, (unsigned long long)counts.retried,
		(unsigned long long)counts.by_tcp, (unsigned long long)counts.malformed,
		(unsigned long long)counts.refused);
	watch->stopped = stopped;
	watch->stopped_arg = arg;
	close_parts(watch);
}

const struct source_kind names_source = {
	.name = "names",
	.help = "what the registry, the name servers and the resolver say of the "
		"services' names",
	.options = options,
	.settings_size = sizeof(struct settings),
	.start = start,
	.stop = stop,
};
