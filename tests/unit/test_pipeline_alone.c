/*
 * One endpoint alone never pages, whatever it says and however often: not in a fleet that
 * sees nothing of it, and not where it is the only probe of all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline.h"

#define BEGIN_US INT64_C(1590854400000000)
#define ROUND_US (5 * MOMENT_MINUTE_US)
#define LIAR "laptop-9"
#define SECOND_LIAR "laptop-10"

struct scene {
	struct service service;
	struct services services;
	struct pipeline *pipeline;
	struct obs *obs;
	struct wire_origin origin;
	int64_t boast;              /* its numbers are so many times what they are */
	char paged[INCIDENT_TITLE]; /* "" : nobody was */
};

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct scene *scene = arg;

	if (incident->severity == SEVERITY_PAGE && change != INCIDENT_CHANGE_UPDATED)
		(void)snprintf(scene->paged, sizeof(scene->paged), "%s", incident->title);
}

static void set(char *text, size_t cap, const char *value)
{
	(void)snprintf(text, cap, "%s", value);
}

static struct scene *new_scene(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const struct pipeline_hooks hooks = {.changed = changed, .arg = scene};
	struct service_expect *expect = &scene->service.expect;

	assert_non_null(scene);
	set(scene->service.name, OBS_NAME, "mail");
	set(scene->service.zone, OBS_NAME, "mail.example");
	expect->countries_given = expect->asns_given = expect->name_servers_given =
		expect->mail_given = expect->issuers_given = true;
	expect->country_count = expect->asn_count = expect->name_server_count =
		expect->mail_count = expect->issuer_count = 1;
	set(expect->countries[0], 3, "JP");
	expect->asns[0] = 64496;
	set(expect->name_servers[0], OBS_NAME, "ns1.good.example");
	set(expect->mail[0], OBS_NAME, "mx.good.example");
	set(expect->issuers[0], OBS_NAME, "Good CA");
	scene->services = (struct services){1, &scene->service};
	scene->boast = 1;
	scene->obs = malloc(sizeof(*scene->obs));
	assert_non_null(scene->obs);
	assert_int_equal(
		pipeline_new(&scene->pipeline, &scene->services, NULL, NULL, &hooks), 0);
	return scene;
}

static void free_scene(struct scene *scene)
{
	pipeline_free(scene->pipeline);
	free(scene->obs);
	free(scene);
}

static void feed(struct scene *scene)
{
	scene->origin.rx.us++;
	pipeline_feed(scene->pipeline, &scene->origin, scene->obs);
}

static struct obs *begin(struct scene *scene, enum obs_kind kind)
{
	obs_init(scene->obs, kind, scene->origin.rx);
	return scene->obs;
}

static void say_hello(struct scene *scene, enum obs_role role)
{
	struct obs *obs = begin(scene, OBS_HELLO);

	obs->hello.role = role;
	obs->hello.networked = true;
	obs->hello.network_asn = 64496;
	set(obs->hello.network_country, 3, "JP");
	feed(scene);
}

static struct place place_of(bool good)
{
	struct place place = {.located = true,
		.latitude = good ? 35.7 : 52.4,
		.longitude = good ? 139.7 : 4.9,
		.asn = good ? 64496 : 65200,
		.source = PLACE_SOURCE_MMDB,
		.verdict = PLACE_POSSIBLE};

	set(place.country, sizeof(place.country), good ? "JP" : "NL");
	return place;
}

static void say_traffic(struct scene *scene, bool good)
{
	struct obs *obs = begin(scene, OBS_TRAFFIC);

	obs->at = moment_plus_us(obs->at, -ROUND_US);
	obs->traffic.window_us = ROUND_US;
	set(obs->traffic.service, OBS_NAME, "mail");
	obs->traffic.requests = obs->traffic.responses = 200 * scene->boast;
	obs->traffic.connections = 100 * scene->boast;
	obs->traffic.errors = good ? 0 : 180 * scene->boast;
	obs->traffic.refused = good ? 0 : 90 * scene->boast;
	for (int i = 0; i < 100; i++)
		sketch_add(&obs->traffic.sketches[OBS_RESPONSE], good ? 20000 : 900000);
	feed(scene);
}

static void say_answer(struct scene *scene, enum obs_dns_role role, const char *type,
	const char *data, bool good)
{
	struct obs *obs = begin(scene, OBS_DNS);

	set(obs->dns.service, OBS_NAME, "mail");
	set(obs->dns.name, OBS_NAME, "mail.example");
	set(obs->dns.type, sizeof(obs->dns.type), type);
	set(obs->dns.rcode, sizeof(obs->dns.rcode), "NOERROR");
	obs->dns.role = role;
	assert_int_equal(address_parse(&obs->dns.server, "192.0.2.53"), 0);
	obs->dns.answer_count = 1;
	set(obs->dns.answers[0].data, OBS_NAME, data);
	if (strcmp(type, "A") == 0)
		obs->dns.answers[0].place = place_of(good);
	feed(scene);
}

static void say_names(struct scene *scene, bool good)
{
	for (int role = OBS_RESOLVER; role <= OBS_PARENT; role++) {
		say_answer(scene, (enum obs_dns_role)role, "NS",
			good ? "ns1.good.example" : "ns1.g00d.example", good);
		say_answer(scene, (enum obs_dns_role)role, "MX",
			good ? "10 mx.good.example" : "10 mx.g00d.example", good);
		say_answer(scene, (enum obs_dns_role)role, "A",
			good ? "198.51.100.1" : "203.0.113.9", good);
	}
}

static void say_check(struct scene *scene, bool good)
{
	struct obs *obs = begin(scene, OBS_CHECK);

	set(obs->check.service, OBS_NAME, "mail");
	set(obs->check.url, OBS_TEXT, "https://mail.example/");
	obs->check.connect_us = 2000;
	obs->check.total_us = good ? 30000 : 3000000;
	obs->check.status = good ? 200 : 503;
	obs->check.error = good ? OBS_CHECK_OK : OBS_CHECK_HTTP;
	obs->check.tls.present = true;
	obs->check.tls.verified = good;
	set(obs->check.tls.issuer, OBS_TEXT, good ? "CN=Good CA" : "CN=Other CA");
	memset(obs->check.tls.spki_sha256, good ? 'a' : 'b', 64);
	obs->check.tls.not_before.us = BEGIN_US - 30 * MOMENT_DAY_US;
	obs->check.tls.not_after.us = BEGIN_US + 60 * MOMENT_DAY_US;
	feed(scene);
}

static void say_path(struct scene *scene, bool good, int64_t flow)
{
	struct obs *obs = begin(scene, OBS_TRACE);

	set(obs->trace.service, OBS_NAME, "mail");
	assert_int_equal(address_parse(&obs->trace.peer, "198.51.100.1"), 0);
	obs->trace.flow = flow;
	obs->trace.reached = true;
	obs->trace.hop_count = 3;
	for (int i = 0; i < 3; i++) {
		struct obs_hop *hop = &obs->trace.hops[i];

		*hop = (struct obs_hop){.ttl = i + 1,
			.sent = 3,
			.answered = 3,
			.rtt_us = good ? 2000 * (i + 1) : 240000 + 1000 * i,
			.place = place_of(good)};
		assert_int_equal(
			address_parse(&hop->address, good ? "198.18.1.1" : "198.18.2.1"),
			0);
	}
	feed(scene);
}

static void say_registry(struct scene *scene, bool good)
{
	struct obs *obs = begin(scene, OBS_REGISTRY);

	set(obs->registry.domain, OBS_NAME, "mail.example");
	set(obs->registry.registrar, OBS_TEXT, good ? "Good" : "Other");
	obs->registry.server_count = 1;
	set(obs->registry.name_servers[0], OBS_NAME,
		good ? "ns1.good.example" : "ns1.g00d.example");
	obs->registry.last_changed.us = good ? BEGIN_US - 90 * MOMENT_DAY_US : BEGIN_US;
	feed(scene);
}

static void say_all(struct scene *scene, const char *probe, bool good, int round)
{
	set(scene->origin.probe, OBS_WORD, probe);
	set(scene->origin.boot, OBS_WORD, "b");
	say_traffic(scene, good);
	say_names(scene, good);
	say_check(scene, good);
	say_path(scene, good, round % 4);
	say_registry(scene, good);
}

static void introduce(struct scene *scene, const char *probe, enum obs_role role)
{
	set(scene->origin.probe, OBS_WORD, probe);
	set(scene->origin.boot, OBS_WORD, "b");
	say_hello(scene, role);
}

/* Two quiet days, then half a day of lies beside what the honest see. */
static void play(
	struct scene *scene, const char *const *honest, unsigned count, unsigned liars)
{
	for (int round = 0; round < 30 * 24; round++) {
		bool lies = round >= 24 * 24;

		scene->origin.rx.us = BEGIN_US + round * ROUND_US + MOMENT_SECOND_US;
		for (unsigned i = 0; i < count; i++)
			say_all(scene, honest[i], true, round);
		for (unsigned i = 0; i < liars; i++)
			say_all(scene, i ? SECOND_LIAR : LIAR, !lies, round);
	}
	pipeline_advance(
		scene->pipeline, moment_plus_us(scene->origin.rx, MOMENT_HOUR_US));
}

static void one_liar_in_a_fleet_pages_nobody(void **state)
{
	static const char *const honest[] = {
		"gw-1", "laptop-1", "laptop-2", "sentinel-1"};
	struct scene *scene = new_scene();

	(void)state;
	scene->origin.rx.us = BEGIN_US;
	introduce(scene, "gw-1", OBS_GATEWAY);
	introduce(scene, "sentinel-1", OBS_SENTINEL);
	introduce(scene, "laptop-1", OBS_ENDPOINT);
	introduce(scene, "laptop-2", OBS_ENDPOINT);
	introduce(scene, LIAR, OBS_ENDPOINT);
	play(scene, honest, 4, 1);
	assert_string_equal(scene->paged, "");
	free_scene(scene);
}

static void the_only_endpoint_pages_nobody(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	scene->origin.rx.us = BEGIN_US;
	introduce(scene, LIAR, OBS_ENDPOINT);
	play(scene, NULL, 0, 1);
	assert_string_equal(scene->paged, "");
	free_scene(scene);
}

/* Where only two report, what fails may all be of one. */
static void one_of_two_endpoints_pages_nobody(void **state)
{
	static const char *const honest[] = {"laptop-1"};
	struct scene *scene = new_scene();

	(void)state;
	scene->origin.rx.us = BEGIN_US;
	introduce(scene, "laptop-1", OBS_ENDPOINT);
	introduce(scene, LIAR, OBS_ENDPOINT);
	play(scene, honest, 1, 1);
	assert_string_equal(scene->paged, "");
	free_scene(scene);
}

/* The same words of a gateway are heard: the test above is not deaf. */
static void a_gateway_is_believed(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	scene->origin.rx.us = BEGIN_US;
	introduce(scene, LIAR, OBS_GATEWAY);
	play(scene, NULL, 0, 1);
	assert_string_not_equal(scene->paged, "");
	free_scene(scene);
}

static void two_endpoints_are_believed(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	scene->origin.rx.us = BEGIN_US;
	introduce(scene, LIAR, OBS_ENDPOINT);
	introduce(scene, SECOND_LIAR, OBS_ENDPOINT);
	play(scene, NULL, 0, 2);
	assert_string_not_equal(scene->paged, "");
	free_scene(scene);
}

/* One of many or few, where no gateway counts: a million failures of its own are a
 * person's. */
static void boast(int endpoints)
{
	struct scene *scene = new_scene();
	char name[32];

	scene->origin.rx.us = BEGIN_US;
	for (int round = 0; round < 40; round++) {
		scene->origin.rx.us = BEGIN_US + (round + 1) * ROUND_US;
		for (int i = 0; i < endpoints; i++) {
			(void)snprintf(name, sizeof(name), "laptop-%d", i);
			introduce(scene, name, OBS_ENDPOINT);
			scene->boast = i == 0 && round >= 20 ? 1000000 : 1;
			say_traffic(scene, scene->boast == 1);
		}
	}
	pipeline_advance(
		scene->pipeline, moment_plus_us(scene->origin.rx, 10 * MOMENT_MINUTE_US));
	assert_string_equal(scene->paged, "");
	free_scene(scene);
}

static void numbers_of_one_endpoint_weigh_as_one(void **state)
{
	(void)state;
	boast(20);
}

static void numbers_of_one_endpoint_page_nobody_at_a_small_site(void **state)
{
	(void)state;
	for (int endpoints = 1; endpoints < 6; endpoints++)
		boast(endpoints);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_liar_in_a_fleet_pages_nobody),
		cmocka_unit_test(the_only_endpoint_pages_nobody),
		cmocka_unit_test(a_gateway_is_believed),
		cmocka_unit_test(two_endpoints_are_believed),
		cmocka_unit_test(one_of_two_endpoints_pages_nobody),
		cmocka_unit_test(numbers_of_one_endpoint_weigh_as_one),
		cmocka_unit_test(numbers_of_one_endpoint_page_nobody_at_a_small_site),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
