#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "incident_maker.h"
#include "slack.h"

#define SECTION(text) \
	"{\"type\":\"section\",\"text\":{\"type\":\"mrkdwn\",\"text\":\"" text "\"}}"

static char *compose(const struct incident *incident, const char *dashboard)
{
	char *body = malloc(NOTIFIER_BODY_MAX);

	assert_true(slack_notifier.compose(
			    body, NOTIFIER_BODY_MAX, NULL, incident, dashboard) > 0);
	return body;
}

static void a_message_says_what_and_where(void **state)
{
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	char *body = compose(incident, "https://astray.example");

	(void)state;
	assert_string_equal(body,
		"{\"text\":\"opened, page: exchange: new name "
		"server\",\"blocks\":[" SECTION(
			"opened, page: exchange: new name "
			"server") "," SECTION("ns-1515.awsdns-"
					      "061.org") "," SECTION("<https://"
								     "astray.example/"
								     "#exchange|"
								     "dashboard>") "]}");
	free(body);
	free(incident);
}

static void nobody_is_called_by_a_name_from_outside(void **state)
{
	struct incident *incident = incident_maker_make(INCIDENT_RESOLVED, SEVERITY_PAGE);
	char *body;

	(void)state;
	(void)strcpy(incident->title, "<!channel> & more");
	*incident->text = '\0';
	body = compose(incident, "");
	assert_string_equal(body,
		"{\"text\":\"resolved, page: &lt;!channel&gt; &amp; "
		"more\",\"blocks\":[" SECTION(
			"resolved, page: &lt;!channel&gt; &amp; more") "]}");
	free(body);
	free(incident);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	const char *section;
	char *body;

	(void)state;
	for (size_t i = 0; i + 4 < INCIDENT_TEXT; i += 3)
		memcpy(incident->text + i, "\xe6\x97\xa5", 3);
	body = compose(incident, "");
	section = strstr(body, "\xe6\x97\xa5");
	assert_non_null(section);
	assert_int_equal(strspn(section, "\xe6\x97\xa5") % 3, 0);
	assert_true(strspn(section, "\xe6\x97\xa5") <= 3000);
	assert_null(strchr(section, '?'));
	free(body);
	free(incident);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_says_what_and_where),
		cmocka_unit_test(nobody_is_called_by_a_name_from_outside),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
