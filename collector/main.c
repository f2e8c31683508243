/*
 * astray-collector: takes what probes measure, judges it, and tells people. Each command
 * is one row.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ask_command.h"
#include "astray/args.h"
#include "astray/log.h"
#include "check_config_command.h"
#include "export_command.h"
#include "init_command.h"
#include "notify_command.h"
#include "replay_command.h"
#include "serve_command.h"

#define PROGRAM "astray-collector"

static const struct args_command commands[] = {
	{"init", "DIRECTORY", "make a first configuration, with certificates",
		init_command},
	{"serve", "", "take what probes send, judge it, tell people", serve_command},
	{"check-config", "FILE", "say whether a configuration is good",
		check_config_command},
	{"services", "", "show the services as they are now", ask_command_services},
	{"incidents", "", "show the incidents that are open", ask_command_incidents},
	{"paths", "SERVICE", "show the paths to a service, now and before",
		ask_command_paths},
	{"notify", "", "tell a target of an incident that did not happen",
		notify_command},
	{"export", "", "print the journal as a recorded stream", export_command},
	{"replay", "STREAM", "judge a recorded stream", replay_command},
	{0},
};

static void help(FILE *out)
{
	args_help_commands(out, PROGRAM,
		"Takes what probes measure, judges it, and tells people when it matters.",
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
