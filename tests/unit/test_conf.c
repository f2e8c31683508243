#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/conf.h"
#include "astray/status.h"

struct settings {
	int64_t count;
	double ratio;
	bool enabled;
	char name[8];
	int64_t interval_us;
	struct conf_texts roots;
	const struct json *section;
};

static const struct conf_option options[] = {
	{"count", CONF_INT, offsetof(struct settings, count), 0, 1, 10, "3", "How many."},
	{"ratio", CONF_NUMBER, offsetof(struct settings, ratio), 0, 0, 1, "0.5",
		"Share."},
	{"enabled", CONF_BOOL, offsetof(struct settings, enabled), 0, 0, 0, "true",
		"Whether."},
	{"name", CONF_TEXT, offsetof(struct settings, name), 8, 0, 0, NULL, "Which."},
	{"interval", CONF_SPAN, offsetof(struct settings, interval_us), 0, 1e6, 3600e6,
		"\"10 s\"", "How often."},
	{"roots", CONF_TEXTS, offsetof(struct settings, roots), 0, 0, 2, NULL, "Whom."},
	{"section", CONF_VALUE, offsetof(struct settings, section), 0, 0, 0, NULL,
		"More."},
	{0},
};

static int read_text(struct settings *settings, const char *text, struct fault *fault)
{
	struct json_doc *doc;
	int rc;

	*settings = (struct settings){0};
	*fault = (struct fault){0};
	rc = json_parse(&doc, text, strlen(text), JSON_COMMENTS, fault);
	assert_int_equal(rc, 0);
	rc = conf_read(settings, options, doc, json_root(doc), "flow", fault);
	json_doc_free(doc);
	return rc;
}

static void defaults_hold_where_the_file_is_silent(void **state)
{
	struct settings settings;
	struct fault fault;

	(void)state;
	assert_int_equal(read_text(&settings, "{}", &fault), 0);
	assert_int_equal(settings.count, 3);
	assert_true(settings.ratio > 0.49 && settings.ratio < 0.51);
	assert_true(settings.enabled);
	assert_string_equal(settings.name, "");
	assert_int_equal(settings.interval_us, 10000000);
}

static void the_file_wins_over_defaults(void **state)
{
	struct settings settings;
	struct fault fault;

	(void)state;
	assert_int_equal(
		read_text(&settings,
			"{\"count\":7,\"enabled\":false,\"name\":\"seven\",\n"
			"// how often\n\"interval\":\"2 min\",\"roots\":[\"a\",\"b\"]}",
			&fault),
		0);
	assert_int_equal(settings.count, 7);
	assert_false(settings.enabled);
	assert_string_equal(settings.name, "seven");
	assert_int_equal(settings.interval_us, 120000000);
	assert_int_equal(settings.roots.count, 2);
}

static void spans_take_units_and_bare_seconds(void **state)
{
	struct settings settings;
	struct fault fault;

	(void)state;
	assert_int_equal(read_text(&settings, "{\"interval\":2.5}", &fault), 0);
	assert_int_equal(settings.interval_us, 2500000);
	assert_int_equal(read_text(&settings, "{\"interval\":\"1500 ms\"}", &fault), 0);
	assert_int_equal(settings.interval_us, 1500000);
	assert_int_equal(read_text(&settings, "{\"interval\":\"1 h\"}", &fault), 0);
	assert_int_equal(settings.interval_us, INT64_C(3600000000));
	assert_int_equal(
		read_text(&settings, "{\"interval\":\"2 h\"}", &fault), STATUS_RANGE);
	assert_int_equal(
		read_text(&settings, "{\"interval\":\"soon\"}", &fault), STATUS_SYNTAX);
	assert_int_equal(
		read_text(&settings, "{\"interval\":\"-1 s\"}", &fault), STATUS_SYNTAX);
	assert_int_equal(
		read_text(&settings, "{\"interval\":\"nan s\"}", &fault), STATUS_SYNTAX);
}

static void an_unknown_key_names_its_line_and_the_nearest(void **state)
{
	struct settings settings;
	struct fault fault;
	char text[600];

	(void)state;
	assert_int_equal(
		read_text(&settings, "{\n\"count\":7,\n\n\"intervall\":1}", &fault),
		STATUS_UNKNOWN);
	assert_int_equal(fault.line, 4);
	assert_string_equal(fault.field, "flow.intervall");
	assert_non_null(strstr(fault_text(&fault, text, sizeof(text)), "\"interval\""));
	assert_int_equal(read_text(&settings, "{\"zebra\":1}", &fault), STATUS_UNKNOWN);
	assert_null(strstr(fault.why, "did you mean"));
}

static void a_bad_value_names_its_line_and_range(void **state)
{
	struct settings settings;
	struct fault fault;

	(void)state;
	assert_int_equal(read_text(&settings, "{\n\"count\":11}", &fault), STATUS_RANGE);
	assert_int_equal(fault.line, 2);
	assert_string_equal(fault.field, "flow.count");
	assert_non_null(strstr(fault.why, "1 and 10"));
	assert_int_equal(read_text(&settings, "{\"count\":1.5}", &fault), STATUS_SYNTAX);
	assert_int_equal(
		read_text(&settings, "{\"count\":\"1\"}", &fault), STATUS_SYNTAX);
	assert_int_equal(read_text(&settings, "{\"enabled\":1}", &fault), STATUS_SYNTAX);
	assert_int_equal(
		read_text(&settings, "{\"name\":\"12345678\"}", &fault), STATUS_LIMIT);
	assert_int_equal(read_text(&settings, "{\"roots\":[\"a\",\"b\",\"c\"]}", &fault),
		STATUS_LIMIT);
	assert_int_equal(read_text(&settings, "{\"roots\":[1]}", &fault), STATUS_SYNTAX);
	assert_int_equal(read_text(&settings, "[]", &fault), STATUS_SYNTAX);
}

static void an_absent_section_reads_like_an_empty_one(void **state)
{
	struct settings settings = {.name = "kept"};
	struct fault fault = {0};

	(void)state;
	assert_int_equal(
		conf_read_section(&settings, options, NULL, NULL, "flow", &fault), 0);
	assert_int_equal(settings.count, 3);
	assert_true(settings.enabled);
	assert_string_equal(settings.name, "kept");
}

static void a_refusal_names_the_line_of_its_value(void **state)
{
	static const char text[] = "{\n\"a\": 1,\n\"b\": 2}";
	struct json_doc *doc;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(json_parse(&doc, text, strlen(text), 0, &fault), 0);
	assert_int_equal(conf_refuse(&fault, doc, json_member(json_root(doc), "b"),
				 STATUS_RANGE, "b", "is too many"),
		STATUS_RANGE);
	assert_int_equal(fault.line, 3);
	assert_string_equal(fault.field, "b");
	assert_string_equal(fault.why, "is too many");
	json_doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_where_the_file_is_silent),
		cmocka_unit_test(the_file_wins_over_defaults),
		cmocka_unit_test(spans_take_units_and_bare_seconds),
		cmocka_unit_test(an_unknown_key_names_its_line_and_the_nearest),
		cmocka_unit_test(a_bad_value_names_its_line_and_range),
		cmocka_unit_test(an_absent_section_reads_like_an_empty_one),
		cmocka_unit_test(a_refusal_names_the_line_of_its_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
