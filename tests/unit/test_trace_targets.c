#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "trace_targets.h"

static int parse(struct trace_targets *targets, const char *text, struct fault *fault)
{
	*targets = (struct trace_targets){0};
	*fault = (struct fault){0};
	return trace_targets_parse(targets, text, strlen(text), fault);
}

static void a_line_is_a_host_and_perhaps_a_name(void **state)
{
	struct trace_targets targets;
	struct fault fault;

	(void)state;
	assert_int_equal(parse(&targets,
				 "# offices\n\nexchange.example mail\r\n"
				 "  192.0.2.1\t# by address\n2001:db8::1",
				 &fault),
		0);
	assert_int_equal(targets.count, 3);
	assert_string_equal(targets.list[0].host, "exchange.example");
	assert_string_equal(targets.list[0].name, "mail");
	assert_string_equal(targets.list[1].host, "192.0.2.1");
	assert_string_equal(targets.list[1].name, "192.0.2.1");
	assert_string_equal(targets.list[2].host, "2001:db8::1");
	trace_targets_free(&targets);
	assert_int_equal(targets.count, 0);
}

static void check_refused(const char *text, unsigned line, int rc)
{
	struct trace_targets targets;
	struct fault fault;

	assert_int_equal(parse(&targets, text, &fault), rc);
	assert_int_equal(fault.line, line);
	assert_true(fault.why[0]);
	trace_targets_free(&targets);
}

static void what_is_no_target_is_refused_with_its_line(void **state)
{
	char longest[300];

	(void)state;
	check_refused("a.example\nb.example b and more\n", 2, STATUS_SYNTAX);
	check_refused("\n\na;b\n", 3, STATUS_SYNTAX);
	check_refused("a.example n\xc3\xa4me\n", 1, STATUS_SYNTAX);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	check_refused(longest, 1, STATUS_SYNTAX);
}

static void a_byte_of_nothing_is_refused(void **state)
{
	static const char text[] = "a.example\nb.exa\0mple\n";
	struct trace_targets targets = {0};
	struct fault fault = {0};

	(void)state;
	assert_int_equal(trace_targets_parse(&targets, text, sizeof(text) - 1, &fault),
		STATUS_SYNTAX);
	assert_int_equal(fault.line, 2);
	trace_targets_free(&targets);
}

static void there_is_a_limit(void **state)
{
	struct trace_targets targets = {0};
	struct fault fault = {0};

	(void)state;
	for (unsigned i = 0; i < TRACE_TARGETS_MAX; i++)
		assert_int_equal(trace_targets_add(&targets, "a", NULL, NULL), 0);
	assert_int_equal(trace_targets_add(&targets, "a", NULL, &fault), STATUS_LIMIT);
	trace_targets_free(&targets);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct trace_targets targets = {0};
	struct fault fault = {0};

	(void)state;
	assert_true(
		trace_targets_read_file(&targets, "/nonexistent/targets", &fault) < 0);
	assert_string_equal(fault.input, "/nonexistent/targets");
	assert_true(trace_targets_read_file(&targets, "/tmp", &fault) < 0);
	trace_targets_free(&targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_host_and_perhaps_a_name),
		cmocka_unit_test(what_is_no_target_is_refused_with_its_line),
		cmocka_unit_test(a_byte_of_nothing_is_refused),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
