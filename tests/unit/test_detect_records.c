#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_records.h"
#include "hearing.h"

static void answer(struct hearing *hearing, const char *probe, enum obs_dns_role role,
	const char *type, const char *data, uint32_t asn)
{
	struct obs_dns *dns = &hearing->obs->dns;
	hearing_pass(hearing, MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_DNS, hearing->now);
	(void)snprintf(dns->name, sizeof(dns->name), "exchange.example");
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "NOERROR");
	dns->role = role;
	dns->answer_count = data != NULL;
	if (data)
		(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", data);
	dns->answers[0].place.asn = asn;
	hearing_show(hearing, probe);
}

static void answer_by(struct hearing *hearing, const char *server, const char *type,
	const char *data, uint32_t asn)
{
	struct obs_dns *dns = &hearing->obs->dns;

	hearing_pass(hearing, MOMENT_SECOND_US);
	obs_init(hearing->obs, OBS_DNS, hearing->now);
	(void)snprintf(dns->name, sizeof(dns->name), "exchange.example");
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "NOERROR");
	assert_int_equal(address_parse(&dns->server, server), 0);
	dns->role = OBS_AUTHORITY;
	dns->answer_count = 1;
	(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", data);
	dns->answers[0].place.asn = asn;
	hearing_show(hearing, "sentinel-1");
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_records);
	hearing_introduce(hearing, "sentinel-1", OBS_SENTINEL, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-2", OBS_ENDPOINT, "tokyo", "JP", 64496);
	for (unsigned i = 0; i < 5; i++) {
		answer(hearing, "sentinel-1", OBS_AUTHORITY, "A", "203.0.113.10", 64501);
		answer(hearing, "sentinel-1", OBS_AUTHORITY, "MX",
			"10 mx.exchange.example", 0);
	}
	hearing_pass(hearing, 2 * MOMENT_DAY_US);
}

static void mail_that_goes_elsewhere_pages_at_its_second_answer(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	answer(&hearing, "sentinel-1", OBS_AUTHORITY, "MX", "10 mail.evil.example", 0);
	assert_int_equal(hearing_pages(&hearing), 0);
	answer(&hearing, "sentinel-1", OBS_AUTHORITY, "MX", "10 mail.evil.example", 0);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_int_equal(hearing.findings[0].cause, CAUSE_RECORDS);
	assert_non_null(strstr(hearing.findings[0].brief, "mail.evil.example"));
	hearing_close(&hearing);
}

static void another_preference_of_the_same_exchanger_is_no_news(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 5; i++)
		answer(&hearing, "sentinel-1", OBS_AUTHORITY, "MX",
			"20 mx.exchange.example", 0);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void addresses_may_change_within_their_network(void **state)
{
	struct hearing hearing;
	char text[32];

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%u", i);
		answer(&hearing, "sentinel-1", OBS_AUTHORITY, "A", text, 64501);
	}
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void a_network_that_is_not_expected_is_against_policy_from_the_first_minute(
	void **state)
{
	struct hearing hearing;

	(void)state;
	hearing_open(&hearing, &detect_records);
	hearing_introduce(&hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing_introduce(&hearing, "laptop-2", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing.service.expect.asns_given = true;
	hearing.service.expect.asn_count = 1;
	hearing.service.expect.asns[0] = 64501;
	for (unsigned i = 0; i < 5; i++)
		answer(&hearing, "laptop-1", OBS_RESOLVER, "A", "198.51.100.9", 64999);
	assert_int_equal(hearing.count, 0); /* one endpoint alone */
	answer(&hearing, "laptop-2", OBS_RESOLVER, "A", "198.51.100.9", 64999);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_int_equal(hearing.findings[0].cause, CAUSE_POLICY);
	hearing_close(&hearing);
}

static void it_ends_for_the_last_one_who_was_told_better(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing); /* and its servers are no longer asked */
	answer(&hearing, "laptop-1", OBS_RESOLVER, "A", "198.51.100.9", 64999);
	answer(&hearing, "laptop-2", OBS_RESOLVER, "A", "198.51.100.9", 64999);
	assert_int_equal(hearing_pages(&hearing), 1);
	answer(&hearing, "laptop-1", OBS_RESOLVER, "A", "203.0.113.10", 64501);
	assert_int_equal(hearing_ends(&hearing), 0);
	answer(&hearing, "laptop-2", OBS_RESOLVER, "A", "203.0.113.10", 64501);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void a_zone_that_is_no_longer_signed_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", NULL, 0);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", NULL, 0);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", NULL, 0);
	assert_int_equal(hearing.count, 0); /* it never was */
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "1 13 2 AB", 0);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", NULL, 0);
	assert_int_equal(hearing_pages(&hearing), 0);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", NULL, 0);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

/* One name server of several is a hijacker's: in each round one answer is wrong. */
static void what_one_server_of_several_says_pages_and_stays(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 6; i++) {
		hearing_pass(&hearing, MOMENT_MINUTE_US);
		answer_by(&hearing, "203.0.113.153", "A", "198.51.100.9", 64999);
		answer_by(&hearing, "203.0.113.53", "A", "203.0.113.10", 64501);
		answer_by(&hearing, "203.0.113.54", "A", "203.0.113.10", 64501);
	}
	assert_int_equal(hearing_pages(&hearing), 5);
	assert_int_equal(hearing_ends(&hearing), 0);
	/* It is no longer asked: the others' words are enough, after a while. */
	for (unsigned i = 0; i < 3; i++) {
		hearing_pass(&hearing, MOMENT_MINUTE_US);
		answer_by(&hearing, "203.0.113.53", "A", "203.0.113.10", 64501);
		answer_by(&hearing, "203.0.113.54", "A", "203.0.113.10", 64501);
	}
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void two_servers_that_say_so_in_one_round_page_at_once(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	answer_by(&hearing, "203.0.113.53", "MX", "10 mail.evil.example", 0);
	assert_int_equal(hearing_pages(&hearing), 0);
	answer_by(&hearing, "203.0.113.54", "MX", "10 mail.evil.example", 0);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

static void keys_that_are_rolled_over_are_none_and_all_new_ones_page(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "1 13 2 AB", 0);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	hearing.announced = true; /* the second key comes with notice */
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "2 13 2 CD", 0);
	hearing.announced = false;
	for (unsigned i = 0; i < 5; i++)
		answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "2 13 2 CD", 0);
	assert_int_equal(hearing.count, 0);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "9 13 2 EE", 0);
	assert_int_equal(hearing_pages(&hearing), 0);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "9 13 2 EE", 0);
	assert_int_equal(hearing_pages(&hearing), 1);
	answer(&hearing, "sentinel-1", OBS_PARENT, "DS", "2 13 2 CD", 0);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void where_servers_are_asked_resolvers_are_left_to_be_measured_by_them(
	void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 3; i++) {
		answer(&hearing, "sentinel-1", OBS_AUTHORITY, "A", "203.0.113.10", 64501);
		answer(&hearing, "laptop-1", OBS_RESOLVER, "A", "198.51.100.9", 64999);
		answer(&hearing, "laptop-2", OBS_RESOLVER, "A", "198.51.100.9", 64999);
	}
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_that_goes_elsewhere_pages_at_its_second_answer),
		cmocka_unit_test(another_preference_of_the_same_exchanger_is_no_news),
		cmocka_unit_test(addresses_may_change_within_their_network),
		cmocka_unit_test(
			a_network_that_is_not_expected_is_against_policy_from_the_first_minute),
		cmocka_unit_test(it_ends_for_the_last_one_who_was_told_better),
		cmocka_unit_test(a_zone_that_is_no_longer_signed_pages),
		cmocka_unit_test(what_one_server_of_several_says_pages_and_stays),
		cmocka_unit_test(two_servers_that_say_so_in_one_round_page_at_once),
		cmocka_unit_test(
			keys_that_are_rolled_over_are_none_and_all_new_ones_page),
		cmocka_unit_test(
			where_servers_are_asked_resolvers_are_left_to_be_measured_by_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
