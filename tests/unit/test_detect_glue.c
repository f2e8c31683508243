#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_glue.h"
#include "hearing.h"

static void told(
	struct hearing *hearing, const char *by, const char *address, uint32_t asn)
{
	struct obs_dns *dns = &hearing->obs->dns;

	hearing_pass(hearing, MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_DNS, hearing->now);
	(void)snprintf(dns->name, sizeof(dns->name), "ns1.exchange.example");
	(void)snprintf(dns->type, sizeof(dns->type), "A");
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "NOERROR");
	assert_int_equal(address_parse(&dns->server, by), 0);
	dns->role = OBS_PARENT;
	dns->answer_count = 1;
	(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", address);
	dns->answers[0].place.asn = asn;
	hearing_show(hearing, "sentinel-1");
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_glue);
	hearing_introduce(hearing, "sentinel-1", OBS_SENTINEL, "tokyo", "JP", 64496);
	for (unsigned i = 0; i < 3; i++)
		told(hearing, i % 2 ? "198.51.100.54" : "198.51.100.55", "203.0.113.54",
			64501);
	hearing_pass(hearing, 2 * MOMENT_DAY_US);
}

static void an_address_in_a_new_network_pages_at_once_and_ends_when_all_say_better(
	void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	told(&hearing, "198.51.100.54", "198.51.100.9", 64999);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_int_equal(hearing.findings[0].cause, CAUSE_NAME_SERVER);
	assert_non_null(strstr(hearing.findings[0].text, "ns1.exchange.example"));
	assert_non_null(strstr(hearing.findings[0].text, "198.51.100.9 (AS64999"));
	told(&hearing, "198.51.100.55", "198.51.100.9", 64999);
	told(&hearing, "198.51.100.54", "203.0.113.54", 64501);
	assert_int_equal(hearing_ends(&hearing), 0);
	told(&hearing, "198.51.100.55", "203.0.113.54", 64501);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void another_address_in_the_same_network_is_a_warning(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	told(&hearing, "198.51.100.54", "203.0.113.55", 64501);
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 1);
	hearing_close(&hearing);
}

static void an_announced_move_is_learnt(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	hearing.announced = true;
	told(&hearing, "198.51.100.54", "198.51.100.9", 64999);
	hearing.announced = false;
	told(&hearing, "198.51.100.54", "198.51.100.9", 64999);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_address_in_a_new_network_pages_at_once_and_ends_when_all_say_better),
		cmocka_unit_test(another_address_in_the_same_network_is_a_warning),
		cmocka_unit_test(an_announced_move_is_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
