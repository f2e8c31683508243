#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_certificate.h"
#include "hearing.h"

/* `root`: the digit that its root's key is written with; 0: no chain is told. */
static void meet_below(struct hearing *hearing, const char *probe, const char *issuer,
	char root, char key, int64_t age_days, bool verified)
{
	struct obs_check *check = &hearing->obs->check;
	hearing_pass(hearing, MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_CHECK, hearing->now);
	check->peer = hearing->peer;
	check->tls.present = true;
	(void)snprintf(check->tls.issuer, sizeof(check->tls.issuer), "%s", issuer);
	memset(check->tls.spki_sha256, key, 64);
	check->tls.not_before = moment_plus_us(hearing->now, -age_days * MOMENT_DAY_US);
	check->tls.not_after = moment_plus_us(check->tls.not_before, 90 * MOMENT_DAY_US);
	check->tls.verified = verified;
	if (root) {
		check->tls.chain_count = 2;
		(void)snprintf(check->tls.chain[0].subject, OBS_NAME, "%s", issuer);
		memset(check->tls.chain[0].spki_sha256, key, 64);
		(void)snprintf(check->tls.chain[1].subject, OBS_NAME, "CN=Root %c", root);
		memset(check->tls.chain[1].spki_sha256, root, 64);
	}
	hearing_show(hearing, probe);
}

static void meet(struct hearing *hearing, const char *probe, const char *issuer, char key,
	int64_t age_days, bool verified)
{
	meet_below(hearing, probe, issuer, 0, key, age_days, verified);
}

static void prepare(struct hearing *hearing, int64_t age_days)
{
	hearing_open(hearing, &detect_certificate);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	for (unsigned i = 0; i < 5 * HEARING_SERVICES; i++) {
		hearing->service_number = i % HEARING_SERVICES;
		meet(hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', age_days - 2, true);
	}
	hearing->service_number = 0;
	hearing_pass(hearing, 2 * MOMENT_DAY_US);
	meet(hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', age_days, true);
}

static void a_renewal_by_the_same_issuer_is_no_news(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 62);
	for (unsigned i = 0; i < 5; i++)
		meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'b', 0, true);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void a_new_key_long_before_renewal_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 20);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'b', 0, true);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'b', 0, true);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

/* The service's certificate was met below root 1; then comes another issuer. */
static void change_issuer(
	struct hearing *hearing, int64_t age_days, char root, bool verified)
{
	prepare(hearing, age_days);
	meet_below(hearing, "tyo-gw-1", "CN=R3,O=Good CA", '1', 'a', age_days, true);
	for (unsigned i = 0; i < 2; i++)
		meet_below(
			hearing, "tyo-gw-1", "CN=R4,O=Good CA", root, 'b', 0, verified);
}

static void a_renewal_by_another_issuer_below_the_same_root_is_no_news(void **state)
{
	struct hearing hearing;

	(void)state;
	change_issuer(&hearing, 62, '1', true);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void below_another_root_or_early_or_unverified_it_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	change_issuer(&hearing, 62, '2', true);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_non_null(strstr(hearing.findings[0].text, "below \"CN=Root 2\""));
	hearing_close(&hearing);
	change_issuer(&hearing, 62, '1', false);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
	change_issuer(&hearing, 20, '1', true);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_non_null(strstr(hearing.findings[0].brief, "long before renewal"));
	hearing_close(&hearing);
}

static void the_same_certificate_below_another_root_is_no_news(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 20);
	meet_below(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", '1', 'a', 20, true);
	for (unsigned i = 0; i < 2; i++)
		meet_below(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", '2', 'a', 20, true);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void another_issuer_pages_and_the_old_one_ends_it(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 62);
	meet(&hearing, "tyo-gw-1", "CN=Free CA", 'b', 0, true);
	meet(&hearing, "tyo-gw-1", "CN=Free CA", 'b', 0, true);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_non_null(strstr(hearing.findings[0].text, "Free CA"));
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 62, true);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void an_expected_issuer_may_be_new(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 62);
	hearing.service.expect.issuers_given = true;
	hearing.service.expect.issuer_count = 2;
	(void)snprintf(hearing.service.expect.issuers[0], OBS_NAME, "Good CA");
	(void)snprintf(hearing.service.expect.issuers[1], OBS_NAME, "Other CA");
	meet(&hearing, "tyo-gw-1", "CN=X1,O=Other CA", 'b', 0, true);
	meet(&hearing, "tyo-gw-1", "CN=X1,O=Other CA", 'b', 0, true);
	assert_int_equal(hearing.count, 0);
	meet(&hearing, "tyo-gw-1", "CN=Free CA", 'c', 0, true);
	meet(&hearing, "tyo-gw-1", "CN=Free CA", 'c', 0, true);
	assert_true(hearing.findings[0].policy);
	hearing_close(&hearing);
}

static void a_proxy_before_one_laptop_pages_nobody(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 20);
	for (unsigned i = 0; i < 10; i++)
		meet(&hearing, "laptop-1", "CN=Office Proxy", 'p', 0, false);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 0);
	hearing_close(&hearing);
}

static void a_chain_that_does_not_verify_pages_from_the_first_minute(void **state)
{
	struct hearing hearing;

	(void)state;
	hearing_open(&hearing, &detect_certificate);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	meet(&hearing, "tyo-gw-1", "CN=self", 's', 0, false);
	meet(&hearing, "tyo-gw-1", "CN=self", 's', 0, false);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

static void an_offices_proxy_replaces_all_certificates_and_wakes_nobody(void **state)
{
	struct hearing hearing;
	const struct finding *last;

	(void)state;
	prepare(&hearing, 20);
	hearing_introduce(&hearing, "laptop-2", OBS_ENDPOINT, "tokyo", "JP", 64496);
	for (unsigned round = 0; round < 4; round++)
		for (hearing.service_number = 0; hearing.service_number < 4;
			hearing.service_number++) {
			meet(&hearing, "laptop-1", "CN=Office Proxy", 'p', 0, true);
			if (round > 1)
				meet(&hearing, "laptop-2", "CN=Office Proxy", 'p', 0,
					true);
		}
	assert_int_equal(hearing_pages(&hearing), 0);
	last = &hearing.findings[hearing.count - 1];
	assert_non_null(strstr(last->brief, "replaced at tokyo"));
	assert_false(last->security);
	/* Its twin: what the gateway meets as well is no machine's own. */
	hearing.service_number = 0;
	meet(&hearing, "tyo-gw-1", "CN=Office Proxy", 'p', 0, true);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

static void the_same_key_under_another_issuer_is_the_owners(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 20);
	for (unsigned i = 0; i < 5; i++)
		meet(&hearing, "tyo-gw-1", "CN=Free CA", 'a', 0, true);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void an_edge_with_an_older_certificate_is_a_warning_for_a_day(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 20);
	for (unsigned i = 0; i < 3; i++)
		meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'e', 40, true);
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN) > 0);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'e', 42, true);
	hearing_forget(&hearing);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'e', 42, true);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_INFO), 0);
	hearing_close(&hearing);
}

static void a_certificate_that_ends_soon_warns_then_pages_then_has_ended(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 62);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 79, true);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 79, true);
	assert_int_equal(hearing.count, 0);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 82, true);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 82, true);
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 1);
	hearing_pass(&hearing, MOMENT_HOUR_US);
	obs_init(hearing.obs, OBS_CHECK, hearing.now);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 90, false);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 91, false);
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 91, false);
	assert_int_equal(hearing_pages(&hearing), 2);
	assert_false(hearing.findings[hearing.count - 1].security);
	assert_non_null(strstr(hearing.findings[hearing.count - 1].brief, "has ended"));
	meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'b', 0, true);
	assert_true(hearing_ends(&hearing) >= 1);
	hearing_close(&hearing);
}

static void one_bad_server_among_good_ones_is_not_forgotten_for_them(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, 20);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(address_parse(&hearing.peer, "203.0.113.10"), 0);
		meet(&hearing, "tyo-gw-1", "CN=R3,O=Good CA", 'a', 20, true);
		assert_int_equal(address_parse(&hearing.peer, "203.0.113.130"), 0);
		meet(&hearing, "tyo-gw-1", "CN=Free CA", 'c', 0, true);
	}
	assert_int_equal(hearing_pages(&hearing), 3);
	assert_int_equal(hearing_ends(&hearing), 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_renewal_by_the_same_issuer_is_no_news),
		cmocka_unit_test(a_new_key_long_before_renewal_pages),
		cmocka_unit_test(
			a_renewal_by_another_issuer_below_the_same_root_is_no_news),
		cmocka_unit_test(below_another_root_or_early_or_unverified_it_pages),
		cmocka_unit_test(the_same_certificate_below_another_root_is_no_news),
		cmocka_unit_test(another_issuer_pages_and_the_old_one_ends_it),
		cmocka_unit_test(an_expected_issuer_may_be_new),
		cmocka_unit_test(a_proxy_before_one_laptop_pages_nobody),
		cmocka_unit_test(
			a_chain_that_does_not_verify_pages_from_the_first_minute),
		cmocka_unit_test(
			an_offices_proxy_replaces_all_certificates_and_wakes_nobody),
		cmocka_unit_test(the_same_key_under_another_issuer_is_the_owners),
		cmocka_unit_test(
			an_edge_with_an_older_certificate_is_a_warning_for_a_day),
		cmocka_unit_test(
			a_certificate_that_ends_soon_warns_then_pages_then_has_ended),
		cmocka_unit_test(
			one_bad_server_among_good_ones_is_not_forgotten_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
