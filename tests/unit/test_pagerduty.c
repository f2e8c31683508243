#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "incident_maker.h"
#include "pagerduty.h"

static void check(enum incident_state state, enum incident_severity severity,
	const char *dashboard, const char *wanted)
{
	struct notifier_target target = {.secret = "0123456789abcdef0123456789abcdef"};
	struct incident *incident = incident_maker_make(state, severity);
	char body[4096];
	int len = pagerduty_notifier.compose(
		body, sizeof(body), &target, incident, dashboard);

	assert_int_equal(len, strlen(body));
	assert_string_equal(body, wanted);
	free(incident);
}

#define EVENT(action, severity, minute, links)                                       \
	"{\"routing_key\":\"0123456789abcdef0123456789abcdef\",\"event_action\":"    \
	"\"" action                                                                  \
	"\",\"dedup_key\":\"20200530-exchange\",\"client\":\"astray\",\"payload\":{" \
	"\"summary\":\"exchange: new name "                                          \
	"server\",\"source\":\"tyo-gw-1\",\"severity\":\"" severity                  \
	"\",\"timestamp\":\"2020-05-30T15:" minute ":00.000Z\","                     \
	"\"component\":\"exchange\",\"group\":\"tokyo\",\"class\":\"name_server, "   \
	"detour\","                                                                  \
	"\"custom_details\":{\"text\":\"ns-1515.awsdns-061.org\",\"services\":"      \
	"\"exchange\","                                                              \
	"\"vantages\":\"tyo-gw-1\",\"evidence\":[\"the delegation moved\"]}}" links "}"

static void changes_become_events_under_one_key(void **state)
{
	(void)state;
	check(INCIDENT_OPENED, SEVERITY_WARN, "", EVENT("trigger", "warning", "05", ""));
	check(INCIDENT_ESCALATED, SEVERITY_PAGE, "",
		EVENT("trigger", "critical", "06", ""));
	check(INCIDENT_ACKNOWLEDGED, SEVERITY_PAGE, "",
		EVENT("acknowledge", "critical", "07", ""));
	check(INCIDENT_RESOLVED, SEVERITY_INFO, "", EVENT("resolve", "info", "08", ""));
}

static void the_dashboard_is_linked(void **state)
{
	(void)state;
	check(INCIDENT_OPENED, SEVERITY_PAGE, "https://astray.example",
		EVENT("trigger", "critical", "05",
			",\"client_url\":\"https://astray.example/"
			"#exchange\",\"links\":[{"
			"\"href\":\"https://astray.example/#exchange\","
			"\"text\":\"dashboard\"}]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_become_events_under_one_key),
		cmocka_unit_test(the_dashboard_is_linked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
