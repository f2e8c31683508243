#include "astray/args.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "nearest.h"

static const struct args_option help_row = {
	.name = "help", .letter = 'h', .kind = ARGS_FLAG, .help = "print this"};

/* Where a run through argv stands: operands are moved to the front as they are met. */
struct reading {
	const struct args_option *options;
	const char *command;
	bool takes_help, wants_help;
	int argc;
	char **argv;
	int at;
	int operands;
};

static bool is_last(const struct args_option *option)
{
	return !option->name && !option->letter;
}

static const struct args_option *by_name(
	const struct args_option *options, const char *name, size_t len)
{
	for (; !is_last(options); options++)
		if (options->name && strlen(options->name) == len &&
			memcmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static const struct args_option *by_letter(const struct args_option *options, char letter)
{
	for (; !is_last(options); options++)
		if (options->letter == letter)
			return options;
	return NULL;
}

static int complain_unknown(const struct reading *run, const char *name, size_t len)
{
	const struct args_option *near = NULL;
	unsigned best = NEAREST_NONE;

	for (const struct args_option *option = run->options; !is_last(option);
		option++) {
		unsigned distance = option->name
					    ? nearest_distance(option->name, name, len)
					    : NEAREST_NONE;

		if (distance < best) {
			best = distance;
			near = option;
		}
	}
	(void)fprintf(
		stderr, "%s: there is no option --%.*s", run->command, (int)len, name);
	if (near)
		(void)fprintf(stderr, "; did you mean --%s?", near->name);
	(void)fputc('\n', stderr);
	return -1;
}

static const char *option_text(const struct args_option *option, char buf[static 64])
{
	if (option->name)
		(void)snprintf(buf, 64, "--%s", option->name);
	else
		(void)snprintf(buf, 64, "-%c", option->letter);
	return buf;
}

static int take_int(
	const struct reading *run, const struct args_option *option, const char *value)
{
	char name[64];
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno || end == value || *end || number < option->min ||
		number > option->max) {
		(void)fprintf(stderr,
			"%s: %s: \"%s\" is not a number between %lld and %lld\n",
			run->command, option_text(option, name), value,
			(long long)option->min, (long long)option->max);
		return -1;
	}
	*(int64_t *)option->target = number;
	return 0;
}

static int take_texts(
	const struct reading *run, const struct args_option *option, const char *value)
{
	struct args_texts *texts = option->target;
	char name[64];

	if (texts->count == ARGS_TEXTS_MAX) {
		(void)fprintf(stderr, "%s: %s is given more than %d times\n",
			run->command, option_text(option, name), ARGS_TEXTS_MAX);
		return -1;
	}
	texts->text[texts->count++] = value;
	return 0;
}

static int take_value(
	const struct reading *run, const struct args_option *option, const char *value)
{
	switch (option->kind) {
	case ARGS_FLAG:
		*(bool *)option->target = true;
		return 0;
	case ARGS_TEXT:
		*(const char **)option->target = value;
		return 0;
	case ARGS_INT:
		return take_int(run, option, value);
	case ARGS_TEXTS:
		return take_texts(run, option, value);
	}
	return -1;
}

/* The option's value: what stands behind the name in the same word, or the next word. */
static const char *value_of(
	struct reading *run, const struct args_option *option, const char *attached)
{
	char name[64];

	if (attached)
		return attached;
	if (run->at + 1 < run->argc)
		return run->argv[++run->at];
	(void)fprintf(stderr, "%s: %s needs a value: %s\n", run->command,
		option_text(option, name), option->metavar ? option->metavar : "VALUE");
	return NULL;
}

static int read_long(struct reading *run, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct args_option *option = by_name(run->options, word, len);
	const char *value;

	if (run->takes_help && strcmp(word, help_row.name) == 0) {
		run->wants_help = true;
		return 0;
	}
	if (!option)
		return complain_unknown(run, word, len);
	if (option->kind == ARGS_FLAG) {
		if (equals) {
			(void)fprintf(stderr, "%s: --%s takes no value\n", run->command,
				option->name);
			return -1;
		}
		return take_value(run, option, NULL);
	}
	value = value_of(run, option, equals ? equals + 1 : NULL);
	return value ? take_value(run, option, value) : -1;
}

static int read_letters(struct reading *run, const char *letters)
{
	for (; *letters; letters++) {
		const struct args_option *option = by_letter(run->options, *letters);
		const char *value;

		if (!option && run->takes_help && *letters == help_row.letter) {
			run->wants_help = true;
			continue;
		}
		if (!option) {
			(void)fprintf(stderr, "%s: there is no option -%c\n",
				run->command, *letters);
			return -1;
		}
		if (option->kind != ARGS_FLAG) {
			value = value_of(run, option, letters[1] ? letters + 1 : NULL);
			return value ? take_value(run, option, value) : -1;
		}
		if (take_value(run, option, NULL))
			return -1;
	}
	return 0;
}

static void keep_operand(struct reading *run, char *word)
{
	run->argv[1 + run->operands++] = word;
}

static int read_all(struct reading *run)
{
	for (; run->at < run->argc; run->at++) {
		char *word = run->argv[run->at];

		if (strcmp(word, "--") == 0) {
			while (++run->at < run->argc)
				keep_operand(run, run->argv[run->at]);
		} else if (word[0] == '-' && word[1] == '-') {
			if (read_long(run, word + 2))
				return -1;
		} else if (word[0] == '-' && word[1]) {
			if (read_letters(run, word + 1))
				return -1;
		} else {
			keep_operand(run, word);
		}
	}
	return run->operands;
}

int args_parse(
	const struct args_option *options, const char *command, int argc, char **argv)
{
	struct reading run = {.options = options,
		.command = command,
		.argc = argc,
		.argv = argv,
		.at = 1};

	return read_all(&run);
}

int args_take(const struct args_option *options, const struct args_command *command,
	const char *program, int argc, char **argv)
{
	char name[128];
	struct reading run = {.options = options,
		.command = name,
		.takes_help = true,
		.argc = argc,
		.argv = argv,
		.at = 1};
	int operands;

	(void)snprintf(name, sizeof(name), "%s %s", program, command->name);
	operands = read_all(&run);
	if (operands < 0 || !run.wants_help)
		return operands;
	args_help(stdout, program, command, options);
	return ARGS_HELPED;
}

int args_exit_code(int taken)
{
	return taken == ARGS_HELPED ? EX_OK : EX_USAGE;
}

int args_complain(
	const char *program, const struct args_command *command, const char *why)
{
	(void)fprintf(stderr, "%s %s: %s; see %s %s --help\n", program, command->name,
		why, program, command->name);
	return EX_USAGE;
}

static void help_option(FILE *out, const struct args_option *option)
{
	char left[80];
	const char *metavar = option->kind == ARGS_FLAG ? "" : option->metavar;
	const char *gap = *metavar ? " " : "";

	if (option->name && option->letter)
		(void)snprintf(left, sizeof(left), "-%c, --%s%s%s", option->letter,
			option->name, gap, metavar);
	else if (option->name)
		(void)snprintf(
			left, sizeof(left), "    --%s%s%s", option->name, gap, metavar);
	else
		(void)snprintf(
			left, sizeof(left), "-%c%s%s", option->letter, gap, metavar);
	(void)fprintf(out, "  %-28s  %s\n", left, option->help);
}

void args_help(FILE *out, const char *program, const struct args_command *command,
	const struct args_option *options)
{
	(void)fprintf(out, "Usage: %s %s [OPTION]…%s%s\n\n%s\n\nOptions:\n", program,
		command->name, *command->operands ? " " : "", command->operands,
		command->summary);
	for (const struct args_option *row = options; !is_last(row); row++)
		help_option(out, row);
	if (!by_name(options, help_row.name, strlen(help_row.name)))
		help_option(out, &help_row);
}

void args_help_commands(FILE *out, const char *program, const char *what,
	const struct args_command *commands)
{
	(void)fprintf(
		out, "Usage: %s COMMAND [OPTION]…\n\n%s\n\nCommands:\n", program, what);
	for (; commands->name; commands++)
		(void)fprintf(out, "  %-14s %s\n", commands->name, commands->summary);
	(void)fprintf(out, "\n%s COMMAND --help explains a command.\n", program);
}

const struct args_command *args_command_find(
	const struct args_command *commands, const char *program, const char *name)
{
	const struct args_command *near = NULL;
	unsigned best = NEAREST_NONE;

	for (; commands->name; commands++) {
		unsigned distance = nearest_distance(commands->name, name, strlen(name));

		if (strcmp(commands->name, name) == 0)
			return commands;
		if (distance < best) {
			best = distance;
			near = commands;
		}
	}
	(void)fprintf(stderr, "%s: there is no command \"%s\"", program, name);
	if (near)
		(void)fprintf(stderr, "; did you mean \"%s\"?", near->name);
	(void)fprintf(stderr, "\n%s --help lists the commands.\n", program);
	return NULL;
}

static void help_program(FILE *out, const struct args_program *program)
{
	args_help_commands(out, program->name, program->what, program->commands);
	(void)fprintf(out, "%s --version prints the version.\n", program->name);
}

int args_run(const struct args_program *program, void *app, int argc, char **argv)
{
	const struct args_command *command;

	if (argc < 2) {
		help_program(stderr, program);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_program(stdout, program);
		return EX_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("%s %s\n", program->name, program->version);
		return EX_OK;
	}
	command = args_command_find(program->commands, program->name, argv[1]);
	return command ? command->run(app, argc - 1, argv + 1) : EX_USAGE;
}
