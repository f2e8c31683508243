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
	replay_tally_compare(out, a, "A", b, "B");
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

static void a_comparison_shows_what_only_one_pages_for(void **state)
{
	struct replay_tally a = {0}, b = {0};
	char *text;

	(void)state;
	note(&a, "1", "exchange", 0, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	note(&b, "x", "exchange", 30, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	text = compare(&a, &b);
	assert_non_null(strstr(text, "they page for the same"));
	free(text);
	note(&b, "y", "wallet", 30, INCIDENT_CHANGE_OPENED, SEVERITY_PAGE);
	text = compare(&a, &b);
	assert_non_null(strstr(text, "only B pages for:"));
	assert_non_null(strstr(text, "wallet is in trouble"));
	assert_null(strstr(text, "exchange is in trouble"));
	free(text);
	replay_tally_free(&a);
	replay_tally_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_openings_and_escalations_that_wake_somebody),
		cmocka_unit_test(a_comparison_shows_what_only_one_pages_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
