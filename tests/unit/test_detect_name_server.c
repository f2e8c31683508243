#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_name_server.h"
#include "hearing.h"

#define GENUINE "ns-1515.awsdns-61.org"
#define LOOKALIKE "ns-1515.awsdns-061.org"

static void ask(struct hearing *hearing, enum obs_dns_role role, const char *rcode,
	const char *first, const char *second)
{
	struct obs_dns *dns = &hearing->obs->dns;
	hearing_pass(hearing, MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_DNS, hearing->now);
	(void)snprintf(dns->name, sizeof(dns->name), "exchange.example");
	(void)snprintf(dns->type, sizeof(dns->type), "NS");
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "%s", rcode);
	dns->role = role;
	dns->answer_count = (unsigned)(first != NULL) + (unsigned)(second != NULL);
	if (first)
		(void)snprintf(dns->answers[0].data, OBS_NAME, "%s", first);
	if (second)
		(void)snprintf(dns->answers[1].data, OBS_NAME, "%s", second);
	hearing_show(hearing, "sentinel-1");
}

static void prepare(struct hearing *hearing, bool policy)
{
	hearing_open(hearing, &detect_name_server);
	hearing_introduce(hearing, "sentinel-1", OBS_SENTINEL, "tokyo", "JP", 64496);
	if (!policy)
		return;
	hearing->service.expect.name_servers_given = true;
	hearing->service.expect.name_server_count = 2;
	(void)snprintf(hearing->service.expect.name_servers[0], OBS_NAME, GENUINE);
	(void)snprintf(hearing->service.expect.name_servers[1], OBS_NAME, "ns-2.example");
}

static void an_unexpected_one_pages_with_its_first_answer(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	ask(&hearing, OBS_PARENT, "NOERROR", "ns-2.example", LOOKALIKE);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_non_null(strstr(hearing.findings[0].brief, LOOKALIKE));
	assert_non_null(strstr(hearing.findings[0].text, GENUINE));
	assert_true(hearing.findings[0].policy && hearing.findings[0].security);
	hearing_close(&hearing);
}

static void another_order_and_fewer_of_the_expected_are_no_change(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	ask(&hearing, OBS_PARENT, "NOERROR", "ns-2.example", GENUINE);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, NULL);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void silence_and_refusals_are_no_change(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	ask(&hearing, OBS_PARENT, "SERVFAIL", LOOKALIKE, NULL);
	ask(&hearing, OBS_PARENT, "TIMEOUT", NULL, NULL);
	ask(&hearing, OBS_PARENT, "NOERROR", NULL, NULL);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void a_resolver_accuses_nobody(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	ask(&hearing, OBS_RESOLVER, "NOERROR", LOOKALIKE, NULL);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void without_policy_a_new_one_pages_once_the_set_is_known(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, false);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, NULL);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, "ns-3.example");
	assert_int_equal(hearing.count, 0);
	hearing_pass(&hearing, MOMENT_DAY_US);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, "ns-3.example");
	assert_int_equal(hearing.count, 0);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, LOOKALIKE);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_string_equal(
		hearing.findings[0].brief, "lookalike name server " LOOKALIKE);
	assert_non_null(
		strstr(hearing.findings[0].text, "before: " GENUINE ", ns-3.example; "));
	hearing_close(&hearing);
}

static void a_foreign_one_is_called_new(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, false);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, NULL);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	ask(&hearing, OBS_PARENT, "NOERROR", "dns1.unrelated.example", NULL);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_string_equal(
		hearing.findings[0].brief, "new name server dns1.unrelated.example");
	hearing_close(&hearing);
}

static void an_announced_move_is_adopted(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, false);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, NULL);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	hearing.announced = true;
	ask(&hearing, OBS_PARENT, "NOERROR", "ns-9.example", NULL);
	hearing.announced = false;
	ask(&hearing, OBS_PARENT, "NOERROR", "ns-9.example", NULL);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void it_ends_once_two_answers_are_free_of_it(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	ask(&hearing, OBS_PARENT, "NOERROR", LOOKALIKE, NULL);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, NULL);
	assert_int_equal(hearing_ends(&hearing), 0);
	ask(&hearing, OBS_PARENT, "NOERROR", GENUINE, NULL);
	assert_int_equal(hearing_ends(&hearing), 1);
	assert_string_equal(hearing.findings[0].subject, hearing.findings[1].subject);
	hearing_close(&hearing);
}

static void a_zone_that_the_parent_no_longer_knows_pages_at_the_second_word(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	ask(&hearing, OBS_PARENT, "NXDOMAIN", NULL, NULL); /* it never knew it */
	ask(&hearing, OBS_PARENT, "NXDOMAIN", NULL, NULL);
	assert_int_equal(hearing.count, 0);
	ask(&hearing, OBS_PARENT, "NOERROR", "ns-2.example", GENUINE);
	ask(&hearing, OBS_PARENT, "NXDOMAIN", NULL, NULL);
	ask(&hearing, OBS_PARENT, "SERVFAIL", NULL, NULL);
	assert_int_equal(hearing_pages(&hearing), 0);
	ask(&hearing, OBS_PARENT, "NXDOMAIN", NULL, NULL);
	assert_int_equal(hearing_pages(&hearing), 1);
	ask(&hearing, OBS_PARENT, "NOERROR", "ns-2.example", GENUINE);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unexpected_one_pages_with_its_first_answer),
		cmocka_unit_test(another_order_and_fewer_of_the_expected_are_no_change),
		cmocka_unit_test(silence_and_refusals_are_no_change),
		cmocka_unit_test(a_resolver_accuses_nobody),
		cmocka_unit_test(without_policy_a_new_one_pages_once_the_set_is_known),
		cmocka_unit_test(a_foreign_one_is_called_new),
		cmocka_unit_test(an_announced_move_is_adopted),
		cmocka_unit_test(it_ends_once_two_answers_are_free_of_it),
		cmocka_unit_test(
			a_zone_that_the_parent_no_longer_knows_pages_at_the_second_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
