#include "serve_command.h"

#include <stdbool.h>
#include <sysexits.h>

#include "astray/args.h"
#include "collector.h"

struct wishes {
	const char *config;
};

static const struct args_command command = {
	.name = "serve",
	.operands = "",
	.summary =
		"Takes what probes send, judges it, tells people and shows it to them, "
		"until "
		"SIGTERM or\nSIGINT. SIGHUP reads certificates and configuration again.",
};

static int run(struct log *log, const struct wishes *wishes)
{
	struct collector_config *config;
	struct fault fault = {0};
	char text[1024];

	if (collector_config_read(&config, wishes->config, &fault)) {
		(void)fprintf(stderr, "astray-collector serve: %s\n",
			fault_text(&fault, text, sizeof(text)));
		return EX_CONFIG;
	}
	return collector_run(config, log);
}

int serve_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {0};
	const struct args_option options[] = {
		{.name = "config",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.config,
			.help = "the configuration (needed); astray-collector init makes "
				"a first one"},
		{0},
	};
	int operands = args_take(options, &command, "astray-collector", argc, argv);

	if (operands == ARGS_HELPED) {
		(void)printf("\nKeys of the configuration:\n");
		collector_config_describe(stdout);
	}
	if (operands < 0)
		return args_exit_code(operands);
	if (operands > 0 || !wishes.config)
		return args_complain("astray-collector", &command,
			operands > 0 ? "takes no operands" : "needs --config FILE");
	return run(app, &wishes);
}
