#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "coverage.h"

#define MINUTE MOMENT_MINUTE_US

static const struct moment noon = {INT64_C(1590926400000000)};

static void see_dns(struct coverage *coverage, enum obs_dns_role role, const char *type,
	const char *rcode, struct moment rx)
{
	struct obs *obs = calloc(1, sizeof(*obs));

	obs_init(obs, OBS_DNS, rx);
	obs->dns.role = role;
	(void)snprintf(obs->dns.type, sizeof(obs->dns.type), "%s", type);
	(void)snprintf(obs->dns.rcode, sizeof(obs->dns.rcode), "%s", rcode);
	coverage_see(coverage, obs, rx);
	free(obs);
}

static void see_check(struct coverage *coverage, bool with_tls, struct moment rx)
{
	struct obs *obs = calloc(1, sizeof(*obs));

	obs_init(obs, OBS_CHECK, rx);
	obs->check.tls.present = with_tls;
	coverage_see(coverage, obs, rx);
	free(obs);
}

static void what_was_never_looked_at_is_not_fresh(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	for (unsigned i = 0; i < COVERAGE_SENSES; i++)
		assert_false(coverage_is_fresh(&coverage, (enum coverage_sense)i, noon));
	assert_false(coverage_is_any_fresh(&coverage, noon));
}

static void delegation_is_what_parents_and_authorities_say_of_name_servers(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	see_dns(&coverage, OBS_RESOLVER, "NS", "NOERROR", noon);
	assert_false(coverage_is_fresh(&coverage, COVERAGE_DELEGATION, noon));
	assert_true(coverage_is_fresh(&coverage, COVERAGE_RECORDS, noon));
	see_dns(&coverage, OBS_PARENT, "NS", "NOERROR", noon);
	assert_true(coverage_is_fresh(&coverage, COVERAGE_DELEGATION, noon));
}

static void an_answer_that_says_nothing_is_no_look(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	see_dns(&coverage, OBS_PARENT, "NS", "SERVFAIL", noon);
	see_dns(&coverage, OBS_RESOLVER, "A", "TIMEOUT", noon);
	assert_false(coverage_is_any_fresh(&coverage, noon));
}

static void a_check_without_tls_shows_no_certificate(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	see_check(&coverage, false, noon);
	assert_true(coverage_is_fresh(&coverage, COVERAGE_CHECK, noon));
	assert_false(coverage_is_fresh(&coverage, COVERAGE_CERTIFICATE, noon));
	see_check(&coverage, true, noon);
	assert_true(coverage_is_fresh(&coverage, COVERAGE_CERTIFICATE, noon));
}

static void a_look_grows_stale(void **state)
{
	struct coverage coverage = {0};

	(void)state;
	see_check(&coverage, false, noon);
	assert_true(coverage_is_fresh(
		&coverage, COVERAGE_CHECK, moment_plus_us(noon, 10 * MINUTE)));
	assert_false(coverage_is_fresh(
		&coverage, COVERAGE_CHECK, moment_plus_us(noon, 11 * MINUTE)));
}

static void two_together_span_both(void **state)
{
	struct coverage here = {0}, there = {0}, none = {0};
	struct moment later = moment_plus_us(noon, MINUTE);

	(void)state;
	see_check(&here, false, later);
	see_check(&there, false, noon);
	coverage_add(&here, &there);
	coverage_add(&here, &none);
	assert_int_equal(here.senses[COVERAGE_CHECK].first.us, noon.us);
	assert_int_equal(here.senses[COVERAGE_CHECK].last.us, later.us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_looked_at_is_not_fresh),
		cmocka_unit_test(
			delegation_is_what_parents_and_authorities_say_of_name_servers),
		cmocka_unit_test(an_answer_that_says_nothing_is_no_look),
		cmocka_unit_test(a_check_without_tls_shows_no_certificate),
		cmocka_unit_test(a_look_grows_stale),
		cmocka_unit_test(two_together_span_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
