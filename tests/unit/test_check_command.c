#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <cmocka.h>

#include "astray/log.h"
#include "check_command.h"

#define WORDS_MAX 16

/* Runs "check" with these words; *said is what it logged, for the caller to free. */
static int run(const char *words, char **said)
{
	char line[256], name[] = "check";
	char *argv[WORDS_MAX] = {name};
	size_t len;
	struct log log = {.level = LOG_LEVEL_INFO};
	int argc = 1, exit_code;
	char *rest;

	(void)snprintf(line, sizeof(line), "%s", words);
	for (char *word = strtok_r(line, " ", &rest); word && argc < WORDS_MAX - 1;
		word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	log.out = open_memstream(said, &len);
	assert_non_null(log.out);
	exit_code = check_command(&log, argc, argv);
	assert_int_equal(fclose(log.out), 0);
	return exit_code;
}

static void check(const char *words, int exit_code, const char *named)
{
	char *said;

	assert_int_equal(run(words, &said), exit_code);
	if (!strstr(said, named))
		fail_msg("\"%s\" does not name %s", said, named);
	free(said);
}

static void what_makes_no_sense_is_a_usage_error(void **state)
{
	(void)state;
	check("", EX_USAGE, "at least one URL");
	check("ftp://192.0.2.1/", EX_USAGE, "ftp://192.0.2.1/");
	check("file:///etc/passwd", EX_USAGE, "only http and https");
	check("http://", EX_USAGE, "http://");
	check("--timeout 0 http://192.0.2.1/", EX_USAGE, "");
	check("--all http://192.0.2.1/", EX_USAGE, "");
}

static void a_file_that_is_not_there_is_named(void **state)
{
	(void)state;
	check("--ca /no/such/file https://192.0.2.1/", EX_NOINPUT, "/no/such/file");
}

static void the_exit_code_says_what_failed(void **state)
{
	(void)state;
	check("http://127.0.0.1:1/", EX_TEMPFAIL, "");
	check("http://no-such-name.invalid/", EX_NOHOST, "");
	check("--json http://127.0.0.1:1/ ftp://x", EX_USAGE, "ftp://x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_makes_no_sense_is_a_usage_error),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(the_exit_code_says_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
