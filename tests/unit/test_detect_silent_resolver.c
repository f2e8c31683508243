#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_silent_resolver.h"
#include "hearing.h"

static void ask(struct hearing *hearing, const char *probe, const char *type,
	const char *rcode, const char *server)
{
	struct obs_dns *dns = &hearing->obs->dns;

	hearing_pass(hearing, 10 * MOMENT_SECOND_US);
	obs_init(hearing->obs, OBS_DNS, hearing->now);
	(void)snprintf(dns->name, sizeof(dns->name), "exchange.example");
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "%s", rcode);
	assert_int_equal(address_parse(&dns->server, server), 0);
	dns->role = OBS_RESOLVER;
	hearing_show(hearing, probe);
}

static void round_of(struct hearing *hearing, const char *probe, const char *rcode)
{
	ask(hearing, probe, "A", rcode, "192.0.2.53");
	ask(hearing, probe, "AAAA", rcode, "192.0.2.53");
	ask(hearing, probe, "MX", rcode, "192.0.2.53");
}

static bool is_excused(struct hearing *hearing)
{
	const struct detector_case call = hearing_case(hearing);

	return detector_is_excused(&call, 1); /* 0 is "default" */
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_silent_resolver);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	round_of(hearing, "tyo-gw-1", "NOERROR");
	round_of(hearing, "laptop-1", "NOERROR");
}

static void a_dead_resolver_is_the_sites_trouble_and_excuses_its_services(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	round_of(&hearing, "tyo-gw-1", "TIMEOUT");
	assert_int_equal(hearing.count, 0);
	assert_false(is_excused(&hearing));
	round_of(&hearing, "laptop-1", "TIMEOUT");
	round_of(&hearing, "tyo-gw-1", "TIMEOUT");
	assert_true(hearing_pages(&hearing) > 0);
	assert_int_equal(hearing.findings[0].cause, CAUSE_SITE);
	assert_string_equal(hearing.findings[0].service, "");
	assert_string_equal(hearing.findings[0].site, "tokyo");
	assert_true(is_excused(&hearing));
	round_of(&hearing, "laptop-1", "NOERROR");
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void a_second_resolver_that_answers_is_enough(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 10; i++) {
		round_of(&hearing, "tyo-gw-1", "TIMEOUT");
		ask(&hearing, "tyo-gw-1", "A", "NOERROR", "192.0.2.54");
	}
	assert_int_equal(hearing.count, 0);
	assert_false(is_excused(&hearing));
	hearing_close(&hearing);
}

static void one_machine_alone_wakes_nobody_and_excuses_nothing(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 5; i++)
		round_of(&hearing, "laptop-1", "TIMEOUT");
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 0);
	assert_false(is_excused(&hearing));
	hearing_close(&hearing);
}

static void one_name_that_cannot_be_resolved_is_not_the_resolvers_fault(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 5; i++)
		round_of(&hearing, "tyo-gw-1", "SERVFAIL");
	assert_int_equal(hearing.count, 0);
	assert_false(is_excused(&hearing));
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_dead_resolver_is_the_sites_trouble_and_excuses_its_services),
		cmocka_unit_test(a_second_resolver_that_answers_is_enough),
		cmocka_unit_test(one_machine_alone_wakes_nobody_and_excuses_nothing),
		cmocka_unit_test(
			one_name_that_cannot_be_resolved_is_not_the_resolvers_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
