#include "ask_command.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <uv.h>

#include "ask_view.h"
#include "astray/args.h"
#include "astray/fetch.h"
#include "astray/json.h"
#include "collector_config.h"

#define ANSWER_MAX ((size_t)16 * 1024 * 1024)
#define TIMEOUT_US (10 * MOMENT_SECOND_US)

struct question {
	struct args_command command;
	void (*show)(FILE *out, const struct json *answer);
};

struct wishes {
	const char *config, *url;
	bool all, json;
};

struct asking {
	const struct question *question;
	const struct wishes *wishes;
	const char *url;
	struct fetch *fetch;
	int exit_code;
};

static int fail(const struct asking *asking, int exit_code, const char *why)
{
	(void)fprintf(stderr, "astray-collector %s: %s: %s\n",
		asking->question->command.name, asking->url, why);
	return exit_code;
}

static int show(const struct asking *asking, const struct fetch_answer *answer)
{
	struct json_doc *doc;

	if (asking->wishes->json) {
		(void)fwrite(answer->body, 1, answer->body_len, stdout);
		(void)putchar('\n');
		return EX_OK;
	}
	if (json_parse(&doc, answer->body, answer->body_len, 0, NULL))
		return fail(asking, EX_PROTOCOL,
			"the answer is no JSON: is this a collector?");
	asking->question->show(stdout, json_root(doc));
	json_doc_free(doc);
	return EX_OK;
}

static void answered(void *arg, const struct fetch_answer *answer)
{
	struct asking *asking = arg;
	char why[OBS_TEXT + 64];

	if (answer->rc) {
		(void)snprintf(why, sizeof(why), "%s; is the collector running?",
			answer->error_text);
		asking->exit_code = fail(asking, EX_UNAVAILABLE, why);
	} else if (answer->status != 200 || answer->truncated) {
		(void)snprintf(why, sizeof(why), "answered %ld %.300s", answer->status,
			answer->body);
		asking->exit_code = fail(asking, EX_UNAVAILABLE, why);
	} else {
		asking->exit_code = show(asking, answer);
	}
	fetch_close(asking->fetch);
}

static int ask(struct asking *asking)
{
	const struct fetch_order order = {
		.url = asking->url, .timeout_us = TIMEOUT_US, .answer_limit = ANSWER_MAX};
	uv_loop_t loop;
	int rc = uv_loop_init(&loop);

	if (rc)
		return fail(asking, EX_OSERR, uv_strerror(rc));
	rc = fetch_open(&asking->fetch, &loop);
	if (rc == 0) {
		rc = fetch_start(asking->fetch, NULL, &order, answered, asking);
		if (rc)
			fetch_close(asking->fetch);
	}
	if (rc)
		asking->exit_code = fail(asking, EX_USAGE, "is no URL that can be asked");
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
	return asking->exit_code;
}

/* Where the API is: --url, or the configuration's web listener. */
static int find_base(char *out, size_t cap, const struct question *question,
	const struct wishes *wishes)
{
	struct collector_config *config;
	struct fault fault = {0};
	char text[1024];
	bool six;

	if (wishes->url) {
		(void)snprintf(out, cap, "%s", wishes->url);
		while (*out && out[strlen(out) - 1] == '/')
			out[strlen(out) - 1] = '\0';
		return EX_OK;
	}
	if (collector_config_read(&config, wishes->config, &fault)) {
		(void)fprintf(stderr, "astray-collector %s: %s\n", question->command.name,
			fault_text(&fault, text, sizeof(text)));
		return EX_CONFIG;
	}
	if (!config->web) {
		(void)fprintf(stderr,
			"astray-collector %s: %s has no \"web\": there is nobody to "
			"ask\n",
			question->command.name, wishes->config);
		collector_config_free(config);
		return EX_CONFIG;
	}
	six = config->web_listen.address.family == 6;
	(void)snprintf(out, cap, "http://%s%s%s:%u", six ? "[" : "",
		address_text(&config->web_listen.address, text), six ? "]" : "",
		(unsigned)config->web_listen.port);
	collector_config_free(config);
	return EX_OK;
}

static void escape(char *out, size_t cap, const char *text)
{
	size_t used = 0;

	for (; *text && used + 4 < cap; text++) {
		if (isalnum((unsigned char)*text))
			out[used++] = *text;
		else
			used += (size_t)snprintf(
				out + used, cap - used, "%%%02X", (unsigned char)*text);
	}
	out[used] = '\0';
}

static int run(
	const struct question *question, const struct wishes *wishes, const char *service)
{
	struct asking asking = {
		.question = question, .wishes = wishes, .exit_code = EX_UNAVAILABLE};
	const char *open =
		question->show == ask_view_incidents && !wishes->all ? "?state=open" : "";
	char base[1024], escaped[1024] = "", url[2304];
	int exit_code = find_base(base, sizeof(base), question, wishes);

	if (exit_code)
		return exit_code;
	if (service)
		escape(escaped, sizeof(escaped), service);
	(void)snprintf(url, sizeof(url), "%s/api/v1/%s%s%s", base, question->command.name,
		service ? "?service=" : open, escaped);
	asking.url = url;
	return ask(&asking);
}

static int read_wishes(const struct question *question, int argc, char **argv)
{
	bool wants_service = question->command.operands[0];
	struct wishes wishes = {0};
	const struct args_option options[] = {
		{.name = "config",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.config,
			.help = "the collector's configuration: its web.listen is asked"},
		{.name = "url",
			.kind = ARGS_TEXT,
			.metavar = "URL",
			.target = &wishes.url,
			.help = "in its place: http://127.0.0.1:8080"},
		{.name = "all",
			.kind = ARGS_FLAG,
			.target = &wishes.all,
			.help = "of incidents: those that are over, too"},
		{.name = "json",
			.kind = ARGS_FLAG,
			.target = &wishes.json,
			.help = "print the answer as it came"},
		{0},
	};
	int operands =
		args_take(options, &question->command, "astray-collector", argc, argv);

	if (operands < 0)
		return args_exit_code(operands);
	if (operands != (int)wants_service || !wishes.config == !wishes.url) {
		(void)fprintf(stderr,
			"astray-collector %s: wants %s--config FILE or --url URL; see "
			"astray-collector %s --help\n",
			question->command.name, wants_service ? "a service and " : "",
			question->command.name);
		return EX_USAGE;
	}
	return run(question, &wishes, wants_service ? argv[1] : NULL);
}

int ask_command_services(void *app, int argc, char **argv)
{
	static const struct question question = {
		{"services", "", "Shows the services as they are now.",
			ask_command_services},
		ask_view_services};

	(void)app;
	return read_wishes(&question, argc, argv);
}

int ask_command_incidents(void *app, int argc, char **argv)
{
	static const struct question question = {
		{"incidents", "", "Shows the incidents that are open.",
			ask_command_incidents},
		ask_view_incidents};

	(void)app;
	return read_wishes(&question, argc, argv);
}

int ask_command_paths(void *app, int argc, char **argv)
{
	static const struct question question = {
		{"paths", "SERVICE",
			"Shows the paths to a service, as they are and as they were.",
			ask_command_paths},
		ask_view_paths};

	(void)app;
	return read_wishes(&question, argc, argv);
}
