/*
 * astray-probe: measures from where it stands. Each command is one row.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "astray/args.h"
#include "astray/log.h"
#include "check_command.h"
#include "flow_command.h"
#include "names_command.h"
#include "run_command.h"
#include "trace_command.h"

#define PROGRAM "astray-probe"

static const struct args_command commands[] = {
	{"run", "", "measure as a configuration says, and send it to the collector",
		run_command},
	{"trace", "HOST…", "show the path to a host, hop by hop", trace_command},
	{"flow", "", "count requests and time answers, live or from a capture file",
		flow_command},
	{"check", "URL…", "ask a URL once, phase by phase, and show its certificate",
		check_command},
	{"names", "ZONE", "ask everybody what they say of a zone", names_command_run},
	{0},
};

static void help(FILE *out)
{
	args_help_commands(out, PROGRAM,
		"Measures services from where it stands: their traffic, their paths, "
		"their names.",
		commands);
	(void)fprintf(out, "%s --version prints the version.\n", PROGRAM);
}

int main(int argc, char **argv)
{
	struct log log = log_to_stderr();
	const struct args_command *command;

	if (argc < 2) {
		help(stderr);
		return EX_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		return EX_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("%s %s\n", PROGRAM, ASTRAY_VERSION);
		return EX_OK;
	}
	command = args_command_find(commands, PROGRAM, argv[1]);
	return command ? command->run(&log, argc - 1, argv + 1) : EX_USAGE;
}
