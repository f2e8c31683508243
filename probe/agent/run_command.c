#include "run_command.h"

#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

#include "agent.h"
#include "agent_sources.h"
#include "astray/args.h"
#include "astray/status.h"

struct wishes {
	const char *config;
	bool print, check;
};

static const struct args_command command = {
	.name = "run",
	.operands = "",
	.summary = "Measures as its configuration says and sends what it finds to the "
		   "collector,\n"
		   "until SIGTERM or SIGINT. SIGHUP reads the configuration again.",
};

static int run(struct log *log, const struct wishes *wishes)
{
	struct agent_order order = {
		.kinds = agent_sources, .log = log, .print = wishes->print};
	struct fault fault = {0};
	char text[1024];

	if (agent_config_read(&order.config, wishes->config, agent_sources, &fault)) {
		(void)fprintf(stderr, "astray-probe run: %s\n",
			fault_text(&fault, text, sizeof(text)));
		return EX_CONFIG;
	}
	if (!wishes->check)
		return agent_run(&order);
	agent_config_free(order.config);
	(void)printf("%s: good\n", wishes->config);
	return EX_OK;
}

int run_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {.config = NULL};
	const struct args_option options[] = {
		{.name = "config",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.config,
			.help = "the configuration (needed)"},
		{.name = "check-config",
			.kind = ARGS_FLAG,
			.target = &wishes.check,
			.help = "only say whether the configuration is good"},
		{.name = "print",
			.kind = ARGS_FLAG,
			.target = &wishes.print,
			.help = "print what would be sent, line by line, and send "
				"nothing"},
		{0},
	};
	int operands = args_take(options, &command, "astray-probe", argc, argv);

	if (operands == ARGS_HELPED) {
		(void)putchar('\n');
		agent_config_describe(stdout, agent_sources);
	}
	if (operands < 0)
		return args_exit_code(operands);
	if (operands > 0 || !wishes.config)
		return args_complain("astray-probe", &command,
			operands > 0 ? "takes no operands" : "needs --config FILE");
	return run(app, &wishes);
}
