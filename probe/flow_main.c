/*
 * astray-probe flow, by itself: gateways count connections in tens of thousands, and what
 * only other commands load would be a sixth of its memory.
 */

#include "astray/args.h"
#include "astray/log.h"
#include "flow_command.h"

static const struct args_command commands[] = {
	{"flow", "", "count requests and time answers, live or from a capture file",
		flow_command},
	{0},
};

int main(int argc, char **argv)
{
	static const struct args_program program = {
		.name = "astray-probe", .version = ASTRAY_VERSION, .commands = commands};
	struct log log = log_to_stderr();

	return args_run(&program, &log, argc, argv);
}
