#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"

#define SECOND MOMENT_SECOND_US
#define MINUTE MOMENT_MINUTE_US

/* 2020-05-31T00:05:00Z, when it begins; it is told 40 s later. */
static const struct moment start = {INT64_C(1590883500000000)};

struct scene {
	struct incident incident;
	struct surroundings around;
	struct story_state state;
	struct strand strands[8];
	unsigned count;
};

/* Two sites; everything is looked at and learnt; wallet is well beside it. */
static struct scene *begin(void)
{
	static const char *const sites[] = {"tokyo", "osaka"};
	struct scene *scene = calloc(1, sizeof(*scene));
	struct surroundings *around;

	assert_non_null(scene);
	scene->incident.rx = moment_plus_us(start, 40 * SECOND);
	scene->state =
		(struct story_state){.acknowledged_by = "", .acknowledged_note = ""};
	around = &scene->around;
	around->learnt = (1u << COVERAGE_SENSES) - 1;
	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		around->coverage.senses[i] =
			(struct coverage_span){{1}, moment_plus_us(start, 28 * SECOND)};
	around->site_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(around->sites[i].name, OBS_WORD, "%s", sites[i]);
		around->sites[i].probes = 2 - i;
		around->sites[i].coverage = around->coverage;
	}
	around->service_count = 1;
	(void)snprintf(around->services[0].name, OBS_NAME, "wallet");
	return scene;
}

static struct finding *add(struct scene *scene, enum incident_cause cause,
	const char *service, const char *site, const char *vantage, int64_t after_us,
	const char *brief, const char *text)
{
	struct strand *strand = &scene->strands[scene->count++];
	struct finding finding = {.cause = cause,
		.severity = SEVERITY_PAGE,
		.effect = .5,
		.rx = moment_plus_us(start, after_us),
		.since = moment_plus_us(start, after_us)};

	(void)snprintf(finding.service, sizeof(finding.service), "%s", service);
	(void)snprintf(finding.site, sizeof(finding.site), "%s", site);
	(void)snprintf(finding.vantage, sizeof(finding.vantage), "%s", vantage);
	(void)snprintf(finding.brief, sizeof(finding.brief), "%s", brief);
	(void)snprintf(finding.text, sizeof(finding.text), "%s", text);
	strand_begin(strand, &finding);
	return &strand->finding;
}

static void tell(struct scene *scene)
{
	account_gather(&scene->incident, scene->strands, scene->count);
	account_tell(&scene->incident, scene->strands, scene->count, &scene->around,
		&scene->state);
}

static void finish(struct scene *scene, const char *text)
{
	tell(scene);
	assert_string_equal(scene->incident.text, text);
	free(scene);
}

static void a_hijack_is_told_from_its_name_server_to_its_missing_requests(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_TRAFFIC, "exchange", "", "", 20 * SECOND,
		"84 % of its requests are missing",
		"requests: 19 in the last 20 s, expected 120 (by the rate before): 84 % "
		"are missing");
	add(scene, CAUSE_NAME_SERVER, "exchange", "", "sentinel-1", 0,
		"lookalike name server ns-1515.awsdns-061.example",
		"the parent (192.0.2.53) delegates exchange.example to "
		"ns-1515.awsdns-061.example; expected: ns-1515.awsdns-61.example");
	add(scene, CAUSE_DETOUR, "exchange", "tokyo", "tyo-gw-1", 12 * SECOND,
		"path now through SG, FR, NL Amsterdam",
		"path from tokyo now: AS64496 JP Tokyo > AS64500 SG > AS64501 FR > "
		"AS64502 NL Amsterdam, 247.0 ms; before: AS64496 JP Tokyo, 8.1 ms");
	add(scene, CAUSE_DETOUR, "exchange", "osaka", "osa-laptop-3", 14 * SECOND,
		"path now through SG, FR, NL Amsterdam",
		"path from osaka now: AS64497 JP Osaka > AS64500 SG > AS64501 FR > "
		"AS64502 NL Amsterdam, 255.0 ms; before: AS64497 JP Osaka, 9.0 ms")
		->severity = SEVERITY_INFO;
	tell(scene);
	assert_string_equal(scene->incident.title,
		"exchange: lookalike name server ns-1515.awsdns-061.example; path now "
		"through SG, FR, NL Amsterdam; 84 % of its requests are missing");
	finish(scene,
		"exchange: lookalike name server ns-1515.awsdns-061.example; path "
		"now through SG, FR, NL Amsterdam; 84 % of its requests are missing\n"
		"What: possible hijack: whoever runs the new name server decides "
		"where people and mail go\n"
		"Since: 2020-05-31T00:05:00Z (40 s before this)\n"
		"Changed first: name server: the parent (192.0.2.53) delegates "
		"exchange.example to ns-1515.awsdns-061.example; expected: "
		"ns-1515.awsdns-61.example\n"
		"Affected: exchange, at tokyo (seen by 1 of its 2 probes), osaka "
		"(seen by its only probe); told by sentinel-1, tyo-gw-1, "
		"osa-laptop-3\n"
		"Not affected: other services: wallet\n"
		"Ruled out: names lead to known networks and mail hosts (12 s ago); "
		"the registration is unchanged (12 s ago); certificates are the "
		"known ones (12 s ago); requests do not fail (12 s ago)\n"
		"Too early to tell: speed\n"
		"\n"
		"Next:\n"
		"  1. Log in to the registrar (by its real address), compare the "
		"delegation, and call the registrar. Until it is repaired, mail and "
		"logins of this zone are not safe.\n"
		"  2. Trace from an affected place, and compare the address its "
		"resolver gives. If names are unchanged, ask the carrier about the "
		"new network on the way.\n"
		"  3. See whether people cannot reach it (failures, path, names) or "
		"do not ask (their work, another service in front).\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  name server: the parent (192.0.2.53) "
		"delegates exchange.example to ns-1515.awsdns-061.example; expected: "
		"ns-1515.awsdns-61.example\n"
		"  2020-05-31T00:05:12Z  path from tokyo now: AS64496 JP Tokyo > "
		"AS64500 SG > AS64501 FR > AS64502 NL Amsterdam, 247.0 ms; before: "
		"AS64496 JP Tokyo, 8.1 ms\n"
		"  2020-05-31T00:05:14Z  path from osaka now: AS64497 JP Osaka > "
		"AS64500 SG > AS64501 FR > AS64502 NL Amsterdam, 255.0 ms; before: "
		"AS64497 JP Osaka, 9.0 ms\n"
		"  2020-05-31T00:05:20Z  requests: 19 in the last 20 s, expected 120 "
		"(by the rate before): 84 % are missing\n");
}

static void a_resolver_that_lies_is_not_told_as_a_change_of_the_zone(void **state)
{
	struct scene *scene = begin();
	struct finding *finding;

	(void)state;
	finding = add(scene, CAUSE_RECORDS, "exchange", "tokyo", "tyo-gw-1", 0,
		"a resolver lies: 198.51.100.9",
		"A of exchange.example is 198.51.100.9, says resolver 192.0.2.53");
	(void)snprintf(finding->subject, sizeof(finding->subject), "resolver-0-1");
	tell(scene);
	assert_non_null(strstr(scene->incident.text,
		"What: a resolver does not say what the zone's own servers say"));
	assert_non_null(strstr(scene->incident.text, "1. Ask that resolver and "));
	assert_null(strstr(scene->incident.text, "records of the name have changed"));
	/* With a change of the zone itself that is the thing to look at. */
	add(scene, CAUSE_RECORDS, "exchange", "", "sentinel-1", SECOND,
		"its name leads to 198.51.100.9", "A of exchange.example has changed");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "records of the name have changed"));
	assert_non_null(strstr(scene->incident.text, "1. Compare the zone"));
	free(scene);
}

static void records_that_moved_mail_are_told(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_RECORDS, "exchange", "", "sentinel-1", 0,
		"its mail goes to mail.exchange.example",
		"MX of exchange.example is mail.exchange.example, says authority "
		"192.0.2.53, asked by tyo-gw-1; expected: mx.exchange.example");
	finish(scene,
		"exchange: its mail goes to mail.exchange.example\n"
		"What: records of the name have changed: they lead people or mail "
		"where they never went\n"
		"Since: 2020-05-31T00:05:00Z (40 s before this)\n"
		"Affected: exchange, wherever it is used; told by sentinel-1\n"
		"Not affected: other services: wallet\n"
		"Ruled out: name servers are the known ones (12 s ago); the "
		"registration is unchanged (12 s ago); certificates are the known "
		"ones (12 s ago); paths keep to known networks and countries (12 s "
		"ago); requests do not fail (12 s ago)\n"
		"Too early to tell: speed; requests\n"
		"\n"
		"Next:\n"
		"  1. Compare the zone at the DNS provider with what is served, and "
		"see who changed it. If mail moved, treat password resets since then "
		"as read by others.\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  records: MX of exchange.example is "
		"mail.exchange.example, says authority 192.0.2.53, asked by tyo-gw-1; "
		"expected: mx.exchange.example\n");
}

static void another_certificate_is_told(void **state)
{
	struct scene *scene = begin();

	(void)state;
	scene->around.coverage.senses[COVERAGE_REGISTRY] = (struct coverage_span){0};
	add(scene, CAUSE_CERTIFICATE, "exchange", "", "tyo-gw-1", 0,
		"certificate of an issuer that is not expected",
		"certificate of an issuer that is not expected: 203.0.113.10 shows a key "
		"00ff… of \"CN=Other CA\", met from tokyo")
		->security = true;
	finish(scene,
		"exchange: certificate of an issuer that is not expected\n"
		"What: possible interception: another certificate is shown, so "
		"somebody may stand between people and the service\n"
		"Since: 2020-05-31T00:05:00Z (40 s before this)\n"
		"Affected: exchange, wherever it is used; told by tyo-gw-1\n"
		"Not affected: other services: wallet\n"
		"Ruled out: name servers are the known ones (12 s ago); names lead "
		"to known networks and mail hosts (12 s ago); paths keep to known "
		"networks and countries (12 s ago); requests do not fail (12 s ago)\n"
		"Too early to tell: speed; requests\n"
		"Not measured: registry\n"
		"\n"
		"Next:\n"
		"  1. See whether we ordered this certificate; look it up in "
		"Certificate Transparency; compare the key on our servers.\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  certificate of an issuer that is not "
		"expected: 203.0.113.10 shows a key 00ff… of \"CN=Other CA\", met from "
		"tokyo\n");
}

static void an_end_is_no_interception_and_a_lost_zone_no_hijack(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_CERTIFICATE, "exchange", "", "tyo-gw-1", 0,
		"its certificate ends soon", "it ends in two days");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "What: the certificate itself"));
	assert_non_null(strstr(scene->incident.text, "1. See which servers show it"));
	/* One of another issuer beside it is more than age. */
	add(scene, CAUSE_CERTIFICATE, "exchange", "", "tyo-gw-1", SECOND,
		"certificate of an issuer never seen here", "another issuer")
		->security = true;
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "What: possible interception"));
	free(scene);
	scene = begin();
	(void)strcpy(add(scene, CAUSE_NAME_SERVER, "exchange", "", "sentinel-1", 0,
			     "exchange.example is not delegated", "no such zone")
			     ->subject,
		"gone");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "What: the zone is gone"));
	assert_non_null(strstr(scene->incident.text, "1. Ask the registrar why"));
	free(scene);
}

static void what_was_seen_within_the_second_was_seen_just_now(void **state)
{
	struct scene *scene = begin();

	(void)state;
	scene->incident.rx = moment_plus_us(start, 6 * MINUTE);
	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		scene->around.coverage.senses[i].last = moment_plus_us(
			start, 6 * MINUTE - (i == COVERAGE_PATH ? 1300 : 900) * 1000);
	add(scene, CAUSE_TRAFFIC, "exchange", "", "", 0,
		"84 % of its requests are missing",
		"requests: 19 in the last 5 min, expected 120: 84 % are missing");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "requests do not fail (just now)"));
	assert_non_null(strstr(scene->incident.text, "countries (1 s ago)"));
	free(scene);
}

static void a_sites_trouble_is_told_without_services(void **state)
{
	struct scene *scene = begin();

	(void)state;
	scene->incident.rx = moment_plus_us(start, 12 * MINUTE);
	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		scene->around.sites[1].coverage.senses[i].last = scene->incident.rx;
	scene->around.service_count = 0;
	add(scene, CAUSE_SITE, "", "tokyo", "", 0,
		"9 of the 12 services used from tokyo are slow or fail there",
		"9 of the 12 services used from tokyo have been slow or failing there "
		"for "
		"ten minutes, and not elsewhere: the site's way out");
	add(scene, CAUSE_FAILURES, "exchange", "tokyo", "", MINUTE,
		"40 % of its requests fail at tokyo",
		"requests from tokyo: 40 of 100 fail (40 %), usually 0.1 %");
	finish(scene,
		"site tokyo: 9 of the 12 services used from tokyo are slow or fail "
		"there\n"
		"What: trouble of a site: its uplink, gateway or provider, not the "
		"services that people there use\n"
		"Since: 2020-05-31T00:05:00Z (12 min before this)\n"
		"Changed first: site: 9 of the 12 services used from tokyo have been "
		"slow or failing there for ten minutes, and not elsewhere: the "
		"site's way out\n"
		"Affected: all that is used from tokyo\n"
		"Not affected: osaka (1 probe: path as before, answers as usual)\n"
		"\n"
		"Next:\n"
		"  1. Look at the site's uplink, gateway and provider; its services "
		"need no look.\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  site: 9 of the 12 services used from tokyo "
		"have been slow or failing there for ten minutes, and not elsewhere: "
		"the site's way out\n"
		"  2020-05-31T00:06:00Z  failures of exchange: requests from tokyo: "
		"40 of 100 fail (40 %), usually 0.1 %\n");
}

static void an_outage_of_many_services_points_at_what_they_share(void **state)
{
	struct scene *scene = begin();

	(void)state;
	scene->around.service_count = 0;
	add(scene, CAUSE_FAILURES, "exchange", "", "", 0, "62 % of its requests fail",
		"requests: 620 of 1000 fail (62 %), usually 0.1 %");
	add(scene, CAUSE_FAILURES, "wallet", "", "", 0, "55 % of its requests fail",
		"requests: 55 of 100 fail (55 %), usually 0.2 %");
	finish(scene,
		"exchange, wallet: 62 % of its requests fail\n"
		"What: outage of several services at once: what they share, a "
		"provider or a network\n"
		"Since: 2020-05-31T00:05:00Z (40 s before this)\n"
		"Changed first: failures of exchange: requests: 620 of 1000 fail (62 "
		"%), usually 0.1 %\n"
		"Affected: exchange, wallet, wherever they are used\n"
		"Ruled out: name servers are the known ones (12 s ago); names lead "
		"to known networks and mail hosts (12 s ago); the registration is "
		"unchanged (12 s ago); certificates are the known ones (12 s ago); "
		"paths keep to known networks and countries (12 s ago)\n"
		"Too early to tell: speed; requests\n"
		"\n"
		"Next:\n"
		"  1. Look at the service's own errors and its last deployment; if "
		"connections fail, at its load balancer and the network before it.\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  failures of exchange: requests: 620 of 1000 "
		"fail (62 %), usually 0.1 %\n"
		"  2020-05-31T00:05:00Z  failures of wallet: requests: 55 of 100 "
		"fail (55 %), usually 0.2 %\n");
}

static void a_service_outage_is_told_by_its_failures(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_FAILURES, "exchange", "", "", 0, "62 % of its requests fail",
		"requests: 620 of 1000 fail (62 %), usually 0.1 %");
	finish(scene,
		"exchange: 62 % of its requests fail\n"
		"What: outage: people ask, and get errors or no connection\n"
		"Since: 2020-05-31T00:05:00Z (40 s before this)\n"
		"Affected: exchange, wherever it is used\n"
		"Not affected: other services: wallet\n"
		"Ruled out: name servers are the known ones (12 s ago); names lead "
		"to known networks and mail hosts (12 s ago); the registration is "
		"unchanged (12 s ago); certificates are the known ones (12 s ago); "
		"paths keep to known networks and countries (12 s ago)\n"
		"Too early to tell: speed; requests\n"
		"\n"
		"Next:\n"
		"  1. Look at the service's own errors and its last deployment; if "
		"connections fail, at its load balancer and the network before it.\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  failures: requests: 620 of 1000 fail (62 "
		"%), usually 0.1 %\n");
}

static void a_slow_network_is_told_from_a_slow_service(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_LATENCY, "exchange", "", "", 0,
		"answers 2.4 times slower (240 ms)",
		"response time, median: 240.0 ms, usually 100.0 ms (x 2.40)");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "What: slow service: "));
	(void)snprintf(
		add(scene, CAUSE_LATENCY, "exchange", "tokyo", "tyo-gw-1", SECOND,
			"round trip 92 ms longer from tokyo",
			"round trip from tyo-gw-1 (tokyo): 100.0 ms, 8.0 ms before "
			"(x 12.50): the network, not the server")
			->subject,
		OBS_WORD, "round trip");
	finish(scene,
		"exchange: answers 2.4 times slower (240 ms)\n"
		"What: slow network: the round trip itself has grown\n"
		"Since: 2020-05-31T00:05:00Z (40 s before this)\n"
		"Changed first: speed: response time, median: 240.0 ms, usually "
		"100.0 ms (x 2.40)\n"
		"Affected: exchange, at tokyo (seen by 1 of its 2 probes); told by "
		"tyo-gw-1\n"
		"Not affected: osaka (1 probe: path as before); other services: "
		"wallet\n"
		"Ruled out: name servers are the known ones (12 s ago); names lead "
		"to known networks and mail hosts (12 s ago); the registration is "
		"unchanged (12 s ago); certificates are the known ones (12 s ago); "
		"paths keep to known networks and countries (12 s ago); requests do "
		"not fail (12 s ago)\n"
		"Too early to tell: requests\n"
		"\n"
		"Next:\n"
		"  1. If the round trip has grown it is the network: look at the "
		"path. If only the answer has, it is the application or its "
		"database: look at the last deployment.\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  speed: response time, median: 240.0 ms, "
		"usually 100.0 ms (x 2.40)\n"
		"  2020-05-31T00:05:01Z  speed: round trip from tyo-gw-1 (tokyo): "
		"100.0 ms, 8.0 ms before (x 12.50): the network, not the server\n");
}

static void missing_requests_are_told_with_what_is_well(void **state)
{
	struct scene *scene = begin();

	(void)state;
	scene->incident.rx = moment_plus_us(start, 6 * MINUTE);
	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		scene->around.coverage.senses[i].last =
			moment_plus_us(start, 6 * MINUTE - 4 * SECOND);
	scene->around.learnt &= ~(1u << COVERAGE_PATH);
	scene->around.services[0].troubled = true;
	add(scene, CAUSE_TRAFFIC, "exchange", "", "", 0,
		"84 % of its requests are missing",
		"requests: 19 in the last 5 min, expected 120 (as at this time of "
		"earlier "
		"weeks): 84 % are missing");
	finish(scene,
		"exchange: 84 % of its requests are missing\n"
		"What: requests are missing: fewer come than are usual at this "
		"time\n"
		"Since: 2020-05-31T00:05:00Z (6 min before this)\n"
		"Affected: exchange, wherever it is used\n"
		"Ruled out: name servers are the known ones (4 s ago); names lead to "
		"known networks and mail hosts (4 s ago); the registration is "
		"unchanged (4 s ago); certificates are the known ones (4 s ago); "
		"requests do not fail (4 s ago); answers are as fast as usual (4 s "
		"ago)\n"
		"Still being learnt, so not judged: path\n"
		"\n"
		"Next:\n"
		"  1. See whether people cannot reach it (failures, path, names) or "
		"do not ask (their work, another service in front).\n"
		"\n"
		"In order of time:\n"
		"  2020-05-31T00:05:00Z  requests: 19 in the last 5 min, expected "
		"120 (as at this time of earlier weeks): 84 % are missing\n");
}

static void who_acknowledged_it_and_that_it_waits_are_told(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_REGISTRY, "exchange", "", "sentinel-1", 0, "another registrar",
		"the registry says of exchange.example: another registrar");
	scene->state.quiet_but_open = true;
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "No longer seen. "));
	scene->state = (struct story_state){
		.acknowledged_by = "ann", .acknowledged_note = "planned move"};
	scene->incident.state = INCIDENT_RESOLVED;
	tell(scene);
	assert_non_null(strstr(
		scene->incident.text, "Acknowledged by ann: planned move\nResolved: "));
	free(scene);
}

static void announced_work_is_told(void **state)
{
	struct scene *scene = begin();

	(void)state;
	scene->around.announced = true;
	add(scene, CAUSE_DETOUR, "exchange", "tokyo", "tyo-gw-1", 0,
		"path now through NL", "path from tokyo now: NL; before: JP");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "\nAnnounced work is under way.\n"));
	free(scene);
}

static void the_next_steps_come_before_evidence_that_does_not_fit(void **state)
{
	struct scene *scene = begin();
	char text[OBS_TEXT];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < 8; i++)
		add(scene, CAUSE_FAILURES, "exchange", "", "", 0, "fails", text);
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "\nNext:\n  1. "));
	assert_true(strlen(scene->incident.text) < INCIDENT_TEXT);
	free(scene);
}

static void what_was_seen_at_an_instant_comes_before_the_window_around_it(void **state)
{
	struct scene *scene = begin();

	(void)state;
	add(scene, CAUSE_TRAFFIC, "exchange", "", "", 0,
		"80 % of its requests are missing",
		"requests: 60 in the last 20 s, expected 306");
	add(scene, CAUSE_DETOUR, "exchange", "tokyo", "tyo-gw-1", 2 * SECOND,
		"path now through NL", "path from tokyo now: NL; before: JP");
	add(scene, CAUSE_NAME_SERVER, "exchange", "", "sentinel-1", 3 * SECOND,
		"new name server", "the parent delegates");
	tell(scene);
	assert_non_null(
		strstr(scene->incident.text, "\nChanged first: path from tokyo now"));
	free(scene);
	/* Long after, it is a consequence. */
	scene = begin();
	add(scene, CAUSE_TRAFFIC, "exchange", "", "", 0,
		"80 % of its requests are missing",
		"requests: 60 in the last 20 s, expected 306");
	add(scene, CAUSE_DETOUR, "exchange", "tokyo", "tyo-gw-1", 20 * MINUTE,
		"path now through NL", "path from tokyo now: NL; before: JP");
	tell(scene);
	assert_non_null(strstr(scene->incident.text, "\nChanged first: requests: 60"));
	free(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_hijack_is_told_from_its_name_server_to_its_missing_requests),
		cmocka_unit_test(
			a_resolver_that_lies_is_not_told_as_a_change_of_the_zone),
		cmocka_unit_test(records_that_moved_mail_are_told),
		cmocka_unit_test(another_certificate_is_told),
		cmocka_unit_test(an_end_is_no_interception_and_a_lost_zone_no_hijack),
		cmocka_unit_test(what_was_seen_within_the_second_was_seen_just_now),
		cmocka_unit_test(a_sites_trouble_is_told_without_services),
		cmocka_unit_test(an_outage_of_many_services_points_at_what_they_share),
		cmocka_unit_test(a_service_outage_is_told_by_its_failures),
		cmocka_unit_test(a_slow_network_is_told_from_a_slow_service),
		cmocka_unit_test(missing_requests_are_told_with_what_is_well),
		cmocka_unit_test(who_acknowledged_it_and_that_it_waits_are_told),
		cmocka_unit_test(announced_work_is_told),
		cmocka_unit_test(
			what_was_seen_at_an_instant_comes_before_the_window_around_it),
		cmocka_unit_test(the_next_steps_come_before_evidence_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
