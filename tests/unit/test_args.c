#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/args.h"

struct wishes {
	bool json;
	const char *file;
	int64_t ttl;
	struct args_texts roots;
};

static int parse(struct wishes *wishes, int argc, const char **words)
{
	const struct args_option options[] = {
		{"json", 'j', ARGS_FLAG, NULL, 0, 0, &wishes->json, "JSON"},
		{"file", 'f', ARGS_TEXT, "FILE", 0, 0, &wishes->file, "a file"},
		{"max-ttl", 0, ARGS_INT, "N", 1, 255, &wishes->ttl, "hops"},
		{"root", 0, ARGS_TEXTS, "ADDRESS", 0, 0, &wishes->roots, "roots"},
		{0},
	};

	*wishes = (struct wishes){0};
	return args_parse(options, "test", argc, (char **)(uintptr_t)words);
}

#define PARSE(wishes, ...)                                                             \
	parse(wishes,                                                                  \
		(int)(sizeof((const char *[]){"test", __VA_ARGS__}) / sizeof(char *)), \
		words = (const char *[]){"test", __VA_ARGS__})

static void options_and_operands_may_mix(void **state)
{
	struct wishes wishes;
	const char **words;

	(void)state;
	assert_int_equal(PARSE(&wishes, "one", "--max-ttl", "7", "two", "-jf", "x",
				 "--root=a", "--root", "b", "--", "--json"),
		3);
	assert_string_equal(words[1], "one");
	assert_string_equal(words[2], "two");
	assert_string_equal(words[3], "--json");
	assert_true(wishes.json);
	assert_string_equal(wishes.file, "x");
	assert_int_equal(wishes.ttl, 7);
	assert_int_equal(wishes.roots.count, 2);
	assert_string_equal(wishes.roots.text[1], "b");
}

static void a_dash_alone_is_an_operand(void **state)
{
	struct wishes wishes;
	const char **words;

	(void)state;
	assert_int_equal(PARSE(&wishes, "-"), 1);
	assert_string_equal(words[1], "-");
}

static void what_is_wrong_is_refused(void **state)
{
	struct wishes wishes;
	const char **words;

	(void)state;
	assert_int_equal(PARSE(&wishes, "--jsn"), -1);
	assert_int_equal(PARSE(&wishes, "-x"), -1);
	assert_int_equal(PARSE(&wishes, "--json=yes"), -1);
	assert_int_equal(PARSE(&wishes, "--file"), -1);
	assert_int_equal(PARSE(&wishes, "--max-ttl", "0"), -1);
	assert_int_equal(PARSE(&wishes, "--max-ttl", "256"), -1);
	assert_int_equal(PARSE(&wishes, "--max-ttl", "7x"), -1);
	assert_int_equal(PARSE(&wishes, "--max-ttl", "99999999999999999999"), -1);
	(void)words;
}

static int run_nothing(void *app, int argc, char **argv)
{
	(void)app;
	(void)argc;
	(void)argv;
	return 0;
}

static void a_command_is_found_by_its_whole_name(void **state)
{
	const struct args_command commands[] = {{"trace", "HOST…", "Traces", run_nothing},
		{"check", "URL…", "Checks", run_nothing}, {0}};

	(void)state;
	assert_ptr_equal(args_command_find(commands, "test", "check"), &commands[1]);
	assert_null(args_command_find(commands, "test", "chek"));
	assert_null(args_command_find(commands, "test", ""));
}

static void help_is_among_the_options_of_every_command(void **state)
{
	static const struct args_command look = {.name = "look",
		.operands = "FILE",
		.summary = "Looks.",
		.run = run_nothing};
	bool json = false;
	const struct args_option options[] = {
		{.name = "json",
			.kind = ARGS_FLAG,
			.target = &json,
			.help = "print JSON"},
		{0},
	};
	char name[] = "look", operand[] = "a", flag[] = "--json", last[] = "b",
	     help[] = "--help", letter[] = "-h", wrong[] = "--jsno";
	char *plain[] = {name, operand, flag, last}, *asked[] = {name, help},
	     *by_letter[] = {name, operand, letter}, *bad[] = {name, wrong, help};

	(void)state;
	assert_int_equal(args_take(options, &look, "tool", 4, plain), 2);
	assert_true(json);
	assert_string_equal(plain[2], "b");
	assert_int_equal(args_take(options, &look, "tool", 2, asked), ARGS_HELPED);
	assert_int_equal(args_take(options, &look, "tool", 3, by_letter), ARGS_HELPED);
	assert_int_equal(args_take(options, &look, "tool", 3, bad), -1);
	assert_int_equal(args_exit_code(ARGS_HELPED), 0);
	assert_int_equal(args_exit_code(-1), 64);
}

static int say_seven(void *app, int argc, char **argv)
{
	(void)argv;
	*(int *)app = argc;
	return 7;
}

static void a_program_runs_the_command_that_is_named(void **state)
{
	static const struct args_command commands[] = {
		{"count", "", "Counts", say_seven}, {0}};
	static const struct args_program program = {
		.name = "tool", .version = "1", .what = "Is one.", .commands = commands};
	char name[] = "tool", count[] = "count", more[] = "x", version[] = "--version";
	char *named[] = {name, count, more}, *none[] = {name}, *asked[] = {name, version},
	     *wrong[] = {name, more};
	int seen = 0;

	(void)state;
	assert_int_equal(args_run(&program, &seen, 3, named), 7);
	assert_int_equal(seen, 2);
	assert_int_equal(args_run(&program, &seen, 1, none), 64);
	assert_int_equal(args_run(&program, &seen, 2, asked), 0);
	assert_int_equal(args_run(&program, &seen, 2, wrong), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_may_mix),
		cmocka_unit_test(a_dash_alone_is_an_operand),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(a_command_is_found_by_its_whole_name),
		cmocka_unit_test(help_is_among_the_options_of_every_command),
		cmocka_unit_test(a_program_runs_the_command_that_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
