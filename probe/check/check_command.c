#include "check_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include "astray/args.h"
#include "astray/log.h"
#include "astray/now.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "check_record.h"
#include "check_view.h"

#define TIMEOUT_S 10
#define LINE_ROOM ((size_t)WIRE_LINE_MAX)

struct wishes {
	const char *ca_file;
	int64_t timeout_s;
	bool json;
};

/* The URLs of one call, one after the other: they must not blur each other's times. */
struct errand {
	const struct log *log;
	const struct wishes *wishes;
	char **urls;
	int count, next;
	uv_loop_t loop;
	struct fetch *fetch;
	struct moment began;
	struct obs *obs; /* too large for a stack */
	char *line;
	int exit_code;
};

static const struct args_command command = {
	.name = "check",
	.operands = "URL…",
	.summary = "Asks each URL once, and says how long each phase took and what "
		   "certificate\n"
		   "was shown. Ends with 0, or 68 (name), 75 (connection), 76 (TLS),\n"
		   "69 (the service says that it failed).",
	.run = check_command,
};

static void check_next(struct errand *errand);

static void fail(struct errand *errand, const char *what, const char *why, int exit_code)
{
	log_error(errand->log, "check", "%s: %s", what, why);
	errand->exit_code = exit_code;
}

static int exit_code_of(enum obs_check_error error)
{
	switch (error) {
	case OBS_CHECK_OK:
		return EX_OK;
	case OBS_CHECK_DNS:
		return EX_NOHOST;
	case OBS_CHECK_TLS:
		return EX_PROTOCOL;
	case OBS_CHECK_HTTP:
		return EX_UNAVAILABLE;
	case OBS_CHECK_REFUSED:
	case OBS_CHECK_TIMEOUT:
	case OBS_CHECK_RESET:
	case OBS_CHECK_UNREACHABLE:
		break;
	}
	return EX_TEMPFAIL;
}

static void print(struct errand *errand)
{
	int len;

	if (errand->wishes->json) {
		len = wire_encode(errand->line, LINE_ROOM, errand->obs);
		if (len < 0)
			fail(errand, errand->obs->check.url, status_text(len),
				EX_SOFTWARE);
		else
			(void)fwrite(
				errand->line, 1, (size_t)len, stdout); /* fflush tells */
	} else {
		check_view_print(stdout, &errand->obs->check, now_moment());
	}
	if (fflush(stdout))
		fail(errand, "standard output", status_text(-errno), EX_IOERR);
}

static void check_ended(void *arg, const struct fetch_answer *answer)
{
	struct errand *errand = arg;
	const char *url = errand->urls[errand->next - 1];
	char host[OBS_NAME];

	check_record_host(host, sizeof(host), url);
	if (check_record_fill(errand->obs, errand->began, host, url, answer)) {
		if (answer->late)
			log_warn(errand->log, "check",
				"%s: this machine was too busy to take its times", url);
		if (errand->obs->check.error != OBS_CHECK_OK)
			errand->exit_code = exit_code_of(errand->obs->check.error);
		print(errand);
	} else {
		fail(errand, url, answer->error_text, status_exit_code(answer->rc));
	}
	check_next(errand);
}

static int start_check(struct errand *errand, const char *url)
{
	const struct fetch_order order = {.url = url,
		.timeout_us = errand->wishes->timeout_s * MOMENT_SECOND_US,
		.measure = true,
		.ca_file = errand->wishes->ca_file};

	errand->began = now_moment();
	return fetch_start(errand->fetch, NULL, &order, check_ended, errand);
}

static void check_next(struct errand *errand)
{
	while (errand->next < errand->count) {
		const char *url = errand->urls[errand->next++];
		int rc = start_check(errand, url);

		if (rc == 0)
			return;
		fail(errand, url,
			rc == STATUS_UNSUPPORTED ? "only http and https are spoken"
						 : status_text(rc),
			rc == STATUS_UNSUPPORTED || rc == STATUS_SYNTAX
				? EX_USAGE
				: status_exit_code(rc));
	}
	fetch_close(errand->fetch);
	errand->fetch = NULL;
}

static int run(struct errand *errand)
{
	int rc = uv_loop_init(&errand->loop);

	if (rc) {
		fail(errand, "loop", status_text(rc), EX_OSERR);
		return errand->exit_code;
	}
	errand->obs = malloc(sizeof(*errand->obs));
	errand->line = malloc(LINE_ROOM);
	rc = errand->obs && errand->line ? fetch_open(&errand->fetch, &errand->loop)
					 : -ENOMEM;
	if (rc == 0)
		check_next(errand);
	else
		fail(errand, "HTTP client", status_text(rc), EX_OSERR);
	(void)uv_run(&errand->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&errand->loop);
	free(errand->obs);
	free(errand->line);
	return errand->exit_code;
}

int check_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {.timeout_s = TIMEOUT_S};
	const struct args_option options[] = {
		{.name = "timeout",
			.kind = ARGS_INT,
			.metavar = "SECONDS",
			.min = 1,
			.max = 300,
			.target = &wishes.timeout_s,
			.help = "for a whole request (default 10)"},
		{.name = "ca",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.ca_file,
			.help = "certificates to trust (PEM; default the system's)"},
		{.name = "json",
			.kind = ARGS_FLAG,
			.target = &wishes.json,
			.help = "print observations, one a line"},
		{0},
	};
	struct errand errand = {.log = app, .wishes = &wishes, .urls = argv + 1};

	errand.count = args_take(options, &command, "astray-probe", argc, argv);
	if (errand.count < 0)
		return args_exit_code(errand.count);
	if (errand.count == 0) {
		log_error(app, "check",
			"wants at least one URL; see astray-probe check --help");
		return EX_USAGE;
	}
	if (wishes.ca_file && access(wishes.ca_file, R_OK)) {
		log_error(app, "check", "%s: %s", wishes.ca_file, strerror(errno));
		return EX_NOINPUT;
	}
	return run(&errand);
}
