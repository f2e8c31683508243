#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_resolver.h"
#include "hearing.h"

#define HERE_US (30 * MOMENT_SECOND_US)

static void answer_named(struct hearing *hearing, const char *probe,
	enum obs_dns_role role, const char *type, const char *data, uint32_t asn,
	const char *server)
{
	struct obs_dns *dns = &hearing->obs->dns;

	hearing_pass(hearing, HERE_US);
	obs_init(hearing->obs, OBS_DNS, hearing->now);
	(void)snprintf(dns->name, sizeof(dns->name), "exchange.example");
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "NOERROR");
	assert_int_equal(address_parse(&dns->server, server), 0);
	dns->role = role;
	dns->authoritative = role == OBS_AUTHORITY;
	dns->answer_count = 1;
	(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", data);
	dns->answers[0].place.asn = asn;
	dns->answers[0].ttl = 60;
	hearing_show(hearing, probe);
}

static void says(
	struct hearing *hearing, const char *type, const char *data, uint32_t asn)
{
	answer_named(
		hearing, "sentinel-1", OBS_AUTHORITY, type, data, asn, "203.0.113.53");
}

static void told(struct hearing *hearing, const char *probe, const char *type,
	const char *data, uint32_t asn)
{
	answer_named(hearing, probe, OBS_RESOLVER, type, data, asn, "192.0.2.53");
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_resolver);
	hearing_introduce(hearing, "sentinel-1", OBS_SENTINEL, "watch", "JP", 64496);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-2", OBS_ENDPOINT, "osaka", "JP", 64496);
	for (unsigned i = 0; i < 3; i++) {
		says(hearing, "A", "203.0.113.10", 64501);
		says(hearing, "MX", "10 mx.exchange.example", 0);
		told(hearing, "tyo-gw-1", "A", "203.0.113.10", 64501);
		told(hearing, "tyo-gw-1", "MX", "10 mx.exchange.example", 0);
	}
	hearing_pass(hearing, 2 * MOMENT_DAY_US);
	says(hearing, "A", "203.0.113.10", 64501);
	says(hearing, "MX", "10 mx.exchange.example", 0);
}

static void a_poisoned_resolver_pages_at_its_second_answer(void **state)
{
	struct hearing hearing;
	const struct finding *finding;

	(void)state;
	prepare(&hearing);
	told(&hearing, "tyo-gw-1", "A", "198.51.100.9", 64999);
	says(&hearing, "A", "203.0.113.10", 64501);
	assert_int_equal(hearing.count, 0);
	told(&hearing, "tyo-gw-1", "A", "198.51.100.9", 64999);
	assert_int_equal(hearing_pages(&hearing), 1);
	finding = &hearing.findings[0];
	assert_int_equal(finding->cause, CAUSE_RECORDS);
	assert_string_equal(finding->site, "tokyo");
	assert_non_null(strstr(finding->text, "198.51.100.9"));
	assert_non_null(strstr(finding->text, "which none of its name servers says"));
	assert_non_null(strstr(finding->text, "203.0.113.10"));
	assert_non_null(strstr(finding->text, "192.0.2.53"));
	told(&hearing, "tyo-gw-1", "A", "203.0.113.10", 64501);
	assert_true(hearing_ends(&hearing) >= 1);
	hearing_close(&hearing);
}

static void the_servers_are_asked_before_a_resolver_is_accused(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	told(&hearing, "tyo-gw-1", "A", "198.51.100.9", 64999);
	told(&hearing, "tyo-gw-1", "A", "198.51.100.9", 64999);
	assert_int_equal(hearing.count, 0);
	says(&hearing, "A", "198.51.100.9", 64999); /* so it was a move */
	told(&hearing, "tyo-gw-1", "A", "198.51.100.9", 64999);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void stolen_mail_of_one_machine_warns_of_two_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	told(&hearing, "laptop-1", "MX", "10 mail.evil.example", 0);
	says(&hearing, "MX", "10 mx.exchange.example", 0);
	told(&hearing, "laptop-1", "MX", "10 mail.evil.example", 0);
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 1);
	told(&hearing, "laptop-2", "MX", "10 mail.evil.example", 0);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

static void turnover_within_a_network_and_round_robin_are_none(void **state)
{
	struct hearing hearing;
	char text[32];

	(void)state;
	prepare(&hearing);
	says(&hearing, "A", "192.0.2.80", 64502); /* a second network, long ago */
	hearing.announced = true;
	says(&hearing, "A", "192.0.2.80", 64502);
	hearing.announced = false;
	for (unsigned i = 0; i < 60; i++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%u", i);
		says(&hearing, "A", text, 64501);
		told(&hearing, "tyo-gw-1", "A", i % 2 ? "203.0.113.200" : "192.0.2.81",
			i % 2 ? 64501 : 64502);
	}
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void where_servers_answer_by_who_asks_a_new_network_is_a_warning(void **state)
{
	struct hearing hearing;

	(void)state;
	hearing_open(&hearing, &detect_resolver);
	hearing_introduce(&hearing, "sentinel-1", OBS_SENTINEL, "watch", "JP", 64496);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	says(&hearing, "A", "203.0.113.10", 64501);
	told(&hearing, "tyo-gw-1", "A", "192.0.2.80", 64502);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	for (unsigned i = 0; i < 5; i++) {
		says(&hearing, "A", "203.0.113.10", 64501);
		told(&hearing, "tyo-gw-1", "A", "192.0.2.80", 64502);
	}
	assert_int_equal(hearing.count, 0);
	for (unsigned i = 0; i < 5; i++) {
		says(&hearing, "A", "203.0.113.10", 64501);
		told(&hearing, "tyo-gw-1", "A", "192.0.2.180", 64503);
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	hearing_close(&hearing);
}

static void after_a_hijack_it_says_who_still_clings_to_it_and_until_when(void **state)
{
	struct hearing hearing;
	const struct finding *last;

	(void)state;
	prepare(&hearing);
	says(&hearing, "A", "198.51.100.9", 64999);
	told(&hearing, "laptop-1", "A", "198.51.100.9", 64999);
	last = &hearing.findings[hearing.count - 1];
	assert_int_equal(last->severity, SEVERITY_INFO);
	assert_non_null(strstr(last->text, "only since the change"));
	for (unsigned i = 0; i < 6; i++)
		says(&hearing, "A", "203.0.113.10", 64501);
	told(&hearing, "laptop-1", "A", "198.51.100.9", 64999);
	last = &hearing.findings[hearing.count - 1];
	assert_int_equal(last->severity, SEVERITY_WARN);
	assert_non_null(strstr(last->text, "no longer say"));
	assert_non_null(strstr(last->text, "may be kept until 20"));
	told(&hearing, "laptop-1", "A", "203.0.113.10", 64501);
	assert_true(hearing_ends(&hearing) >= 1);
	hearing_close(&hearing);
}

static void an_announced_move_is_followed_without_a_word(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing.announced = true;
	says(&hearing, "A", "198.51.100.9", 64999);
	hearing.announced = false;
	for (unsigned i = 0; i < 10; i++) {
		says(&hearing, "A", "198.51.100.9", 64999);
		told(&hearing, "laptop-1", "A", i < 3 ? "203.0.113.10" : "198.51.100.9",
			i < 3 ? 64501 : 64999);
	}
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void without_word_of_the_servers_nothing_is_judged(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing_pass(&hearing, MOMENT_HOUR_US);
	for (unsigned i = 0; i < 5; i++)
		told(&hearing, "tyo-gw-1", "A", "198.51.100.9", 64999);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void a_traveller_counts_for_nothing(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing_introduce(&hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "SG", 64999);
	for (unsigned i = 0; i < 5; i++) {
		says(&hearing, "MX", "10 mx.exchange.example", 0);
		told(&hearing, "laptop-1", "MX", "10 hotel.example", 0);
	}
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_poisoned_resolver_pages_at_its_second_answer),
		cmocka_unit_test(the_servers_are_asked_before_a_resolver_is_accused),
		cmocka_unit_test(stolen_mail_of_one_machine_warns_of_two_pages),
		cmocka_unit_test(turnover_within_a_network_and_round_robin_are_none),
		cmocka_unit_test(
			where_servers_answer_by_who_asks_a_new_network_is_a_warning),
		cmocka_unit_test(
			after_a_hijack_it_says_who_still_clings_to_it_and_until_when),
		cmocka_unit_test(an_announced_move_is_followed_without_a_word),
		cmocka_unit_test(without_word_of_the_servers_nothing_is_judged),
		cmocka_unit_test(a_traveller_counts_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
