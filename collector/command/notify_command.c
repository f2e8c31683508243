#include "notify_command.h"

#include <stdbool.h>
#include <sysexits.h>

#include "astray/args.h"
#include "collector_config.h"
#include "notify_test.h"

struct wishes {
	const char *config, *test;
};

static const struct args_command command = {
	.name = "notify",
	.operands = "",
	.summary = "Tells one target of an incident that did not happen, and of its end, "
		   "and prints "
		   "what the\nother side answered.",
};

static int run(const struct log *log, const struct wishes *wishes)
{
	struct collector_config *config;
	struct fault fault = {0};
	char text[1024];
	int exit_code;

	if (collector_config_read(&config, wishes->config, &fault)) {
		(void)fprintf(stderr, "astray-collector notify: %s\n",
			fault_text(&fault, text, sizeof(text)));
		return EX_CONFIG;
	}
	exit_code = notify_test(&(struct notify_test_order){.config = &config->notify,
		.target = wishes->test,
		.dashboard = config->web_url,
		.log = log,
		.out = stdout});
	collector_config_free(config);
	return exit_code;
}

int notify_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {0};
	const struct args_option options[] = {
		{.name = "config",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.config,
			.help = "the collector's configuration (needed)"},
		{.name = "test",
			.kind = ARGS_TEXT,
			.metavar = "NAME",
			.target = &wishes.test,
			.help = "the target's name in \"notify\" (needed)"},
		{0},
	};
	int operands = args_take(options, &command, "astray-collector", argc, argv);

	if (operands < 0)
		return args_exit_code(operands);
	if (operands > 0 || !wishes.config || !wishes.test)
		return args_complain("astray-collector", &command,
			"needs --config FILE and --test NAME");
	return run(app, &wishes);
}
