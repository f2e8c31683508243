#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "casebook.h"

#define MINUTE MOMENT_MINUTE_US

/* What was said, in order, with the last form of the incident. */
struct ear {
	struct casebook *casebook;
	struct moment now;
	unsigned opened, escalated, acknowledged, resolved, updated, pages;
	struct incident last, gone; /* gone: that resolved last */
};

static void hear(void *arg, enum incident_change change, const struct incident *incident)
{
	struct ear *ear = arg;
	ear->opened += change == INCIDENT_CHANGE_OPENED;
	ear->escalated += change == INCIDENT_CHANGE_ESCALATED;
	ear->acknowledged += change == INCIDENT_CHANGE_ACKNOWLEDGED;
	ear->resolved += change == INCIDENT_CHANGE_RESOLVED;
	ear->updated += change == INCIDENT_CHANGE_UPDATED;
	ear->pages +=
		incident->severity == SEVERITY_PAGE &&
		(change == INCIDENT_CHANGE_OPENED || change == INCIDENT_CHANGE_ESCALATED);
	ear->last = *incident;
	if (change == INCIDENT_CHANGE_RESOLVED)
		ear->gone = *incident;
}

static struct ear *begin(void)
{
	const struct casebook_settings settings = {
		.gather_us = MINUTE, .calm_us = 30 * MINUTE};
	struct ear *ear = calloc(1, sizeof(*ear));
	assert_non_null(ear);
	ear->now.us = INT64_C(1590851100000000);
	const struct casebook_hooks hooks = {.changed = hear, .arg = ear};
	assert_int_equal(casebook_new(&ear->casebook, &settings, &hooks), 0);
	return ear;
}

static void finish(struct ear *ear)
{
	casebook_free(ear->casebook);
	free(ear);
}

static void pass(struct ear *ear, int64_t us)
{
	for (int64_t end = ear->now.us + us; ear->now.us < end;) {
		ear->now.us += MINUTE / 2;
		casebook_advance(ear->casebook, ear->now);
	}
}

static struct finding finding_of(const struct ear *ear, enum incident_cause cause,
	enum incident_severity severity, const char *service, const char *site)
{
	struct finding finding = {.cause = cause,
		.severity = severity,
		.rx = ear->now,
		.since = ear->now,
		.effect = .5};
	(void)snprintf(finding.service, sizeof(finding.service), "%s", service);
	(void)snprintf(finding.site, sizeof(finding.site), "%s", site);
	(void)snprintf(finding.brief, sizeof(finding.brief), "brief of %s",
		incident_cause_text(cause));
	(void)snprintf(finding.text, sizeof(finding.text), "text of %s",
		incident_cause_text(cause));
	return finding;
}

static void take(struct ear *ear, enum incident_cause cause,
	enum incident_severity severity, const char *service, const char *site)
{
	struct finding finding = finding_of(ear, cause, severity, service, site);
	casebook_take(ear->casebook, &finding);
}

static void end(
	struct ear *ear, enum incident_cause cause, const char *service, const char *site)
{
	struct finding finding = finding_of(ear, cause, SEVERITY_PAGE, service, site);
	finding.state = FINDING_ENDED;
	casebook_take(ear->casebook, &finding);
}

static void a_page_waits_for_its_evidence_and_is_raised_once(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	assert_int_equal(ear->opened, 0);
	pass(ear, MINUTE / 2);
	take(ear, CAUSE_TRAFFIC, SEVERITY_WARN, "exchange", "");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->opened, 1);
	assert_int_equal(ear->pages, 1);
	assert_int_equal(ear->last.evidence_count, 2);
	assert_int_equal(ear->last.causes, 1u << CAUSE_LATENCY | 1u << CAUSE_TRAFFIC);
	assert_non_null(
		strstr(ear->last.title, "exchange: brief of latency; brief of traffic"));
	for (unsigned i = 0; i < 20; i++) {
		take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
		pass(ear, MINUTE);
	}
	assert_int_equal(ear->pages, 1);
	finish(ear);
}

static void what_is_merely_worth_knowing_opens_nothing(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_DETOUR, SEVERITY_INFO, "exchange", "tokyo");
	pass(ear, 60 * MINUTE);
	assert_int_equal(ear->opened, 0);
	finish(ear);
}

static void two_warnings_of_different_kinds_page_together(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_TRAFFIC, SEVERITY_WARN, "exchange", "");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->opened, 1);
	assert_int_equal(ear->pages, 0);
	take(ear, CAUSE_LATENCY, SEVERITY_WARN, "exchange", "");
	pass(ear, MINUTE);
	assert_int_equal(ear->escalated, 1);
	assert_int_equal(ear->pages, 1);
	finish(ear);
}

static void other_services_have_incidents_of_their_own(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "wallet", "");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->opened, 2);
	finish(ear);
}

static void a_sites_own_trouble_takes_its_services_and_names_none(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_SITE, SEVERITY_PAGE, "", "tokyo");
	take(ear, CAUSE_FAILURES, SEVERITY_WARN, "exchange", "tokyo");
	take(ear, CAUSE_FAILURES, SEVERITY_WARN, "wallet", "tokyo");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->opened, 1);
	assert_int_equal(ear->last.service_count, 0);
	assert_int_equal(ear->last.site_count, 1);
	assert_string_equal(ear->last.sites[0], "tokyo");
	finish(ear);
}

static void a_silent_site_takes_nothing_of_its_services(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_TELEMETRY, SEVERITY_WARN, "", "tokyo");
	pass(ear, 5 * MINUTE);
	take(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "tokyo");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->opened, 2);
	assert_int_equal(ear->last.service_count, 1);
	assert_int_equal(ear->last.severity, SEVERITY_PAGE);
	finish(ear);
}

static void it_resolves_when_all_has_been_calm(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	take(ear, CAUSE_TRAFFIC, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	end(ear, CAUSE_LATENCY, "exchange", "");
	pass(ear, 60 * MINUTE);
	assert_int_equal(ear->resolved, 0); /* traffic still holds */
	end(ear, CAUSE_TRAFFIC, "exchange", "");
	pass(ear, 29 * MINUTE);
	assert_int_equal(ear->resolved, 0);
	pass(ear, 2 * MINUTE);
	assert_int_equal(ear->resolved, 1);
	assert_false(casebook_is_busy(ear->casebook));
	finish(ear);
}

static void what_comes_and_goes_before_anybody_was_told_is_dropped(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_INFO, "exchange", "");
	pass(ear, 120 * MINUTE);
	assert_int_equal(ear->opened + ear->resolved, 0);
	finish(ear);
}

static void security_waits_for_an_acknowledgement(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		finding_of(ear, CAUSE_NAME_SERVER, SEVERITY_PAGE, "exchange", "");
	struct obs_acknowledge by = {.by = "ann"};

	(void)state;
	finding.security = true;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	end(ear, CAUSE_NAME_SERVER, "exchange", "");
	pass(ear, 24 * 60 * MINUTE);
	assert_int_equal(ear->resolved, 0);
	assert_non_null(strstr(ear->last.text, "No longer seen"));
	(void)snprintf(by.incident, sizeof(by.incident), "nobody-has-this");
	assert_false(casebook_acknowledge(ear->casebook, ear->now, &by));
	(void)snprintf(by.incident, sizeof(by.incident), "%s", ear->last.id);
	assert_true(casebook_acknowledge(ear->casebook, ear->now, &by));
	assert_int_equal(ear->acknowledged, 1);
	pass(ear, MINUTE);
	assert_int_equal(ear->resolved, 1);
	finish(ear);
}

static void what_comes_back_soon_is_the_same_and_wakes_nobody(void **state)
{
	struct ear *ear = begin();
	char id[INCIDENT_ID];

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	memcpy(id, ear->last.id, sizeof(id));
	end(ear, CAUSE_LATENCY, "exchange", "");
	pass(ear, 60 * MINUTE);
	assert_int_equal(ear->resolved, 1);
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, MINUTE / 2);
	assert_string_equal(ear->last.id, id);
	assert_int_equal(ear->last.state, INCIDENT_OPENED);
	finish(ear);
}

static void the_same_a_day_later_is_news(void **state)
{
	struct ear *ear = begin();
	char id[INCIDENT_ID];

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	memcpy(id, ear->last.id, sizeof(id));
	end(ear, CAUSE_LATENCY, "exchange", "");
	pass(ear, 24 * 60 * MINUTE);
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	assert_string_not_equal(ear->last.id, id);
	assert_int_equal(ear->pages, 2);
	finish(ear);
}

static void a_rise_of_its_class_pages_again(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		finding_of(ear, CAUSE_TRAFFIC, SEVERITY_PAGE, "exchange", "");

	(void)state;
	finding.effect = .3;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	finding.effect = .5;
	casebook_take(ear->casebook, &finding);
	assert_int_equal(ear->pages, 1);
	finding.effect = .9;
	casebook_take(ear->casebook, &finding);
	assert_int_equal(ear->pages, 2);
	finish(ear);
}

static void policy_that_joins_pages_again(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		finding_of(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "tokyo");

	(void)state;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 1);
	finding = finding_of(ear, CAUSE_POLICY, SEVERITY_PAGE, "exchange", "tokyo");
	finding.policy = true;
	casebook_take(ear->casebook, &finding);
	assert_int_equal(ear->escalated, 1);
	assert_int_equal(ear->pages, 2);
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 2);
	finish(ear);
}

static void more_sites_are_told_and_wake_nobody(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "tokyo");
	pass(ear, 5 * MINUTE);
	take(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "osaka");
	assert_int_equal(ear->updated, 1);
	take(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "nagoya");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 1);
	assert_int_equal(ear->last.site_count, 3);
	finish(ear);
}

static void a_site_that_merely_informs_is_told_and_wakes_nobody(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "tokyo");
	pass(ear, 5 * MINUTE);
	take(ear, CAUSE_DETOUR, SEVERITY_INFO, "exchange", "osaka");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 1);
	assert_int_equal(ear->updated, 1);
	assert_int_equal(ear->last.site_count, 2);
	finish(ear);
}

static void what_flaps_is_held_open_and_wakes_nobody_again(void **state)
{
	struct ear *ear = begin();

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	for (unsigned i = 0; i < 3; i++) {
		end(ear, CAUSE_LATENCY, "exchange", "");
		pass(ear, 60 * MINUTE);
		assert_int_equal(ear->resolved, i + 1);
		take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
		pass(ear, 5 * MINUTE);
	}
	end(ear, CAUSE_LATENCY, "exchange", "");
	pass(ear, 23 * 60 * MINUTE);
	assert_int_equal(ear->resolved, 3);
	pass(ear, 2 * 60 * MINUTE);
	assert_int_equal(ear->resolved, 4);
	assert_int_equal(ear->pages, 1);
	finish(ear);
}

static void who_acknowledged_is_told_by_name(void **state)
{
	struct ear *ear = begin();
	struct obs_acknowledge by = {.by = "ann\x1b[2J", .note = "on it"};

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	(void)snprintf(by.incident, sizeof(by.incident), "%s", ear->last.id);
	assert_true(casebook_acknowledge(ear->casebook, ear->now, &by));
	assert_int_equal(ear->last.state, INCIDENT_ACKNOWLEDGED);
	assert_non_null(strstr(ear->last.text, "Acknowledged by ann"));
	assert_non_null(strstr(ear->last.text, ": on it\n"));
	assert_null(strchr(ear->last.text, '\x1b'));
	/* The same again wakes nobody. */
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 1);
	finish(ear);
}

/* What lies around: wallet, which has trouble of its own, and mail, which has none. */
static void look(void *arg, const struct incident *incident, struct surroundings *out)
{
	(void)arg;
	(void)incident;
	out->service_count = 2;
	(void)snprintf(out->services[0].name, OBS_NAME, "wallet");
	(void)snprintf(out->services[1].name, OBS_NAME, "mail");
}

static void services_with_trouble_of_their_own_are_not_called_well(void **state)
{
	struct ear *ear = begin();
	const struct casebook_settings settings = {
		.gather_us = MINUTE, .calm_us = 30 * MINUTE};
	const struct casebook_hooks hooks = {
		.changed = hear, .look_around = look, .arg = ear};

	(void)state;
	casebook_free(ear->casebook);
	assert_int_equal(casebook_new(&ear->casebook, &settings, &hooks), 0);
	take(ear, CAUSE_CERTIFICATE, SEVERITY_PAGE, "wallet", "");
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	assert_string_equal(ear->last.services[0], "exchange");
	assert_non_null(strstr(ear->last.text, "other services: mail\n"));
	finish(ear);
}

static void names_from_outside_cannot_break_its_text(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		finding_of(ear, CAUSE_CERTIFICATE, SEVERITY_PAGE, "exchange", "");

	(void)state;
	(void)snprintf(finding.text, sizeof(finding.text), "evil\x1b[2J\nname");
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	assert_null(strchr(ear->last.evidence[0].text, '\n'));
	assert_null(strchr(ear->last.evidence[0].text, '\x1b'));
	finish(ear);
}

static struct finding attack_on(const struct ear *ear, enum incident_cause cause,
	const char *service, const char *zone)
{
	struct finding finding = finding_of(ear, cause, SEVERITY_PAGE, service, "");

	finding.security = true;
	finding.effect = 1;
	(void)snprintf(finding.zone, sizeof(finding.zone), "%s", zone);
	return finding;
}

static void acknowledge(struct ear *ear, const char *id)
{
	struct obs_acknowledge by = {.by = "ann"};

	(void)snprintf(by.incident, sizeof(by.incident), "%s", id);
	assert_true(casebook_acknowledge(ear->casebook, ear->now, &by));
}

static void an_attack_that_joins_trouble_pages_and_wants_its_own_acknowledgement(
	void **state)
{
	struct ear *ear = begin();
	struct finding attack;

	(void)state;
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	acknowledge(ear, ear->last.id);
	attack = attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");
	casebook_take(ear->casebook, &attack);
	assert_int_equal(ear->escalated, 1);
	assert_int_equal(ear->pages, 2);
	assert_null(strstr(ear->last.text, "Acknowledged"));
	end(ear, CAUSE_LATENCY, "exchange", "");
	end(ear, CAUSE_NAME_SERVER, "exchange", "");
	pass(ear, 24 * 60 * MINUTE);
	assert_int_equal(ear->resolved, 0);
	acknowledge(ear, ear->last.id);
	pass(ear, MINUTE);
	assert_int_equal(ear->resolved, 1);
	finish(ear);
}

static void a_breach_that_joins_an_attack_pages_once_more(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");

	(void)state;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 1);
	finding = finding_of(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "tokyo");
	finding.policy = true;
	casebook_take(ear->casebook, &finding);
	assert_int_equal(ear->pages, 2);
	finding = finding_of(ear, CAUSE_DETOUR, SEVERITY_PAGE, "exchange", "osaka");
	finding.policy = true;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 2);
	finish(ear);
}

static void an_attack_that_comes_back_after_its_acknowledgement_pages(void **state)
{
	struct ear *ear = begin();
	struct finding attack =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");
	char id[INCIDENT_ID];

	(void)state;
	casebook_take(ear->casebook, &attack);
	pass(ear, 5 * MINUTE);
	memcpy(id, ear->last.id, sizeof(id));
	acknowledge(ear, id);
	end(ear, CAUSE_NAME_SERVER, "exchange", "");
	pass(ear, 60 * MINUTE);
	assert_int_equal(ear->resolved, 1);
	attack.rx = ear->now;
	casebook_take(ear->casebook, &attack);
	assert_int_equal(ear->pages, 2);
	assert_string_equal(ear->last.id, id);
	end(ear, CAUSE_NAME_SERVER, "exchange", "");
	pass(ear, 60 * MINUTE);
	assert_int_equal(ear->resolved, 1); /* it waits for somebody again */
	finish(ear);
}

static void what_only_waits_for_its_acknowledgement_hides_no_other_trouble(void **state)
{
	struct ear *ear = begin();
	struct finding attack =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");
	char id[INCIDENT_ID];

	(void)state;
	take(ear, CAUSE_TRAFFIC, SEVERITY_PAGE, "exchange", "");
	casebook_take(ear->casebook, &attack);
	pass(ear, 5 * MINUTE);
	memcpy(id, ear->last.id, sizeof(id));
	assert_int_equal(ear->pages, 1);
	end(ear, CAUSE_TRAFFIC, "exchange", "");
	end(ear, CAUSE_NAME_SERVER, "exchange", "");
	pass(ear, 60 * MINUTE);
	take(ear, CAUSE_TRAFFIC, SEVERITY_PAGE, "exchange", "");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 2);
	assert_string_not_equal(ear->last.id, id);
	/* The attack itself is still the same. */
	attack.rx = ear->now;
	casebook_take(ear->casebook, &attack);
	assert_string_equal(ear->last.id, id);
	assert_int_equal(ear->pages, 2);
	finish(ear);
}

static void an_attack_on_a_zone_is_one_incident_and_pages_once(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");

	(void)state;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	finding = attack_on(ear, CAUSE_RECORDS, "mail", "example.com");
	casebook_take(ear->casebook, &finding);
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "mail", "tokyo");
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "mail", "osaka");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->opened, 1);
	assert_int_equal(ear->pages, 1);
	assert_int_equal(ear->last.service_count, 2);
	assert_int_equal(ear->last.evidence_count, 4);
	finish(ear);
}

static void another_zone_or_another_day_is_another_attack(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");
	struct finding other = attack_on(ear, CAUSE_RECORDS, "wiki", "example.net");

	(void)state;
	casebook_take(ear->casebook, &finding);
	casebook_take(ear->casebook, &other);
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 2);
	pass(ear, 3 * 60 * MINUTE);
	finding.rx = ear->now;
	casebook_take(ear->casebook, &finding);
	other = attack_on(ear, CAUSE_RECORDS, "mail", "example.com");
	casebook_take(ear->casebook, &other);
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 3);
	finish(ear);
}

/* Two that one stranger links; ids of both, and all that was said. */
static struct ear *two_cases_of_one_stranger(char first[INCIDENT_ID],
	char second[INCIDENT_ID], struct casebook_counters *counters)
{
	struct ear *ear = begin();
	struct finding finding =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");

	(void)snprintf(finding.subject, sizeof(finding.subject), "stranger");
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	memcpy(first, ear->last.id, INCIDENT_ID);
	take(ear, CAUSE_LATENCY, SEVERITY_WARN, "wiki", "");
	pass(ear, 5 * MINUTE);
	memcpy(second, ear->last.id, INCIDENT_ID);
	finding = attack_on(ear, CAUSE_NAME_SERVER, "wiki", "example.net");
	(void)snprintf(finding.subject, sizeof(finding.subject), "stranger");
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "wiki", "");
	pass(ear, 5 * MINUTE);
	casebook_read_counters(ear->casebook, counters);
	return ear;
}

static void two_open_cases_that_a_stranger_links_become_one(void **state)
{
	char first[INCIDENT_ID], second[INCIDENT_ID], again[2][INCIDENT_ID];
	struct casebook_counters counters, replayed;
	struct ear *ear = two_cases_of_one_stranger(first, second, &counters);
	struct ear *replay = two_cases_of_one_stranger(again[0], again[1], &replayed);

	(void)state;
	assert_string_not_equal(first, second);
	assert_int_equal(ear->opened, 2);
	assert_int_equal(ear->pages, 1);
	assert_int_equal(ear->resolved, 1);
	assert_string_equal(ear->last.id, first);
	assert_string_equal(ear->last.part_of, "");
	assert_string_equal(ear->gone.id, second);
	assert_string_equal(ear->gone.part_of, first);
	assert_int_equal(ear->last.service_count, 2);
	assert_int_equal(ear->last.evidence_count, 3);
	assert_int_equal(counters.refused, 0);
	assert_string_equal(first, again[0]);
	assert_string_equal(second, again[1]);
	assert_memory_equal(&counters, &replayed, sizeof(counters));
	assert_string_equal(ear->last.text, replay->last.text);
	acknowledge(ear, second);
	assert_string_equal(ear->last.id, first);
	assert_int_equal(ear->last.state, INCIDENT_ACKNOWLEDGED);
	finish(ear);
	finish(replay);
}

static void what_became_part_of_another_says_of_which(void **state)
{
	struct ear *ear = begin();
	struct finding finding =
		attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");
	char first[INCIDENT_ID], said[INCIDENT_ID + 32];

	(void)state;
	casebook_take(ear->casebook, &finding);
	pass(ear, 5 * MINUTE);
	memcpy(first, ear->last.id, sizeof(first));
	take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "mail", "");
	pass(ear, 5 * MINUTE);
	assert_int_equal(ear->pages, 2);
	finding = attack_on(ear, CAUSE_RECORDS, "mail", "example.com");
	casebook_take(ear->casebook, &finding);
	assert_int_equal(ear->resolved, 1);
	assert_string_equal(ear->gone.services[0], "mail");
	assert_string_not_equal(ear->gone.id, first);
	assert_int_equal(ear->gone.state, INCIDENT_RESOLVED);
	(void)snprintf(said, sizeof(said), "part of incident %s,", first);
	assert_non_null(strstr(ear->gone.text, said));
	assert_int_equal(ear->pages, 2);
	finish(ear);
}

static void read_back(struct ear *into, struct ear *from)
{
	struct archive *archive = NULL, *reader = NULL;
	size_t len;
	const void *bytes;

	assert_int_equal(archive_new(&archive), 0);
	casebook_keep(archive, from->casebook);
	bytes = archive_bytes(archive, &len);
	assert_int_equal(archive_open(&reader, bytes, len), 0);
	casebook_keep(reader, into->casebook);
	assert_int_equal(archive_rc(reader), 0);
	assert_true(archive_is_through(reader));
	archive_free(reader);
	archive_free(archive);
}

static void a_snapshot_knows_what_was_united(void **state)
{
	char first[INCIDENT_ID], second[INCIDENT_ID];
	struct casebook_counters counters;
	struct ear *ear = two_cases_of_one_stranger(first, second, &counters);
	struct ear *later = begin();
	struct finding finding;

	(void)state;
	read_back(later, ear);
	later->now = ear->now;
	finding = attack_on(later, CAUSE_RECORDS, "mail", "example.com");
	casebook_take(later->casebook, &finding);
	take(later, CAUSE_TRAFFIC, SEVERITY_PAGE, "wiki", "");
	pass(later, 5 * MINUTE);
	assert_int_equal(later->opened + later->pages, 0);
	assert_string_equal(later->last.id, first);
	assert_int_equal(later->last.service_count, 3);
	assert_int_equal(later->last.evidence_count, 5);
	acknowledge(later, second);
	assert_string_equal(later->last.id, first);
	assert_int_equal(later->acknowledged, 1);
	finish(ear);
	finish(later);
}

static void what_no_longer_fits_a_united_case_is_counted(void **state)
{
	struct ear *ear = begin();
	struct casebook_counters counters;
	struct finding finding;
	char site[OBS_WORD];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(site, sizeof(site), "site-%u", i);
		take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "exchange", site);
		take(ear, CAUSE_LATENCY, SEVERITY_PAGE, "mail", site);
	}
	finding = attack_on(ear, CAUSE_NAME_SERVER, "exchange", "example.com");
	casebook_take(ear->casebook, &finding);
	casebook_read_counters(ear->casebook, &counters);
	assert_int_equal(counters.refused, 0);
	finding = attack_on(ear, CAUSE_RECORDS, "mail", "example.com");
	casebook_take(ear->casebook, &finding);
	casebook_read_counters(ear->casebook, &counters);
	assert_int_equal(counters.refused, 41 + 40 + 1 - INCIDENT_EVIDENCE);
	finish(ear);
}

static void more_than_it_holds_is_counted(void **state)
{
	struct ear *ear = begin();
	struct casebook_counters counters;
	char service[OBS_NAME];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(service, sizeof(service), "service-%u", i);
		take(ear, CAUSE_LATENCY, SEVERITY_PAGE, service, "");
	}
	casebook_read_counters(ear->casebook, &counters);
	assert_int_equal(counters.findings, 100);
	assert_true(counters.refused > 0);
	finish(ear);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_waits_for_its_evidence_and_is_raised_once),
		cmocka_unit_test(what_is_merely_worth_knowing_opens_nothing),
		cmocka_unit_test(two_warnings_of_different_kinds_page_together),
		cmocka_unit_test(other_services_have_incidents_of_their_own),
		cmocka_unit_test(a_sites_own_trouble_takes_its_services_and_names_none),
		cmocka_unit_test(a_silent_site_takes_nothing_of_its_services),
		cmocka_unit_test(it_resolves_when_all_has_been_calm),
		cmocka_unit_test(what_comes_and_goes_before_anybody_was_told_is_dropped),
		cmocka_unit_test(security_waits_for_an_acknowledgement),
		cmocka_unit_test(what_comes_back_soon_is_the_same_and_wakes_nobody),
		cmocka_unit_test(the_same_a_day_later_is_news),
		cmocka_unit_test(a_rise_of_its_class_pages_again),
		cmocka_unit_test(names_from_outside_cannot_break_its_text),
		cmocka_unit_test(more_than_it_holds_is_counted),
		cmocka_unit_test(policy_that_joins_pages_again),
		cmocka_unit_test(more_sites_are_told_and_wake_nobody),
		cmocka_unit_test(a_site_that_merely_informs_is_told_and_wakes_nobody),
		cmocka_unit_test(what_flaps_is_held_open_and_wakes_nobody_again),
		cmocka_unit_test(who_acknowledged_is_told_by_name),
		cmocka_unit_test(services_with_trouble_of_their_own_are_not_called_well),
		cmocka_unit_test(
			an_attack_that_joins_trouble_pages_and_wants_its_own_acknowledgement),
		cmocka_unit_test(a_breach_that_joins_an_attack_pages_once_more),
		cmocka_unit_test(
			an_attack_that_comes_back_after_its_acknowledgement_pages),
		cmocka_unit_test(
			what_only_waits_for_its_acknowledgement_hides_no_other_trouble),
		cmocka_unit_test(an_attack_on_a_zone_is_one_incident_and_pages_once),
		cmocka_unit_test(another_zone_or_another_day_is_another_attack),
		cmocka_unit_test(two_open_cases_that_a_stranger_links_become_one),
		cmocka_unit_test(what_became_part_of_another_says_of_which),
		cmocka_unit_test(a_snapshot_knows_what_was_united),
		cmocka_unit_test(what_no_longer_fits_a_united_case_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
