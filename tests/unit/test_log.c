#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/json.h"
#include "astray/log.h"
#include "astray/status.h"

/* What one warning prints. */
static char *warned(struct log log, const char *text)
{
	char *out = NULL;
	size_t len = 0;

	log.out = open_memstream(&out, &len);
	assert_non_null(log.out);
	log_warn(&log, "uplink", "%s", text);
	assert_int_equal(fclose(log.out), 0);
	return out;
}

static void a_line_is_logfmt(void **state)
{
	struct log log = {.level = LOG_LEVEL_INFO};
	char *line = warned(log, "192.0.2.1: reset, next try in 3 s");

	(void)state;
	assert_ptr_equal(strstr(line, "ts=2"), line);
	assert_non_null(strstr(line,
		"Z level=warn topic=uplink msg=\"192.0.2.1: reset, next try in 3 s\"\n"));
	free(line);
}

static void the_journal_gets_a_priority_and_no_time(void **state)
{
	struct log log = {.level = LOG_LEVEL_INFO, .journald = true};
	char *line = warned(log, "reset");

	(void)state;
	assert_string_equal(line, "<4>level=warn topic=uplink msg=\"reset\"\n");
	free(line);
}

static void machines_get_one_object_a_line(void **state)
{
	struct log log = {.level = LOG_LEVEL_INFO, .format = LOG_FORMAT_JSON};
	char *line = warned(log, "said \"no\\\" \n and \x01");
	struct json_doc *doc;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(json_parse(&doc, line, strlen(line), 0, &fault), 0);
	assert_string_equal(json_as_text(json_member(json_root(doc), "msg")),
		"said \"no\\\" \\x0a and \\x01");
	assert_string_equal(json_as_text(json_member(json_root(doc), "level")), "warn");
	json_doc_free(doc);
	free(line);
}

static void a_message_cannot_forge_a_second_line(void **state)
{
	struct log log = {.level = LOG_LEVEL_INFO};
	char *line = warned(log, "name\nts=x level=error msg=\"forged\" \x1b[31m \xff");

	(void)state;
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_null(strchr(line, '\x1b'));
	assert_non_null(strstr(line, "name\\\\x0ats=x level=error msg=\\\"forged\\\""));
	free(line);
}

static void a_quieter_level_keeps_silent(void **state)
{
	struct log log = {.level = LOG_LEVEL_ERROR};
	char *line = warned(log, "reset");

	(void)state;
	assert_string_equal(line, "");
	free(line);
	log_error(&(struct log){.out = NULL}, "uplink", "nobody listens");
	log_error(NULL, "uplink", "nobody at all");
}

static void a_message_of_any_length_stays_one_line(void **state)
{
	struct log log = {.level = LOG_LEVEL_INFO};
	char text[5000];
	char *line;

	(void)state;
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	line = warned(log, text);
	assert_string_equal(line + strlen(line) - 4, "\\\"\"\n");
	free(line);
}

static void levels_and_formats_are_known_by_name(void **state)
{
	enum log_level level = LOG_LEVEL_ERROR;
	enum log_format format = LOG_FORMAT_LOGFMT;

	(void)state;
	assert_int_equal(log_parse_level(&level, "Debug"), 0);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	assert_int_equal(log_parse_level(&level, "loud"), STATUS_UNKNOWN);
	assert_int_equal(log_parse_format(&format, "json"), 0);
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_int_equal(log_parse_format(&format, "xml"), STATUS_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_logfmt),
		cmocka_unit_test(the_journal_gets_a_priority_and_no_time),
		cmocka_unit_test(machines_get_one_object_a_line),
		cmocka_unit_test(a_message_cannot_forge_a_second_line),
		cmocka_unit_test(a_quieter_level_keeps_silent),
		cmocka_unit_test(a_message_of_any_length_stays_one_line),
		cmocka_unit_test(levels_and_formats_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
