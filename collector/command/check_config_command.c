#include "check_config_command.h"

#include <stdbool.h>
#include <sysexits.h>

#include "astray/args.h"
#include "collector_config.h"
#include "http_tls.h"

static const struct args_command command = {
	.name = "check-config",
	.operands = "FILE",
	.summary = "Reads a configuration and all files that it names, and says what is "
		   "wrong.",
};

static int check_certificates(const struct collector_config *config, struct fault *fault)
{
	const struct http_tls_files files = {.certificate = config->certificate,
		.key = config->key,
		.client_ca = config->client_ca[0] ? config->client_ca : NULL};
	struct http_tls *tls;
	int rc;

	if (!config->tls)
		return 0;
	rc = http_tls_open(&tls, &files, fault);
	if (rc == 0)
		http_tls_close(tls);
	return rc;
}

static int check(const char *path)
{
	struct collector_config *config;
	struct fault fault = {0};
	char text[1024];
	int rc = collector_config_read(&config, path, &fault);

	if (rc == 0) {
		rc = check_certificates(config, &fault);
		if (rc)
			(void)snprintf(fault.input, sizeof(fault.input), "%s", path);
		else
			(void)printf(
				"%s: good (%zu services, %zu tokens, %u to notify)\n",
				path, config->services.count, config->token_count,
				config->notify.count);
	}
	collector_config_free(config);
	if (rc)
		(void)fprintf(stderr, "astray-collector check-config: %s\n",
			fault_text(&fault, text, sizeof(text)));
	return rc ? EX_CONFIG : EX_OK;
}

int check_config_command(void *app, int argc, char **argv)
{
	const struct args_option options[] = {
		{0},
	};
	int operands = args_take(options, &command, "astray-collector", argc, argv);

	(void)app;
	if (operands == ARGS_HELPED) {
		(void)printf("\nKeys:\n");
		collector_config_describe(stdout);
	}
	if (operands < 0)
		return args_exit_code(operands);
	if (operands != 1)
		return args_complain("astray-collector", &command, "wants one file");
	return check(argv[1]);
}
