#include "finder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "astray/now.h"
#include "astray/status.h"
#include "dns_name.h"
#include "root_hints.h"
#include "walk.h"

#define CUTS 64
#define HOSTS 256
#define DEPTH_MAX 4       /* hosts found on the way to hosts */
#define QUESTIONS_MAX 120 /* of one search and all that it starts */
#define TOP_KEPT_US MOMENT_DAY_US
#define KEPT_MIN_US MOMENT_MINUTE_US
#define KEPT_MAX_US (15 * MOMENT_MINUTE_US)

struct known_cut {
	struct tick until;
	struct zone_cut cut;
};

struct known_host {
	struct tick until;
	char name[OBS_NAME];
	unsigned count; /* 0: it was looked for, and has none */
	struct address addresses[FINDER_ADDRESSES];
};

struct finder {
	struct dns_client *client;
	struct zone_cut root;
	uint16_t port;
	unsigned seed;
	unsigned cut_count, host_count;
	struct known_cut cuts[CUTS];
	struct known_host hosts[HOSTS];
};

struct search {
	struct finder *finder;
	struct walk walk;
	unsigned depth;
	unsigned *budget; /* of questions; the outermost search's own */
	unsigned own_budget;
	char looked_for[OBS_NAME]; /* the host of a server */
	uint32_t ttl;
	unsigned count;
	struct address addresses[FINDER_ADDRESSES];
	finder_cut_fn cut_done; /* of these three one is set */
	finder_host_fn host_done;
	finder_records_fn records_done;
	void *arg;
};

static void drive(struct search *search);

static bool is_over(struct tick until)
{
	return tick_since_us(now_tick(), until) >= 0;
}

static struct tick keep_for(uint32_t ttl_s)
{
	int64_t keep_us = ttl_s * MOMENT_SECOND_US;

	if (keep_us < KEPT_MIN_US)
		keep_us = KEPT_MIN_US;
	if (keep_us > KEPT_MAX_US)
		keep_us = KEPT_MAX_US;
	return (struct tick){now_tick().us + keep_us};
}

/* Its own row, a new one, or the one that ends first. */
static struct known_cut *row_for_cut(struct finder *finder, const char *zone)
{
	struct known_cut *oldest = &finder->cuts[0];

	for (unsigned i = 0; i < finder->cut_count; i++) {
		if (strcmp(finder->cuts[i].cut.zone, zone) == 0)
			return &finder->cuts[i];
		if (finder->cuts[i].until.us < oldest->until.us)
			oldest = &finder->cuts[i];
	}
	return finder->cut_count < CUTS ? &finder->cuts[finder->cut_count++] : oldest;
}

static void keep_cut(struct finder *finder, const struct zone_cut *cut)
{
	struct known_cut *known = row_for_cut(finder, cut->zone);

	known->cut = *cut;
	known->until = dns_name_labels(cut->zone) <= 1
			       ? (struct tick){now_tick().us + TOP_KEPT_US}
			       : keep_for(cut->ttl);
}

/* The known zone nearest to the name; `strictly`: above it. */
static const struct zone_cut *nearest_cut(
	const struct finder *finder, const char *name, bool strictly)
{
	const struct zone_cut *best = &finder->root;

	for (unsigned i = 0; i < finder->cut_count; i++) {
		const struct known_cut *known = &finder->cuts[i];

		if (is_over(known->until) || !dns_name_is_under(name, known->cut.zone) ||
			(strictly && strcmp(name, known->cut.zone) == 0))
			continue;
		if (strlen(known->cut.zone) > strlen(best->zone))
			best = &known->cut;
	}
	return best;
}

static struct known_host *find_host(struct finder *finder, const char *name)
{
	for (unsigned i = 0; i < finder->host_count; i++)
		if (strcmp(finder->hosts[i].name, name) == 0)
			return &finder->hosts[i];
	return NULL;
}

static struct known_host *row_for_host(struct finder *finder, const char *name)
{
	struct known_host *known = find_host(finder, name);

	if (known)
		return known;
	if (finder->host_count < HOSTS)
		return &finder->hosts[finder->host_count++];
	known = &finder->hosts[0];
	for (unsigned i = 1; i < HOSTS; i++)
		if (finder->hosts[i].until.us < known->until.us)
			known = &finder->hosts[i];
	return known;
}

static void keep_host(struct search *search)
{
	struct known_host *known = row_for_host(search->finder, search->walk.name);

	(void)snprintf(known->name, sizeof(known->name), "%s", search->walk.name);
	known->count = search->count;
	memcpy(known->addresses, search->addresses, sizeof(known->addresses));
	known->until = keep_for(search->count ? search->ttl : 0);
}

static void end_search(struct search *search)
{
	struct walk *walk = &search->walk;

	if (search->records_done)
		search->records_done(search->arg, walk->rc, NULL);
	else if (search->cut_done)
		search->cut_done(search->arg, walk->found ? 0 : walk->rc, &walk->cut);
	else
		search->host_done(search->arg, search->count ? 0 : walk->rc,
			search->addresses, search->count);
	free(search);
}

static void take_addresses(struct search *search, const struct dns_message *message)
{
	for (unsigned i = 0; i < message->record_count; i++) {
		const struct dns_record *record = &message->records[i];

		if (record->section != DNS_ANSWER || record->type != search->walk.type ||
			strcmp(record->owner, search->walk.name) != 0 ||
			search->count == FINDER_ADDRESSES)
			continue;
		if (search->count == 0 || record->ttl < search->ttl)
			search->ttl = record->ttl;
		search->addresses[search->count++] = record->address;
	}
}

static void answered(void *arg, const struct dns_reply *reply)
{
	struct search *search = arg;

	if (reply->rc == -ECANCELED) {
		search->walk.rc = reply->rc;
		end_search(search);
		return;
	}
	if (walk_answered(&search->walk, reply->rc, reply->message))
		keep_cut(search->finder, &search->walk.cut);
	if (search->records_done && search->walk.found) {
		search->records_done(search->arg, 0, reply);
		free(search);
		return;
	}
	if (search->host_done && search->walk.found)
		take_addresses(search, reply->message);
	drive(search);
}

static bool ask(struct search *search, const struct address *server)
{
	struct dns_question question = {.type = search->walk.type,
		.server = {.address = *server, .port = search->finder->port}};
	int rc = STATUS_LIMIT;

	(void)snprintf(question.name, sizeof(question.name), "%s", search->walk.name);
	if (*search->budget > 0) {
		--*search->budget;
		rc = dns_client_ask(search->finder->client, &question, answered, search);
	}
	if (rc)
		(void)walk_answered(&search->walk, rc, NULL);
	return rc == 0;
}

static void server_found(
	void *arg, int rc, const struct address *addresses, unsigned count)
{
	struct search *search = arg;

	(void)rc;
	walk_host_found(&search->walk, search->looked_for, addresses, count);
	drive(search);
}

static struct search *new_search(struct finder *finder, void *arg)
{
	struct search *search = calloc(1, sizeof(*search));

	if (!search)
		return NULL;
	search->finder = finder;
	search->own_budget = QUESTIONS_MAX;
	search->budget = &search->own_budget;
	search->arg = arg;
	return search;
}

static void begin_host(struct finder *finder, const char *host, finder_host_fn done,
	void *arg, unsigned depth, unsigned *budget)
{
	const struct known_host *known = find_host(finder, host);
	struct search *search;

	if (known && !is_over(known->until)) {
		done(arg, known->count ? 0 : STATUS_REFUSED, known->addresses,
			known->count);
		return;
	}
	search = depth < DEPTH_MAX ? new_search(finder, arg) : NULL;
	if (!search) {
		done(arg, depth < DEPTH_MAX ? -ENOMEM : STATUS_LIMIT, NULL, 0);
		return;
	}
	search->depth = depth;
	if (budget)
		search->budget = budget;
	search->host_done = done;
	walk_begin(&search->walk, WALK_RECORDS, host, DNS_A,
		nearest_cut(finder, host, false), finder->seed++);
	drive(search);
}

/* After A comes AAAA, of the same servers. */
static bool goes_on(struct search *search)
{
	struct walk *walk = &search->walk;
	struct zone_cut here = walk->cut;
	char name[OBS_NAME];

	if (!search->host_done || !walk->found || walk->type != DNS_A)
		return false;
	memcpy(name, walk->name, sizeof(name));
	walk_begin(walk, WALK_RECORDS, name, DNS_AAAA, &here, search->finder->seed++);
	return true;
}

static void drive(struct search *search)
{
	for (;;) {
		struct address server;
		const char *host = NULL;

		switch (walk_next(&search->walk, &server, &host)) {
		case WALK_ASK:
			if (ask(search, &server))
				return;
			break;
		case WALK_FIND:
			(void)snprintf(search->looked_for, OBS_NAME, "%s", host);
			begin_host(search->finder, search->looked_for, server_found,
				search, search->depth + 1, search->budget);
			return;
		case WALK_ENDS:
			if (goes_on(search))
				break;
			if (search->host_done)
				keep_host(search);
			end_search(search);
			return;
		}
	}
}

int finder_open(struct finder **out, struct dns_client *client,
	const struct dns_endpoint *roots, unsigned root_count)
{
	struct finder *finder = calloc(1, sizeof(*finder));

	*out = finder;
	if (!finder)
		return -ENOMEM;
	finder->client = client;
	finder->port = root_count ? roots[0].port : DNS_ENDPOINT_PORT;
	if (getrandom(&finder->seed, sizeof(finder->seed), 0) < 0)
		finder->seed = (unsigned)now_tick().us;
	if (root_count == 0)
		root_hints_fill(&finder->root);
	else
		zone_cut_add_host(&finder->root, "root");
	for (unsigned i = 0; i < root_count; i++)
		zone_cut_add_address(&finder->root, "root", &roots[i].address);
	return 0;
}

void finder_close(struct finder *finder)
{
	free(finder);
}

uint16_t finder_port(const struct finder *finder)
{
	return finder->port;
}

void finder_parent(struct finder *finder, const char *zone, finder_cut_fn done, void *arg)
{
	struct search *search = new_search(finder, arg);

	if (!search) {
		done(arg, -ENOMEM, NULL);
		return;
	}
	search->cut_done = done;
	walk_begin(&search->walk, WALK_PARENT, zone, DNS_NS,
		nearest_cut(finder, zone, true), finder->seed++);
	drive(search);
}

void finder_host(struct finder *finder, const char *host, finder_host_fn done, void *arg)
{
	begin_host(finder, host, done, arg, 0, NULL);
}

void finder_records(struct finder *finder, const char *name, uint16_t type,
	finder_records_fn done, void *arg)
{
	struct search *search = new_search(finder, arg);

	if (!search) {
		done(arg, -ENOMEM, NULL);
		return;
	}
	search->records_done = done;
	walk_begin(&search->walk, WALK_RECORDS, name, type,
		nearest_cut(finder, name, false), finder->seed++);
	drive(search);
}

void finder_forget(struct finder *finder, const char *name)
{
	for (unsigned i = 0; i < finder->cut_count; i++)
		if (dns_name_is_under(name, finder->cuts[i].cut.zone))
			finder->cuts[i].until = (struct tick){0};
	for (unsigned i = 0; i < finder->host_count; i++)
		if (dns_name_is_under(finder->hosts[i].name, name))
			finder->hosts[i].until = (struct tick){0};
}
