/*
 * A little world for tests of the store: a database in a folder of its own, and
 * observations as a probe in Tokyo would send them.
 */
#ifndef ASTRAY_STORE_WORLD_H
#define ASTRAY_STORE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "astray/obs.h"
#include "astray/wire.h"
#include "store.h"

#define STORE_WORLD_START INT64_C(1590850800000000) /* 2020-05-30T15:00:00Z */

struct store_world {
	char folder[64], file[96];
	struct store *store;
	int64_t rx_us;
	int64_t keep_us;
	struct obs obs;
};

static inline void store_world_open(struct store_world *world)
{
	const struct store_settings settings = {
		.file = world->file, .keep_us = world->keep_us};
	struct fault fault = {0};

	if (store_open(&world->store, &settings, &fault))
		fail_msg("%s", fault.why);
}

static inline int store_world_make(void **state)
{
	struct store_world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	(void)snprintf(world->folder, sizeof(world->folder), "/tmp/astray-store-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	(void)snprintf(world->file, sizeof(world->file), "%s/store.db", world->folder);
	world->rx_us = STORE_WORLD_START;
	world->keep_us = 30 * MOMENT_DAY_US;
	store_world_open(world);
	*state = world;
	return 0;
}

static inline int store_world_drop(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct store_world *world = *state;
	char name[128];

	store_close(world->store);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", world->file, ends[i]);
		(void)unlink(name);
	}
	(void)rmdir(world->folder);
	free(world);
	return 0;
}

#define store_world_test(test) \
	cmocka_unit_test_setup_teardown(test, store_world_make, store_world_drop)

static inline void store_world_flush(struct store_world *world)
{
	struct fault fault = {0};

	if (store_flush(world->store, &fault))
		fail_msg("%s", fault.why);
}

static inline void store_world_reopen(struct store_world *world)
{
	store_close(world->store);
	store_world_open(world);
}

static inline struct obs *store_world_begin(struct store_world *world, enum obs_kind kind)
{
	obs_init(&world->obs, kind, (struct moment){world->rx_us});
	return &world->obs;
}

static inline void store_world_send(struct store_world *world, const char *probe)
{
	struct wire_origin origin = {.rx = {world->rx_us}, .boot = "b", .seq = 1};

	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	store_observed(world->store, &origin, &world->obs);
}

static inline void store_world_hello(
	struct store_world *world, const char *probe, const char *site)
{
	struct obs_hello *hello = &store_world_begin(world, OBS_HELLO)->hello;

	(void)strcpy(hello->version, "0.1.0");
	hello->label_count = 1;
	(void)strcpy(hello->labels[0].key, "site");
	(void)snprintf(hello->labels[0].value, OBS_WORD, "%s", site);
	store_world_send(world, probe);
}

/* A window of ten seconds in which each request was answered after response_us. */
static inline void store_world_traffic(struct store_world *world, const char *probe,
	int64_t requests, double response_us)
{
	struct obs_traffic *traffic = &store_world_begin(world, OBS_TRAFFIC)->traffic;

	(void)strcpy(traffic->service, "exchange");
	traffic->window_us = 10 * MOMENT_SECOND_US;
	traffic->requests = traffic->responses = requests;
	(void)sketch_add_many(
		&traffic->sketches[OBS_RESPONSE], response_us, (uint64_t)requests);
	store_world_send(world, probe);
}

struct store_world_hop {
	const char *address; /* NULL: silent */
	const char *country;
	uint32_t asn;
};

static inline void store_world_trace(struct store_world *world, const char *probe,
	const struct store_world_hop *hops, unsigned count)
{
	struct obs_trace *trace = &store_world_begin(world, OBS_TRACE)->trace;

	(void)strcpy(trace->service, "exchange");
	(void)address_parse(&trace->peer, "203.0.113.10");
	trace->port = 443;
	trace->flow = 1;
	trace->reached = true;
	trace->hop_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct obs_hop *hop = &trace->hops[i];

		*hop = (struct obs_hop){.ttl = i + 1,
			.sent = 1,
			.rtt_us = hops[i].address ? 1000 * i : OBS_ABSENT};
		if (!hops[i].address)
			continue;
		hop->answered = 1;
		(void)address_parse(&hop->address, hops[i].address);
		if (hops[i].country) {
			memcpy(hop->place.country, hops[i].country, 3);
			hop->place.source = PLACE_SOURCE_MMDB;
		}
		hop->place.asn = hops[i].asn;
	}
	store_world_send(world, probe);
}

static inline void store_world_name_servers(struct store_world *world, const char *first,
	const char *second, const char *rcode)
{
	struct obs_dns *dns = &store_world_begin(world, OBS_DNS)->dns;

	(void)strcpy(dns->service, "exchange");
	(void)strcpy(dns->name, "exchange.example");
	(void)strcpy(dns->type, "NS");
	dns->role = OBS_PARENT;
	(void)address_parse(&dns->server, "192.0.2.53");
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "%s", rcode);
	dns->answer_count = strcmp(rcode, "NOERROR") == 0 ? 2 : 0;
	for (unsigned i = 0; i < dns->answer_count; i++)
		dns->answers[i] = (struct obs_answer){.ttl = 60};
	(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", first);
	(void)snprintf(dns->answers[1].data, OBS_NAME, "%s", second);
	store_world_send(world, "tyo-sentinel");
}

static inline void store_world_check(struct store_world *world, const char *probe,
	enum obs_check_error error, int64_t total_us)
{
	struct obs_check *check = &store_world_begin(world, OBS_CHECK)->check;

	(void)strcpy(check->service, "exchange");
	(void)strcpy(check->url, "https://exchange.example/");
	check->error = error;
	check->total_us = total_us;
	check->status = error == OBS_CHECK_OK ? 200 : OBS_ABSENT;
	check->tls.present = error == OBS_CHECK_OK;
	(void)strcpy(check->tls.issuer, "CN=Example CA");
	memset(check->tls.spki_sha256, 'a', 64);
	store_world_send(world, probe);
}

#endif
