#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "alertmanager.h"
#include "astray/json.h"
#include "incident_maker.h"

#define ROOM 65536

static char *compose(const struct incident *incident, enum incident_severity least)
{
	const struct notifier_target target = {.least = least};
	char *body = malloc(ROOM);
	int len = alertmanager_notifier.compose(
		body, ROOM, &target, incident, "https://astray.example");

	assert_true(len >= 0);
	body[len] = '\0';
	return body;
}

static void check_text(enum incident_state state, const char *wanted)
{
	struct incident *incident = incident_maker_make(state, SEVERITY_PAGE);
	char *body = compose(incident, SEVERITY_WARN);

	assert_string_equal(body, wanted);
	free(body);
	free(incident);
}

#define ANNOTATIONS                                                                      \
	"\"annotations\":{\"summary\":\"exchange: new name server\","                    \
	"\"description\":\"ns-1515.awsdns-061.org\",\"causes\":\"name_server, detour\"," \
	"\"sites\":\"tokyo\",\"since\":\"2020-05-30T15:04:55.000Z\"},"                   \
	"\"startsAt\":\"2020-05-30T15:05:00.000Z\","
#define ALERT(severity, end)                                                       \
	"{\"labels\":{\"alertname\":\"AstrayIncident\",\"incident\":\"20200530-"   \
	"exchange\","                                                              \
	"\"severity\":\"" severity "\",\"service\":\"exchange\"}," ANNOTATIONS end \
	"\"generatorURL\":\"https://astray.example/#exchange\"}"

static void an_incident_is_one_alert_for_its_service(void **state)
{
	(void)state;
	check_text(INCIDENT_OPENED, "[" ALERT("page", "") "]");
}

static void its_end_has_the_same_labels(void **state)
{
	(void)state;
	check_text(INCIDENT_RESOLVED,
		"[" ALERT("page", "\"endsAt\":\"2020-05-30T15:08:00.000Z\",") "]");
}

static void the_lesser_alert_ends_where_the_severity_rises(void **state)
{
	(void)state;
	check_text(INCIDENT_ESCALATED,
		"[" ALERT("warn", "\"endsAt\":\"2020-05-30T15:06:00.000Z\",") "," ALERT(
			"page", "") "]");
}

static void an_acknowledgement_is_not_its_business(void **state)
{
	(void)state;
	check_text(INCIDENT_ACKNOWLEDGED, "");
}

static void every_service_has_its_own_and_sites_where_there_is_none(void **state)
{
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	struct json_doc *doc;
	char *body;

	(void)state;
	incident->service_count = 2;
	(void)strcpy(incident->services[1], "mail");
	body = compose(incident, SEVERITY_INFO);
	assert_int_equal(json_parse(&doc, body, strlen(body), 0, NULL), 0);
	assert_int_equal(json_count(json_root(doc)), 2);
	assert_non_null(strstr(body, "\"service\":\"mail\""));
	json_doc_free(doc);
	free(body);
	incident->service_count = 0;
	body = compose(incident, SEVERITY_INFO);
	assert_non_null(strstr(body, "\"severity\":\"page\",\"site\":\"tokyo\"}"));
	free(body);
	incident->site_count = 0;
	body = compose(incident, SEVERITY_INFO);
	assert_non_null(strstr(body, "\"severity\":\"page\"}"));
	free(body);
	free(incident);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_incident_is_one_alert_for_its_service),
		cmocka_unit_test(its_end_has_the_same_labels),
		cmocka_unit_test(the_lesser_alert_ends_where_the_severity_rises),
		cmocka_unit_test(an_acknowledgement_is_not_its_business),
		cmocka_unit_test(every_service_has_its_own_and_sites_where_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
