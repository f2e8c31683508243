/*
 * astray-collector: takes what probes measure, judges it, and tells people. Each command
 * is one row.
 */

#include "ask_command.h"
#include "astray/args.h"
#include "astray/log.h"
#include "check_config_command.h"
#include "export_command.h"
#include "init_command.h"
#include "notify_command.h"
#include "replay_command.h"
#include "serve_command.h"

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

int main(int argc, char **argv)
{
	static const struct args_program program = {.name = "astray-collector",
		.version = ASTRAY_VERSION,
		.what = "Takes what probes measure, judges it, and tells people when it "
			"matters.",
		.commands = commands};
	struct log log = log_to_stderr();

	return args_run(&program, &log, argc, argv);
}
