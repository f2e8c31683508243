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
#include "trace_command.h"

#define WORDS_MAX 16

/* Runs "trace" with these words; *said is what it logged, for the caller to free. */
static int run(const char *words, char **said)
{
	char line[256], name[] = "trace";
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
	exit_code = trace_command(&log, argc, argv);
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
	check("", EX_USAGE, "at least one host");
	check("--protocol sctp 192.0.2.1", EX_USAGE, "tcp, udp or icmp");
	check("--protocol icmp --port 5 192.0.2.1", EX_USAGE, "--port");
	check("-4 -6 192.0.2.1", EX_USAGE, "not both");
	check("--flow 4001 192.0.2.1", EX_USAGE, "");
	check("--max-ttl 65 192.0.2.1", EX_USAGE, "");
	check("--all 192.0.2.1", EX_USAGE, "");
	check("ex;ample", EX_USAGE, "ex;ample");
}

static void a_file_that_is_not_there_is_named(void **state)
{
	(void)state;
	check("--targets /nonexistent/targets", EX_NOINPUT, "/nonexistent/targets");
	check("--geo-city /nonexistent/city.mmdb 192.0.2.1", EX_NOINPUT,
		"/nonexistent/city.mmdb");
	check("--geo-asn " TEST_DATA "/geo.json 192.0.2.1", EX_DATAERR, "geo.json");
}

static void help_is_no_error(void **state)
{
	(void)state;
	check("--help", EX_OK, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_makes_no_sense_is_a_usage_error),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(help_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
