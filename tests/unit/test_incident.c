#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "astray/json.h"
#include "astray/status.h"
#include "incident.h"

static struct incident *swapped_delegation(void)
{
	struct incident *incident = calloc(1, sizeof(*incident));

	assert_non_null(incident);
	incident->rx.us = 1590851160000000;
	incident->since.us = incident->opened.us = 1590851100000000;
	memcpy(incident->id, "20200530T150500-exchange-1", 27);
	incident->severity = SEVERITY_PAGE;
	incident->causes = 1u << CAUSE_NAME_SERVER | 1u << CAUSE_LATENCY;
	incident->service_count = incident->site_count = incident->vantage_count = 1;
	memcpy(incident->services[0], "exchange", 9);
	memcpy(incident->sites[0], "tokyo", 6);
	memcpy(incident->vantages[0], "tyo-gw-1", 9);
	memcpy(incident->title, "exchange: \"new\" name server", 28);
	incident->evidence_count = 1;
	incident->evidence[0].rx = incident->since;
	memcpy(incident->evidence[0].service, "exchange", 9);
	memcpy(incident->evidence[0].text, "line\nbreak", 11);
	return incident;
}

static void a_line_holds_what_the_contract_names(void **state)
{
	struct incident *incident = swapped_delegation();
	char *buf = malloc(INCIDENT_LINE_MAX);
	struct json_doc *doc;
	const struct json *root;
	int64_t since;
	int len = incident_encode(buf, INCIDENT_LINE_MAX, incident);

	(void)state;
	assert_true(len > 0);
	assert_int_equal(strlen(buf), len);
	assert_ptr_equal(strchr(buf, '\n'), buf + len - 1);
	assert_int_equal(json_parse(&doc, buf, (size_t)len - 1, 0, NULL), 0);
	root = json_root(doc);
	assert_string_equal(json_as_text(json_member(root, "kind")), "incident");
	assert_string_equal(json_as_text(json_member(root, "state")), "opened");
	assert_string_equal(json_as_text(json_member(root, "severity")), "page");
	assert_string_equal(
		json_as_text(json_first(json_member(root, "sites"))), "tokyo");
	assert_int_equal(json_count(json_member(root, "causes")), 2);
	assert_true(json_as_int(json_member(root, "since_us"), &since));
	assert_int_equal(since, incident->since.us);
	assert_string_equal(json_as_text(json_member(
				    json_first(json_member(root, "evidence")), "text")),
		"line\nbreak");
	json_doc_free(doc);
	free(buf);
	free(incident);
}

static void every_shorter_buffer_is_refused(void **state)
{
	struct incident *incident = swapped_delegation();
	char *whole = malloc(INCIDENT_LINE_MAX), *buf;
	int len = incident_encode(whole, INCIDENT_LINE_MAX, incident);

	(void)state;
	for (size_t cap = 0; cap < (size_t)len; cap += 7) {
		buf = malloc(cap ? cap : 1);
		assert_int_equal(incident_encode(buf, cap, incident), STATUS_LIMIT);
		free(buf);
	}
	free(whole);
	free(incident);
}

static void a_line_of_the_fullest_incident_fits(void **state)
{
	struct incident *incident = swapped_delegation();
	char *buf = malloc(INCIDENT_LINE_MAX);

	(void)state;
	incident->causes = (1u << INCIDENT_CAUSES) - 1;
	incident->service_count = INCIDENT_SERVICES;
	incident->site_count = INCIDENT_SITES;
	incident->vantage_count = INCIDENT_VANTAGES;
	incident->evidence_count = INCIDENT_EVIDENCE;
	for (unsigned i = 0; i < INCIDENT_SERVICES; i++)
		memset(incident->services[i], 'a', OBS_NAME - 1);
	for (unsigned i = 0; i < INCIDENT_SITES; i++)
		memset(incident->sites[i], 'b', OBS_WORD - 1);
	for (unsigned i = 0; i < INCIDENT_VANTAGES; i++)
		memset(incident->vantages[i], 'c', OBS_WORD - 1);
	for (unsigned i = 0; i < INCIDENT_EVIDENCE; i++) {
		memset(incident->evidence[i].service, 'd', OBS_NAME - 1);
		memset(incident->evidence[i].text, 'e', OBS_TEXT - 1);
		incident->evidence[i].text[OBS_TEXT - 1] = '\0';
	}
	memset(incident->title, '"', INCIDENT_TITLE - 1);
	memset(incident->text, '\n', INCIDENT_TEXT - 1);
	assert_true(incident_encode(buf, INCIDENT_LINE_MAX, incident) > 0);
	free(buf);
	free(incident);
}

static void every_cause_state_and_severity_has_a_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INCIDENT_CAUSES; i++)
		assert_non_null(incident_cause_text((enum incident_cause)i));
	for (unsigned i = 0; i <= INCIDENT_RESOLVED; i++)
		assert_non_null(incident_state_text((enum incident_state)i));
	for (unsigned i = 0; i <= SEVERITY_PAGE; i++)
		assert_non_null(incident_severity_text((enum incident_severity)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_holds_what_the_contract_names),
		cmocka_unit_test(every_shorter_buffer_is_refused),
		cmocka_unit_test(a_line_of_the_fullest_incident_fits),
		cmocka_unit_test(every_cause_state_and_severity_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
