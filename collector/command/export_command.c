#include "export_command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "astray/args.h"
#include "astray/log.h"
#include "astray/status.h"
#include "collector_config.h"
#include "journal_read.h"

struct wishes {
	const char *config, *from, *until;
};

static const struct args_command command = {
	.name = "export",
	.operands = "",
	.summary =
		"Prints what the journal holds as a recorded stream, one observation a "
		"line, in "
		"the\norder in which the collector had it. May run beside the collector.",
};

static int usage(const char *why)
{
	return args_complain("astray-collector", &command, why);
}

static int fail(const struct fault *fault, int exit_code)
{
	char text[1024];

	(void)fprintf(stderr, "astray-collector export: %s\n",
		fault_text(fault, text, sizeof(text)));
	return exit_code;
}

static int print_lines(const struct wire_origin *origin, const char *lines, size_t len,
	char *record, struct fault *fault)
{
	const char *at = lines, *end = lines + len, *line;
	bool terminated;

	while ((line = wire_next_line(&at, end, &len, &terminated))) {
		int size = wire_encode_record(
			record, WIRE_RECORD_MAX + 1, origin, line, len);

		if (size < 0)
			return fault_at(fault, size, "", "a line of the journal: %s",
				status_text(size));
		if (fwrite(record, 1, (size_t)size, stdout) != (size_t)size)
			return fault_at(
				fault, -EIO, "", "standard output: %s", strerror(errno));
	}
	return 0;
}

static int print_batches(struct journal_reader *reader, struct fault *fault)
{
	char *record = malloc(WIRE_RECORD_MAX + 1);
	struct wire_origin origin;
	const char *lines;
	size_t len;
	int rc = record ? 1 : fault_at(fault, -ENOMEM, "", "no memory");

	while (rc > 0) {
		rc = journal_read_next(reader, &origin, &lines, &len, fault);
		if (rc > 0 && print_lines(&origin, lines, len, record, fault))
			rc = -EIO;
	}
	free(record);
	if (rc == 0 && fflush(stdout))
		rc = fault_at(fault, -EIO, "", "standard output: %s", strerror(errno));
	return rc;
}

static int run(const struct wishes *wishes, struct moment from, struct moment until)
{
	char file[COLLECTOR_CONFIG_TEXT];
	struct collector_config *config;
	struct journal_reader *reader;
	struct fault fault = {0};
	int rc;

	if (collector_config_read(&config, wishes->config, &fault))
		return fail(&fault, EX_CONFIG);
	rc = journal_read_open(&reader, collector_config_file(config, "journal.db", file),
		from, until, &fault);
	collector_config_free(config);
	if (rc == 0)
		rc = print_batches(reader, &fault);
	if (rc == 0)
		journal_read_close(reader);
	return rc ? fail(&fault, status_exit_code(rc)) : EX_OK;
}

int export_command(void *app, int argc, char **argv)
{
	struct moment from = {0}, until = {MOMENT_MAX_US};
	struct wishes wishes = {0};
	const struct args_option options[] = {
		{.name = "config",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.config,
			.help = "the collector's configuration (needed)"},
		{.name = "from",
			.kind = ARGS_TEXT,
			.metavar = "T",
			.target = &wishes.from,
			.help = "what came at this time or later: 2020-05-31T00:05:00Z, "
				"or "
				"microseconds since 1970"},
		{.name = "until",
			.kind = ARGS_TEXT,
			.metavar = "T",
			.target = &wishes.until,
			.help = "what came before this time"},
		{0},
	};
	int operands = args_take(options, &command, "astray-collector", argc, argv);

	(void)app;
	if (operands < 0)
		return args_exit_code(operands);
	if (operands > 0)
		return usage("takes no operands");
	if (!wishes.config)
		return usage("needs --config FILE");
	if (wishes.from && moment_parse(&from, wishes.from))
		return usage("--from should be a time like 2020-05-31T00:05:00Z");
	if (wishes.until && moment_parse(&until, wishes.until))
		return usage("--until should be a time like 2020-05-31T00:05:00Z");
	return run(&wishes, from, until);
}
