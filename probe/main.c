/*
 * astray-probe: measures from where it stands. Each command is one row.
 */

#include "astray/args.h"
#include "astray/log.h"
#include "check_command.h"
#include "flow_command.h"
#include "names_command.h"
#include "run_command.h"
#include "trace_command.h"

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

int main(int argc, char **argv)
{
	static const struct args_program program = {.name = "astray-probe",
		.version = ASTRAY_VERSION,
		.what = "Measures services from where it stands: their traffic, their "
			"paths, "
			"their names.",
		.commands = commands};
	struct log log = log_to_stderr();

	return args_run(&program, &log, argc, argv);
}
