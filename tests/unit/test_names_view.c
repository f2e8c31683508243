#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "names_view.h"
#include "names_report_maker.h"

static char *printed(struct names_report *report, struct names_verdict *verdict)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	names_view_print(out, report, verdict);
	assert_int_equal(fclose(out), 0);
	names_report_free(report);
	return text;
}

static void everybodys_words_stand_under_who_said_them(void **state)
{
	struct names_report report = {.zone = ZONE, .parent = "example"};
	struct names_verdict verdict = {0};
	char *text;

	(void)state;
	add(&report, OBS_PARENT, "198.51.100.54", "NS", "NOERROR", GENUINE);
	add(&report, OBS_AUTHORITY, "203.0.113.53", "A", "NOERROR",
		"203.0.113.10;203.0.113.11");
	add(&report, OBS_RESOLVER, "192.0.2.53", "A", "SERVFAIL", "");
	text = printed(&report, &verdict);
	assert_non_null(strstr(text, "The zone above (example) says of " ZONE));
	assert_non_null(strstr(text, GENUINE));
	assert_non_null(strstr(text, "203.0.113.11"));
	assert_non_null(strstr(text, "SERVFAIL"));
	assert_non_null(strstr(text, "Verdict: nothing is wrong"));
	free(text);
}

static void what_strangers_write_cannot_steer_a_terminal(void **state)
{
	struct names_report report = {.zone = ZONE, .registry_told = true};
	struct names_verdict verdict = {.count = 1};
	char *text;

	(void)state;
	(void)snprintf(verdict.lines[0].text, NAMES_VERDICT_TEXT, "odd \033[2J");
	verdict.lines[0].grade = NAMES_WRONG;
	(void)snprintf(report.registry.registrar, OBS_TEXT, "Evil\033]0;x\007");
	add(&report, OBS_AUTHORITY, "203.0.113.53", "TXT", "NOERROR", "\033[31mred");
	text = printed(&report, &verdict);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\007'));
	assert_non_null(strstr(text, "WRONG: odd"));
	free(text);
}

static void why_the_registry_said_nothing_is_told(void **state)
{
	struct names_report report = {
		.zone = ZONE, .registry_why = "no RDAP for .example"};
	struct names_verdict verdict = {0};
	char *text;

	(void)state;
	text = printed(&report, &verdict);
	assert_non_null(strstr(text, "nothing: no RDAP for .example"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybodys_words_stand_under_who_said_them),
		cmocka_unit_test(what_strangers_write_cannot_steer_a_terminal),
		cmocka_unit_test(why_the_registry_said_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
