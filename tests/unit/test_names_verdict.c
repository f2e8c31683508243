#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "names_verdict.h"
#include "names_report_maker.h"

static const char expected[1][OBS_NAME] = {GENUINE};

/* All well: two servers above, two of the zone, a resolver, the registry. */
static void fill(struct names_report *report, const char *servers)
{
	static const char *const above[] = {"198.51.100.54", "198.51.100.55"},
				 *const zone[] = {"203.0.113.53", "203.0.113.54"};

	*report = (struct names_report){.zone = ZONE, .registry_told = true};
	(void)snprintf(report->registry.domain, OBS_NAME, ZONE);
	report->registry.server_count = 1;
	(void)snprintf(report->registry.name_servers[0], OBS_NAME, GENUINE);
	report->registry.signed_known = report->registry.delegation_signed = true;
	for (unsigned i = 0; i < 2; i++) {
		add(report, OBS_PARENT, above[i], "NS", "NOERROR", servers);
		add(report, OBS_PARENT, above[i], "DS", "NOERROR", "1 13 2 AB");
		add(report, OBS_AUTHORITY, zone[i], "NS", "NOERROR", servers);
		add(report, OBS_AUTHORITY, zone[i], "A", "NOERROR", "203.0.113.10");
		add(report, OBS_AUTHORITY, zone[i], "MX", "NOERROR", "10 mx." ZONE);
	}
	add(report, OBS_RESOLVER, "192.0.2.53", "A", "NOERROR", "203.0.113.10");
	add(report, OBS_RESOLVER, "192.0.2.53", "MX", "NOERROR", "10 mx." ZONE);
}

static bool says(
	const struct names_verdict *verdict, enum names_grade grade, const char *part)
{
	for (unsigned i = 0; i < verdict->count; i++)
		if (verdict->lines[i].grade == grade &&
			strstr(verdict->lines[i].text, part))
			return true;
	return false;
}

static struct names_verdict *reach(struct names_report *report, bool policy)
{
	struct names_verdict *verdict = calloc(1, sizeof(*verdict));

	assert_non_null(verdict);
	names_verdict_reach(verdict, report, expected, policy ? 1 : 0);
	names_report_free(report);
	return verdict;
}

static void a_zone_that_is_well_is_not_accused(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE);
	verdict = reach(&report, true);
	assert_int_equal(verdict->count, 0);
	assert_false(names_verdict_is_wrong(verdict));
	free(verdict);
}

static void an_unexpected_server_is_wrong_and_explained(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, LOOKALIKE);
	verdict = reach(&report, true);
	assert_true(says(verdict, NAMES_WRONG, LOOKALIKE " imitates " GENUINE));
	assert_true(says(verdict, NAMES_NOTE, "expected and not delegated to"));
	assert_true(says(verdict, NAMES_NOTE, "does not list name server " LOOKALIKE));
	assert_true(says(verdict, NAMES_NOTE, "lists name server " GENUINE));
	free(verdict);
}

static void without_a_policy_one_that_imitates_another_is_noted(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE ";" LOOKALIKE);
	verdict = reach(&report, false);
	assert_true(says(verdict, NAMES_NOTE, "one of the two is odd"));
	assert_false(names_verdict_is_wrong(verdict));
	free(verdict);
}

static void servers_that_differ_are_named_with_what_they_differ_in(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE);
	add(&report, OBS_AUTHORITY, "203.0.113.153", "A", "NOERROR", "198.51.100.9");
	add(&report, OBS_PARENT, "198.51.100.56", "NS", "NOERROR", LOOKALIKE);
	verdict = reach(&report, false);
	assert_true(
		says(verdict, NAMES_WRONG, "203.0.113.53 and 203.0.113.153 differ in A"));
	assert_true(
		says(verdict, NAMES_WRONG, "198.51.100.54 and 198.51.100.56 delegate"));
	free(verdict);
}

static void a_serial_alone_is_a_note(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE);
	add(&report, OBS_AUTHORITY, "203.0.113.53", "SOA", "NOERROR",
		"ns. host. 1 2 3 4 5");
	add(&report, OBS_AUTHORITY, "203.0.113.54", "SOA", "NOERROR",
		"ns. host. 2 2 3 4 5");
	verdict = reach(&report, true);
	assert_true(says(verdict, NAMES_NOTE, "only in numbers"));
	assert_false(names_verdict_is_wrong(verdict));
	free(verdict);
}

static void silence_is_not_checked_and_lameness_is_wrong(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE);
	add(&report, OBS_AUTHORITY, "203.0.113.60", "A", "TIMEOUT", "");
	add(&report, OBS_AUTHORITY, "203.0.113.61", "A", "REFUSED", "");
	add(&report, OBS_RESOLVER, "192.0.2.54", "A", "TIMEOUT", "");
	verdict = reach(&report, true);
	assert_true(says(verdict, NAMES_UNKNOWN, "203.0.113.60 does not answer"));
	assert_true(says(verdict, NAMES_WRONG, "203.0.113.61 answers REFUSED"));
	assert_true(says(verdict, NAMES_WRONG, "resolver 192.0.2.54 does not answer"));
	free(verdict);
}

static void a_resolver_may_get_other_addresses_but_no_other_mail(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE);
	add(&report, OBS_RESOLVER, "192.0.2.54", "A", "NOERROR", "203.0.113.77");
	add(&report, OBS_RESOLVER, "192.0.2.54", "MX", "NOERROR", "10 mail.evil.example");
	verdict = reach(&report, true);
	assert_true(says(verdict, NAMES_NOTE, "192.0.2.54 says of " ZONE " A"));
	assert_true(says(verdict, NAMES_WRONG, "192.0.2.54 says of " ZONE " MX"));
	free(verdict);
}

static void a_registry_that_says_signed_and_a_parent_without_ds_are_wrong(void **state)
{
	struct names_report report;
	struct names_verdict *verdict;

	(void)state;
	fill(&report, GENUINE);
	add(&report, OBS_PARENT, "198.51.100.56", "DS", "NOERROR", "");
	verdict = reach(&report, true);
	assert_true(says(verdict, NAMES_WRONG, "is signed, the zone above has no DS"));
	free(verdict);
}

static void a_zone_that_nobody_delegates_is_wrong_and_no_answer_is_not_checked(
	void **state)
{
	struct names_report report = {.zone = ZONE};
	struct names_verdict *verdict;

	(void)state;
	add(&report, OBS_PARENT, "198.51.100.54", "NS", "NXDOMAIN", "");
	verdict = reach(&report, false);
	assert_true(says(verdict, NAMES_WRONG, "not delegated (NXDOMAIN)"));
	free(verdict);
	add(&report, OBS_PARENT, "198.51.100.54", "NS", "TIMEOUT", "");
	verdict = reach(&report, false);
	assert_true(says(verdict, NAMES_UNKNOWN, "no server of the zone above tells"));
	free(verdict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_that_is_well_is_not_accused),
		cmocka_unit_test(an_unexpected_server_is_wrong_and_explained),
		cmocka_unit_test(without_a_policy_one_that_imitates_another_is_noted),
		cmocka_unit_test(servers_that_differ_are_named_with_what_they_differ_in),
		cmocka_unit_test(a_serial_alone_is_a_note),
		cmocka_unit_test(silence_is_not_checked_and_lameness_is_wrong),
		cmocka_unit_test(a_resolver_may_get_other_addresses_but_no_other_mail),
		cmocka_unit_test(
			a_registry_that_says_signed_and_a_parent_without_ds_are_wrong),
		cmocka_unit_test(
			a_zone_that_nobody_delegates_is_wrong_and_no_answer_is_not_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
