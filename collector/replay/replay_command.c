#include "replay_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "astray/args.h"
#include "astray/now.h"
#include "astray/status.h"
#include "collector_config.h"
#include "geo.h"
#include "recording.h"
#include "replay_tally.h"

#define PROGRESS_EVERY 16384 /* observations between looks at the clock */

struct wishes {
	const char *config, *compare, *incidents;
};

/* One way of judging. */
struct judge {
	struct collector_config *config;
	struct geo *geo;
	struct pipeline *pipeline;
	struct replay_tally tally;
	FILE *out; /* of its incidents as NDJSON; NULL: none */
	char *line;
	int rc;
};

struct replay {
	struct judge judges[2];
	unsigned judge_count;
	struct recording *recording;
	struct moment first, last;
	uint64_t observations;
	struct tick began, shown;
	bool progress;
};

static const struct args_command command = {
	.name = "replay",
	.operands = "STREAM",
	.summary = "Judges a recorded stream (what export prints; - is standard input) "
		   "as if it came now,\n"
		   "and shows the incidents that it would have raised.",
};

static int usage(const char *why)
{
	return args_complain("astray-collector", &command, why);
}

static int fail(const struct fault *fault, int exit_code)
{
	char text[1024];

	(void)fprintf(stderr, "astray-collector replay: %s\n",
		fault_text(fault, text, sizeof(text)));
	return exit_code;
}

static void incident_changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct judge *judge = arg;
	int len;

	if (change == INCIDENT_CHANGE_UPDATED)
		return;
	replay_tally_note(&judge->tally, change, incident);
	if (!judge->out || judge->rc)
		return;
	len = incident_encode(judge->line, INCIDENT_LINE_MAX, incident);
	if (len < 0)
		judge->rc = len;
	else if (fwrite(judge->line, 1, (size_t)len, judge->out) != (size_t)len)
		judge->rc = -errno;
}

static int open_judge(struct judge *judge, const char *config, struct fault *fault)
{
	const struct pipeline_hooks hooks = {.changed = incident_changed, .arg = judge};
	int rc = collector_config_read(&judge->config, config, fault);

	if (rc)
		return rc;
	judge->line = malloc(INCIDENT_LINE_MAX);
	if (!judge->line)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = geo_open(
		&judge->geo, judge->config->geo_city, judge->config->geo_asn, fault);
	if (rc)
		return rc;
	rc = pipeline_new(&judge->pipeline, &judge->config->services,
		&judge->config->judgement, judge->geo, &hooks);
	return rc ? fault_at(fault, rc, "", "%s", status_text(rc)) : 0;
}

static int close_judge(struct judge *judge)
{
	if (judge->out && judge->out != stdout && fclose(judge->out) && !judge->rc)
		judge->rc = -errno;
	pipeline_free(judge->pipeline);
	geo_close(judge->geo);
	collector_config_free(judge->config);
	replay_tally_free(&judge->tally);
	free(judge->line);
	return judge->rc;
}

static double seconds_since(struct tick began)
{
	return (double)tick_since_us(now_tick(), began) / MOMENT_SECOND_US;
}

static void show_progress(struct replay *replay)
{
	char at[MOMENT_TEXT];
	int percent = recording_percent(replay->recording);

	if (!replay->progress ||
		tick_since_us(now_tick(), replay->shown) < MOMENT_SECOND_US / 4)
		return;
	replay->shown = now_tick();
	(void)fputc('\r', stderr);
	if (percent >= 0)
		(void)fprintf(stderr, "%3d %%  ", percent);
	(void)fprintf(stderr,
		"%s  %" PRIu64 " observations, %.0f a second, %" PRIu64 " pages ",
		moment_text(replay->last, false, at), replay->observations,
		(double)replay->observations / seconds_since(replay->began),
		replay->judges[0].tally.pages);
}

static int feed_all(struct replay *replay, struct fault *fault)
{
	struct obs *obs = malloc(sizeof(*obs));
	struct wire_origin origin;
	int rc = obs ? 0 : fault_at(fault, -ENOMEM, "", "no memory");

	while (rc == 0 &&
		(rc = recording_next(replay->recording, &origin, obs, fault)) > 0) {
		for (unsigned i = 0; i < replay->judge_count; i++)
			pipeline_feed(replay->judges[i].pipeline, &origin, obs);
		if (!replay->observations++)
			replay->first = origin.rx;
		replay->last = origin.rx;
		if (replay->observations % PROGRESS_EVERY == 0)
			show_progress(replay);
		rc = 0;
	}
	free(obs);
	return rc;
}

static int summarise(const struct replay *replay)
{
	const struct judge *judge = &replay->judges[0];
	int64_t span_us = moment_since_us(replay->last, replay->first);
	double weeks = (double)span_us / (7. * MOMENT_DAY_US) *
		       (double)judge->config->services.count;
	double took = seconds_since(replay->began);
	struct pipeline_counters counters;
	char span[MOMENT_TEXT];

	pipeline_read_counters(judge->pipeline, &counters);
	if (replay->progress)
		(void)fputs("\r\x1b[K", stderr);
	(void)fprintf(stderr,
		"%" PRIu64 " observations over %s, judged in %.1f s (%.0f a second), "
		"%" PRIu64 " keys (service, site)\n"
		"%zu incidents, %" PRIu64 " pages",
		replay->observations, moment_span_text(span_us, span), took,
		took > 0 ? (double)replay->observations / took : 0, counters.keys,
		judge->tally.count, judge->tally.pages);
	if (weeks > 0)
		(void)fprintf(stderr, " (%.2f for a hundred service-weeks)",
			100 * (double)judge->tally.pages / weeks);
	(void)fputc('\n', stderr);
	replay_tally_print(stderr, &judge->tally);
	if (replay->judge_count < 2)
		return 0;
	return replay_tally_compare(stderr, &judge->tally, judge->config->path,
		&replay->judges[1].tally, replay->judges[1].config->path);
}

static int open_output(struct judge *judge, const char *path, struct fault *fault)
{
	if (!path)
		return 0;
	judge->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (judge->out)
		return 0;
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%.255s", path);
	return fault_at(fault, -errno, "", "%s", strerror(errno));
}

static int run(const struct wishes *wishes, const char *stream)
{
	struct replay replay = {.judge_count = wishes->compare ? 2 : 1};
	struct fault fault = {0};
	int rc, exit_code = EX_CONFIG;

	rc = open_judge(&replay.judges[0], wishes->config, &fault);
	if (rc == 0 && wishes->compare)
		rc = open_judge(&replay.judges[1], wishes->compare, &fault);
	if (rc == 0) {
		exit_code = EX_CANTCREAT;
		rc = open_output(&replay.judges[0], wishes->incidents, &fault);
	}
	if (rc == 0) {
		exit_code = EX_NOINPUT;
		rc = recording_open(&replay.recording, stream, &fault);
	}
	if (rc == 0) {
		replay.progress = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
		replay.began = replay.shown = now_tick();
		rc = feed_all(&replay, &fault);
		exit_code = EX_DATAERR;
	}
	if (rc == 0 && summarise(&replay)) {
		exit_code = EX_OSERR;
		rc = fault_at(&fault, -ENOMEM, "", "no memory");
	}
	recording_close(replay.recording);
	for (unsigned i = replay.judge_count; i-- > 0;) {
		int closed = close_judge(&replay.judges[i]);

		if (rc == 0 && closed) {
			exit_code = EX_IOERR;
			rc = fault_at(&fault, closed, "", "the incidents: %s",
				status_text(closed));
		}
	}
	return rc ? fail(&fault, exit_code) : EX_OK;
}

int replay_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {0};
	const struct args_option options[] = {
		{.name = "config",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.config,
			.help = "the collector's configuration: services and judgement "
				"(needed)"},
		{.name = "incidents",
			.kind = ARGS_TEXT,
			.metavar = "OUT",
			.target = &wishes.incidents,
			.help = "write each change of an incident there, one JSON line "
				"each (- is "
				"standard output)"},
		{.name = "compare",
			.kind = ARGS_TEXT,
			.metavar = "OTHER",
			.target = &wishes.compare,
			.help = "judge by this configuration, too, and show where they "
				"differ"},
		{0},
	};
	int operands = args_take(options, &command, "astray-collector", argc, argv);

	(void)app;
	if (operands < 0)
		return args_exit_code(operands);
	if (!wishes.config)
		return usage("--config is needed");
	if (operands != 1)
		return usage("it takes one stream (a file, or - for standard input)");
	return run(&wishes, argv[1]);
}
