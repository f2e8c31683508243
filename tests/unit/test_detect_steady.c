#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_steady.h"
#include "hearing.h"

#define HERE_US (30 * MOMENT_SECOND_US)
#define NAME "www.exchange.example"
#define EDGE "exchange.cdn.example"
#define AS 64501
#define OTHER_AS 64999

static void answer_of(struct hearing *hearing, const char *probe, enum obs_dns_role role,
	const char *type, const char *data, uint32_t asn, struct moment at)
{
	struct obs_dns *dns = &hearing->obs->dns;

	obs_init(hearing->obs, OBS_DNS, at);
	(void)snprintf(dns->name, sizeof(dns->name), NAME);
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "NOERROR");
	(void)address_parse(
		&dns->server, role == OBS_AUTHORITY ? "203.0.113.53" : "192.0.2.53");
	dns->role = role;
	dns->authoritative = role == OBS_AUTHORITY;
	dns->answer_count = 1;
	(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", data);
	dns->answers[0].place.asn = asn;
	hearing_show(hearing, probe);
}

static void says(struct hearing *hearing, const char *data)
{
	hearing_pass(hearing, HERE_US);
	answer_of(hearing, "sentinel-1", OBS_AUTHORITY, "A", data, AS, hearing->now);
}

static void told(
	struct hearing *hearing, const char *probe, const char *data, uint32_t asn)
{
	hearing_pass(hearing, HERE_US);
	answer_of(hearing, probe, OBS_RESOLVER, "A", data, asn, hearing->now);
}

/* By one question: the alias, and what it leads to. */
static void told_alias(
	struct hearing *hearing, const char *probe, const char *target, const char *data)
{
	hearing_pass(hearing, HERE_US);
	answer_of(hearing, probe, OBS_RESOLVER, "CNAME", target, 0, hearing->now);
	answer_of(hearing, probe, OBS_RESOLVER, "A", data, AS, hearing->now);
}

static void says_alias(struct hearing *hearing, const char *target, const char *data)
{
	hearing_pass(hearing, HERE_US);
	answer_of(hearing, "sentinel-1", OBS_AUTHORITY, "CNAME", target, 0, hearing->now);
	answer_of(hearing, "sentinel-1", OBS_AUTHORITY, "A", data, AS, hearing->now);
}

static void shows_a_certificate(
	struct hearing *hearing, const char *probe, const char *peer)
{
	struct obs_check *check = &hearing->obs->check;

	obs_init(hearing->obs, OBS_CHECK, hearing->now);
	assert_int_equal(address_parse(&check->peer, peer), 0);
	check->tls.present = check->tls.verified = true;
	hearing_show(hearing, probe);
}

static void introduce(struct hearing *hearing)
{
	hearing_open(hearing, &detect_steady);
	hearing_introduce(hearing, "sentinel-1", OBS_SENTINEL, "watch", "JP", 64496);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "sin-gw-1", OBS_GATEWAY, "singapore", "SG", 64497);
	hearing_introduce(hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-2", OBS_ENDPOINT, "tokyo", "JP", 64496);
}

/* Two days of the same. */
static void prepare(struct hearing *hearing)
{
	introduce(hearing);
	for (unsigned i = 0; i < 3; i++) {
		says(hearing, "203.0.113.10");
		told(hearing, "tyo-gw-1", "203.0.113.10", AS);
		told(hearing, "laptop-1", "203.0.113.10", AS);
		hearing_pass(hearing, MOMENT_DAY_US);
	}
	says(hearing, "203.0.113.10");
}

static void lie(struct hearing *hearing, const char *probe, const char *data)
{
	for (unsigned i = 0; i < 3; i++) {
		told(hearing, probe, data, AS);
		says(hearing, "203.0.113.10");
	}
}

/* That something is over may be said at any time. */
static void assert_silent(const struct hearing *hearing)
{
	assert_int_equal(hearing_count(hearing, FINDING_HOLDS, SEVERITY_INFO), 0);
}

static void a_lie_inside_the_network_pages_at_its_second_answer(void **state)
{
	struct hearing hearing;
	const struct finding *finding;

	(void)state;
	prepare(&hearing);
	told(&hearing, "tyo-gw-1", "203.0.113.66", AS);
	says(&hearing, "203.0.113.10");
	assert_silent(&hearing);
	told(&hearing, "tyo-gw-1", "203.0.113.66", AS);
	assert_int_equal(hearing_pages(&hearing), 1);
	finding = &hearing.findings[0];
	assert_true(finding->security);
	assert_string_equal(finding->site, "tokyo");
	assert_string_equal(finding->brief, "a resolver lies: 203.0.113.66");
	assert_non_null(strstr(finding->text, "its name servers say 203.0.113.10"));
	told(&hearing, "tyo-gw-1", "203.0.113.10", AS);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void a_lie_to_one_machine_warns_of_two_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	lie(&hearing, "laptop-1", "203.0.113.66");
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	told(&hearing, "laptop-2", "203.0.113.66", AS);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

static void a_lie_without_a_network_counts_too(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 3; i++) {
		told(&hearing, "tyo-gw-1", "192.0.2.66", 0);
		says(&hearing, "203.0.113.10");
	}
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void another_network_is_not_its_business(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 3; i++) {
		told(&hearing, "tyo-gw-1", "198.51.100.9", OTHER_AS);
		says(&hearing, "203.0.113.10");
	}
	assert_silent(&hearing);
	hearing_close(&hearing);
}

static void a_move_that_a_resolver_hears_of_first_is_none(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	told(&hearing, "tyo-gw-1", "203.0.113.20", AS);
	says(&hearing, "203.0.113.20");
	for (unsigned i = 0; i < 5; i++) {
		told(&hearing, "tyo-gw-1", i % 2 ? "203.0.113.10" : "203.0.113.20", AS);
		says(&hearing, "203.0.113.20");
	}
	assert_silent(&hearing);
	hearing_close(&hearing);
}

static void an_announced_move_does_not_blind_it(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing.announced = true;
	says(&hearing, "203.0.113.20");
	told(&hearing, "tyo-gw-1", "203.0.113.20", AS);
	hearing.announced = false;
	assert_silent(&hearing);
	lie(&hearing, "tyo-gw-1", "203.0.113.66");
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void names_that_turn_over_are_not_judged(void **state)
{
	struct hearing hearing;
	char text[32];

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 60; i++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%u", 10 + i % 40);
		says(&hearing, text);
		(void)snprintf(text, sizeof(text), "203.0.113.%u", 100 + i);
		told(&hearing, "tyo-gw-1", text, AS);
		hearing_pass(&hearing, MOMENT_HOUR_US);
	}
	assert_silent(&hearing);
	hearing_close(&hearing);
}

/* As for all who are near Singapore. */
static void answers_by_who_asks_are_learnt(void **state)
{
	struct hearing hearing;

	(void)state;
	introduce(&hearing);
	for (unsigned i = 0; i < 3; i++) {
		says(&hearing, "203.0.113.10");
		told(&hearing, "sin-gw-1", "203.0.113.200", AS);
		told(&hearing, "tyo-gw-1", "203.0.113.10", AS);
		hearing_pass(&hearing, MOMENT_DAY_US);
	}
	says(&hearing, "203.0.113.10");
	lie(&hearing, "sin-gw-1", "203.0.113.200");
	lie(&hearing, "tyo-gw-1", "203.0.113.200"); /* its resolver has moved */
	assert_silent(&hearing);
	lie(&hearing, "sin-gw-1", "203.0.113.201"); /* another edge of theirs */
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	hearing_close(&hearing);
}

static void a_new_place_that_was_always_told_so_warns_and_becomes_usual(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	lie(&hearing, "sin-gw-1", "203.0.113.200");
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	for (unsigned i = 0; i < 100; i++) {
		hearing_pass(&hearing, 15 * MOMENT_MINUTE_US);
		says(&hearing, "203.0.113.10");
		told(&hearing, "sin-gw-1", "203.0.113.200", AS);
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_ends(&hearing) > 0);
	hearing_forget(&hearing);
	lie(&hearing, "sin-gw-1", "203.0.113.200");
	assert_silent(&hearing);
	hearing_close(&hearing);
}

static void far_edges_that_turn_over_are_not_judged(void **state)
{
	struct hearing hearing;
	char text[32];

	(void)state;
	introduce(&hearing);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%u", 50 + i % 200);
		says(&hearing, "203.0.113.10");
		told(&hearing, "sin-gw-1", text, AS);
		hearing_pass(&hearing, MOMENT_HOUR_US);
	}
	assert_silent(&hearing);
	hearing_close(&hearing);
}

static void split_horizon_is_no_page(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	lie(&hearing, "tyo-gw-1", "10.0.0.5");
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	hearing_forget(&hearing);
	lie(&hearing, "laptop-1",
		"192.168.1.1"); /* its router's own answer to anything */
	lie(&hearing, "laptop-2", "192.168.1.1");
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_PAGE), 0);
	hearing_close(&hearing);
}

static void split_horizon_from_the_beginning_is_usual_and_hides_no_lie(void **state)
{
	struct hearing hearing;

	(void)state;
	introduce(&hearing);
	for (unsigned i = 0; i < 3; i++) {
		says(&hearing, "203.0.113.10");
		told(&hearing, "tyo-gw-1", "10.0.0.5", 0);
		told(&hearing, "sin-gw-1", "203.0.113.10", AS);
		hearing_pass(&hearing, MOMENT_DAY_US);
	}
	says(&hearing, "203.0.113.10");
	lie(&hearing, "tyo-gw-1", "10.0.0.5");
	assert_silent(&hearing);
	lie(&hearing, "sin-gw-1", "203.0.113.66");
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void where_the_services_certificate_is_shown_it_only_warns(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	told(&hearing, "tyo-gw-1", "203.0.113.20", AS);
	shows_a_certificate(&hearing, "tyo-gw-1", "203.0.113.20");
	says(&hearing, "203.0.113.10");
	lie(&hearing, "tyo-gw-1", "203.0.113.20");
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	assert_non_null(strstr(hearing.findings[0].text, "certificate that verifies"));
	hearing_close(&hearing);
}

static void prepare_alias(struct hearing *hearing)
{
	char text[32];

	introduce(hearing);
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%u", 10 + i);
		says_alias(hearing, EDGE, text);
		told_alias(hearing, "tyo-gw-1", EDGE, text);
		hearing_pass(hearing, 2 * MOMENT_HOUR_US);
	}
	says_alias(hearing, EDGE, "203.0.113.10");
}

static void a_dropped_alias_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare_alias(&hearing);
	told_alias(&hearing, "tyo-gw-1", EDGE, "203.0.113.99"); /* an edge like others */
	assert_silent(&hearing);
	for (unsigned i = 0; i < 2; i++) {
		told(&hearing, "tyo-gw-1", "203.0.113.240", AS);
		says_alias(&hearing, EDGE, "203.0.113.10");
	}
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_non_null(strstr(hearing.findings[0].text, "no alias of " EDGE));
	told_alias(&hearing, "tyo-gw-1", EDGE, "203.0.113.99");
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void another_alias_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare_alias(&hearing);
	for (unsigned i = 0; i < 2; i++) {
		told_alias(
			&hearing, "tyo-gw-1", "exchange.evil.example", "203.0.113.240");
		says_alias(&hearing, EDGE, "203.0.113.10");
	}
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_non_null(strstr(hearing.findings[0].text, "exchange.evil.example"));
	hearing_close(&hearing);
}

static void a_resolver_that_never_gave_the_alias_may_go_on(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare_alias(&hearing);
	for (unsigned i = 0; i < 4; i++) {
		told(&hearing, "sin-gw-1", "203.0.113.240", AS);
		says_alias(&hearing, EDGE, "203.0.113.10");
	}
	assert_silent(&hearing);
	hearing_close(&hearing);
}

static void without_word_of_the_servers_nothing_is_judged(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing_pass(&hearing, MOMENT_HOUR_US);
	for (unsigned i = 0; i < 5; i++)
		told(&hearing, "tyo-gw-1", "203.0.113.66", AS);
	assert_silent(&hearing);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lie_inside_the_network_pages_at_its_second_answer),
		cmocka_unit_test(a_lie_to_one_machine_warns_of_two_pages),
		cmocka_unit_test(a_lie_without_a_network_counts_too),
		cmocka_unit_test(another_network_is_not_its_business),
		cmocka_unit_test(a_move_that_a_resolver_hears_of_first_is_none),
		cmocka_unit_test(an_announced_move_does_not_blind_it),
		cmocka_unit_test(names_that_turn_over_are_not_judged),
		cmocka_unit_test(answers_by_who_asks_are_learnt),
		cmocka_unit_test(
			a_new_place_that_was_always_told_so_warns_and_becomes_usual),
		cmocka_unit_test(far_edges_that_turn_over_are_not_judged),
		cmocka_unit_test(split_horizon_is_no_page),
		cmocka_unit_test(
			split_horizon_from_the_beginning_is_usual_and_hides_no_lie),
		cmocka_unit_test(where_the_services_certificate_is_shown_it_only_warns),
		cmocka_unit_test(a_dropped_alias_pages),
		cmocka_unit_test(another_alias_pages),
		cmocka_unit_test(a_resolver_that_never_gave_the_alias_may_go_on),
		cmocka_unit_test(without_word_of_the_servers_nothing_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
