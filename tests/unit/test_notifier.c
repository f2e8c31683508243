#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "incident_maker.h"
#include "notifier.h"

static void a_link_leads_to_the_service(void **state)
{
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	char link[64];

	(void)state;
	notifier_link(link, sizeof(link), "https://astray.example", incident);
	assert_string_equal(link, "https://astray.example/#exchange");
	(void)strcpy(incident->services[0], "[2001:db8::1]:443/a b");
	notifier_link(link, sizeof(link), "https://astray.example/", incident);
	assert_string_equal(
		link, "https://astray.example/#%5B2001%3Adb8%3A%3A1%5D%3A443%2Fa%20b");
	incident->service_count = 0;
	notifier_link(link, sizeof(link), "https://astray.example", incident);
	assert_string_equal(link, "https://astray.example");
	notifier_link(link, sizeof(link), "", incident);
	assert_string_equal(link, "");
	free(incident);
}

static void lists_are_cut_where_they_do_not_fit(void **state)
{
	const char names[3][8] = {"one", "two", "three"};
	char text[16];

	(void)state;
	notifier_join(text, sizeof(text), names[0], sizeof(names[0]), 3);
	assert_string_equal(text, "one, two, three");
	notifier_join(text, 8, names[0], sizeof(names[0]), 3);
	assert_string_equal(text, "one, tw");
	notifier_join(text, sizeof(text), names[0], sizeof(names[0]), 0);
	assert_string_equal(text, "");
	notifier_causes(text, sizeof(text), 1u << CAUSE_SITE | 1u << CAUSE_DETOUR);
	assert_string_equal(text, "detour, site");
}

/* What a row promises, so that the dispatcher need not ask. */
static void every_kind_is_whole(void **state)
{
	(void)state;
	for (const struct notifier_kind *const *kind = notifier_kinds; *kind; kind++) {
		assert_true(*(*kind)->name && *(*kind)->help);
		assert_non_null((*kind)->compose);
		assert_false((*kind)->secret_needed && !(*kind)->secret);
	}
}

/* The largest incident that there can be, full of what is escaped, is told or refused,
 * and never written beyond its room. */
static void the_largest_incident_fits_or_is_refused(void **state)
{
	struct incident *incident =
		incident_maker_make(INCIDENT_ESCALATED, SEVERITY_PAGE);
	struct notifier_target target = {.name = "x"};
	char *body = malloc(NOTIFIER_BODY_MAX);

	(void)state;
	assert_non_null(body);
	incident->service_count = INCIDENT_SERVICES;
	incident->site_count = INCIDENT_SITES;
	incident->vantage_count = INCIDENT_VANTAGES;
	incident->evidence_count = INCIDENT_EVIDENCE;
	memset(incident->services, '<', sizeof(incident->services));
	for (int i = 0; i < INCIDENT_SERVICES; i++)
		incident->services[i][OBS_NAME - 1] = '\0';
	memset(incident->text, '\x01', INCIDENT_TEXT - 1);
	memset(incident->title, '&', INCIDENT_TITLE - 1);
	for (int i = 0; i < INCIDENT_EVIDENCE; i++)
		memset(incident->evidence[i].text, '"', OBS_TEXT - 1);
	for (const struct notifier_kind *const *kind = notifier_kinds; *kind; kind++) {
		int len = (*kind)->compose(body, NOTIFIER_BODY_MAX, &target, incident,
			"https://astray.example");

		assert_true(len < (int)NOTIFIER_BODY_MAX);
		if (len > 0)
			assert_int_equal(strlen(body), len);
		for (size_t cap = 1; cap < 300; cap += 13)
			assert_true(
				(*kind)->compose(body, cap, &target, incident, "") < 0);
	}
	free(body);
	free(incident);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_leads_to_the_service),
		cmocka_unit_test(lists_are_cut_where_they_do_not_fit),
		cmocka_unit_test(every_kind_is_whole),
		cmocka_unit_test(the_largest_incident_fits_or_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
