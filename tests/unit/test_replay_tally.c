#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay_tally.h"

static void note(struct replay_tally *tally, const char *id, const char *service,
	int64_t minute, enum incident_change change, enum incident_severity severity)
{
	struct incident *incident = calloc(1, sizeof(*incident));
	incident->rx.us = incident->opened.us = incident->since.us =
		minute * MOMENT_MINUTE_US;
	incident->severity = severity;
	incident->service_count = 1;
	(void)snprintf(incident->id, sizeof(incident->id), "%s", id);
	(void)snprintf(incident->services[0], OBS_NAME, "%s", service);
	(void)snprintf(
		incident->title, sizeof(incident->title), "%s is in trouble", service);
	replay_tally_note(tally, change, incident);
	free(incident);
}

static char *compare(const struct replay_tally *a, const struct replay_tally *b)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	assert_int_equal(replay_tally_compare(out, a, "a.json", b, "b.json"), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void pages_are_openings_and_escalations_that_wake_somebody(void **state)
{
	struct replay_tally tally = {0};

	(void)state;
	note(&tally, "1", "exchange", 0, INCIDENT_CHANGE_OPENED, SEVERITY_WARN);
	note(&tally, "1", "exchange", 5, INCIDENT_CHANGE_ESCALATED, SEVERITY_PAGE);
	note(&tally, "1", "exchange", 50, INCIDENT_CHANGE_RESOLVED, SEVERITY_PAGE);
	note(&tally, "2", "wallet", 60, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	assert_int_equal(tally.count, 2);
	assert_int_equal(tally.pages, 2);
	assert_int_equal(tally.rows[0].pages, 1);
	assert_int_equal(tally.rows[0].resolved.us, 50 * MOMENT_MINUTE_US);
	replay_tally_free(&tally);
}

static void a_comparison_sets_pages_side_by_side(void **state)
{
	struct replay_tally a = {0}, b = {0};
	char *text;

	(void)state;
	note(&a, "1", "exchange", 0, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	note(&a, "2", "mail", 300, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	note(&b, "w", "exchange", 25, INCIDENT_CHANGE_OPENED, SEVERITY_WARN);
	note(&b, "w", "exchange", 30, INCIDENT_CHANGE_ESCALATED, SEVERITY_PAGE);
	note(&b, "y", "wallet", 100, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	note(&b, "z", "mail", 301, INCIDENT_CHANGE_OPENED, SEVERITY_WARN);
	text = compare(&a, &b);
	assert_string_equal(text,
		"A is a.json, B is b.json; when each first pages:\n"
		"  A                     B                     incident\n"
		"  1970-01-01T00:00:00Z  1970-01-01T00:30:00Z  exchange is in trouble (B "
		"30 min later)\n"
		"  -                     1970-01-01T01:40:00Z  wallet is in trouble\n"
		"  1970-01-01T05:00:00Z  -                     mail is in trouble\n"
		"A: 2 pages, B: 2 pages; incidents: 1 of both, 1 only of A, 1 only of "
		"B\n");
	free(text);
	replay_tally_free(&a);
	replay_tally_free(&b);
}

static void each_page_stands_in_one_line(void **state)
{
	struct replay_tally a = {0}, b = {0};
	char *text;

	(void)state;
	note(&a, "1", "mail", 0, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	note(&b, "x", "mail", 60, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	note(&b, "y", "mail", 20, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	text = compare(&a, &b);
	assert_non_null(strstr(text, "(B 20 min later)"));
	assert_non_null(strstr(text, "1 of both, 0 only of A, 1 only of B"));
	free(text);
	replay_tally_free(&a);
	replay_tally_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_openings_and_escalations_that_wake_somebody),
		cmocka_unit_test(a_comparison_sets_pages_side_by_side),
		cmocka_unit_test(each_page_stands_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
