#include "trace_command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "astray/args.h"
#include "astray/log.h"
#include "astray/status.h"
#include "path.h"
#include "terminal.h"
#include "trace_record.h"
#include "trace_run.h"

#define PORT_TCP 443
#define PORT_UDP 33434
#define RATE_MAX 1000000
#define ROUNDS_REPORT 10

struct wishes {
	const char *protocol, *targets, *geo_city, *geo_asn;
	int64_t rounds, port, flow, queries, max_ttl, rate, host_rate, router_rate;
	const char *here;
	bool v4, v6, json, csv, report, numeric, all_paths, mtu;
};

static const struct args_command command = {
	.name = "trace",
	.operands = "HOST…",
	.summary =
		"Traces the path to each host: one flow, all hops at once, times by the\n"
		"kernel's clock. Without CAP_NET_RAW it does with what is allowed.",
	.run = trace_command,
};

static int usage(const struct log *log, const char *why)
{
	log_error(log, "trace", "%s; see astray-probe trace --help", why);
	return EX_USAGE;
}

static bool read_protocol(enum obs_protocol *out, const char *text)
{
	for (enum obs_protocol protocol = OBS_TCP; protocol <= OBS_ICMP; protocol++)
		if (strcmp(text, obs_protocol_text(protocol)) == 0) {
			*out = protocol;
			return true;
		}
	return false;
}

static bool read_here(struct place *here, const char *text)
{
	char rest;

	here->located = sscanf(text, "%lf,%lf%c", &here->latitude, &here->longitude,
				&rest) == 2 &&
			here->latitude >= -90 && here->latitude <= 90 &&
			here->longitude >= -180 && here->longitude <= 180;
	return here->located;
}

static uint16_t choose_port(const struct wishes *wishes, enum obs_protocol protocol)
{
	if (protocol == OBS_ICMP)
		return 0;
	if (wishes->port)
		return (uint16_t)wishes->port;
	return protocol == OBS_TCP ? PORT_TCP : PORT_UDP;
}

static int fail(const struct log *log, int exit_code, const struct fault *fault)
{
	char text[1024];

	log_error(log, "trace", "%s", fault_text(fault, text, sizeof(text)));
	return exit_code;
}

static int gather_targets(struct trace_targets *targets, const struct log *log,
	const struct wishes *wishes, int operands, char **argv)
{
	struct fault fault = {0};
	int rc = 0;

	for (int i = 1; rc == 0 && i <= operands; i++)
		rc = trace_targets_add(targets, argv[i], NULL, &fault);
	if (rc)
		return fail(log, EX_USAGE, &fault);
	if (wishes->targets)
		rc = trace_targets_read_file(targets, wishes->targets, &fault);
	if (rc)
		return fail(log, status_exit_code(rc), &fault);
	return targets->count ? EX_OK : usage(log, "wants at least one host");
}

/* A terminal shows rounds as they come, until somebody ends them. False when what is
 * wished for does not go together. */
static bool choose_rounds(struct trace_run_order *order, const struct wishes *wishes)
{
	bool terminal = terminal_can_draw();
	bool fit = order->targets->count <= TRACE_RUN_ROUND_TARGETS &&
		   !order->all_paths && !order->mtu;
	bool table = order->form == TRACE_TABLE;
	const char *no_colour = getenv("NO_COLOR");

	order->rounds = wishes->rounds ? wishes->rounds : 1;
	if (!wishes->rounds && wishes->report)
		order->rounds = ROUNDS_REPORT;
	else if (!wishes->rounds && terminal && fit && table)
		order->rounds = INT64_MAX;
	order->live = terminal && table && order->rounds > 1 && !wishes->report;
	order->colours = terminal && !(no_colour && *no_colour);
	return order->rounds == 1 || fit;
}

static int run(
	const struct log *log, const struct wishes *wishes, int operands, char **argv)
{
	struct trace_targets targets = {0};
	struct trace_run_order order = {.log = log,
		.targets = &targets,
		.flow = (uint16_t)wishes->flow,
		.max_ttl = (unsigned)wishes->max_ttl,
		.queries = (unsigned)wishes->queries,
		.rate = wishes->rate,
		.host_rate = wishes->host_rate,
		.router_rate = wishes->router_rate,
		.form = wishes->csv    ? TRACE_CSV
			: wishes->json ? TRACE_JSON
				       : TRACE_TABLE,
		.names = !wishes->numeric,
		.all_paths = wishes->all_paths,
		.mtu = wishes->mtu,
		.geo_city = wishes->geo_city,
		.geo_asn = wishes->geo_asn};
	int exit_code;

	if (!read_protocol(&order.protocol, wishes->protocol))
		return usage(log, "--protocol is tcp, udp or icmp");
	if (wishes->port && order.protocol == OBS_ICMP)
		return usage(log, "icmp has no --port");
	if (wishes->v4 && wishes->v6)
		return usage(log, "wants -4 or -6, not both");
	if (wishes->v4 || wishes->v6)
		order.family = wishes->v6 ? 6 : 4;
	if (wishes->json && wishes->csv)
		return usage(log, "wants --json or --csv, not both");
	if (wishes->here && !read_here(&order.here, wishes->here))
		return usage(log, "--here is LATITUDE,LONGITUDE in degrees");
	order.port = choose_port(wishes, order.protocol);
	exit_code = gather_targets(&targets, log, wishes, operands, argv);
	if (exit_code == EX_OK && !choose_rounds(&order, wishes))
		exit_code = usage(log,
			"several rounds are of at most 64 hosts, without --mtu and "
			"--all-paths");
	if (exit_code == EX_OK)
		exit_code = trace_run(&order);
	trace_targets_free(&targets);
	return exit_code;
}

int trace_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {
		.protocol = "tcp", .queries = 3, .max_ttl = 30, .rate = 1000};
	const struct args_option options[] = {
		{.name = "protocol",
			.kind = ARGS_TEXT,
			.metavar = "tcp|udp|icmp",
			.target = &wishes.protocol,
			.help = "what to send (default tcp: SYNs, as users' connections "
				"begin)"},
		{.name = "port",
			.kind = ARGS_INT,
			.metavar = "N",
			.min = 1,
			.max = 65535,
			.target = &wishes.port,
			.help = "destination port (default 443 with tcp, 33434 with "
				"udp)"},
		{.letter = '4',
			.kind = ARGS_FLAG,
			.target = &wishes.v4,
			.help = "IPv4 only"},
		{.letter = '6',
			.kind = ARGS_FLAG,
			.target = &wishes.v6,
			.help = "IPv6 only"},
		{.name = "flow",
			.kind = ARGS_INT,
			.metavar = "N",
			.max = TRACE_FLOW_MAX,
			.target = &wishes.flow,
			.help = "which of several equal ways to follow (default 0)"},
		{.name = "all-paths",
			.kind = ARGS_FLAG,
			.target = &wishes.all_paths,
			.help = "find every one of several equal ways (95 % sure)"},
		{.name = "mtu",
			.kind = ARGS_FLAG,
			.target = &wishes.mtu,
			.help = "find how large a packet the path carries, too"},
		{.name = "queries",
			.kind = ARGS_INT,
			.metavar = "N",
			.min = 1,
			.max = PATH_QUERIES_MAX,
			.target = &wishes.queries,
			.help = "answers wanted of each hop (default 3)"},
		{.name = "max-ttl",
			.kind = ARGS_INT,
			.metavar = "N",
			.min = 1,
			.max = PATH_TTL_MAX,
			.target = &wishes.max_ttl,
			.help = "hops at most (default 30)"},
		{.name = "rate",
			.kind = ARGS_INT,
			.metavar = "PPS",
			.min = 1,
			.max = RATE_MAX,
			.target = &wishes.rate,
			.help = "packets a second at most, in all (default 1000)"},
		{.name = "host-rate",
			.kind = ARGS_INT,
			.metavar = "PPS",
			.min = 1,
			.max = RATE_MAX,
			.target = &wishes.host_rate,
			.help = "of them towards one host (default: all)"},
		{.name = "router-rate",
			.kind = ARGS_INT,
			.metavar = "PPS",
			.min = 1,
			.max = RATE_MAX,
			.target = &wishes.router_rate,
			.help = "of them to one router, as far as known (default: all)"},
		{.name = "targets",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.targets,
			.help = "further hosts, one on each line; a name may follow"},
		{.name = "geo-city",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.geo_city,
			.help = "database of places (MaxMind format)"},
		{.name = "geo-asn",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.geo_asn,
			.help = "database of networks (MaxMind format)"},
		{.name = "here",
			.kind = ARGS_TEXT,
			.metavar = "LAT,LON",
			.target = &wishes.here,
			.help = "where this machine stands: places that light forbids "
				"are marked"},
		{.name = "no-names",
			.letter = 'n',
			.kind = ARGS_FLAG,
			.target = &wishes.numeric,
			.help = "do not look for the names of addresses"},
		{.name = "report",
			.kind = ARGS_FLAG,
			.target = &wishes.report,
			.help = "trace ten times, one round a second, and sum up"},
		{.name = "rounds",
			.kind = ARGS_INT,
			.metavar = "N",
			.min = 1,
			.max = 1000000,
			.target = &wishes.rounds,
			.help = "so many rounds, one a second; on a terminal shown in "
				"place"},
		{.name = "csv",
			.kind = ARGS_FLAG,
			.target = &wishes.csv,
			.help = "print one line for each hop, for spreadsheets"},
		{.name = "json",
			.kind = ARGS_FLAG,
			.target = &wishes.json,
			.help = "print observations, one a line"},
		{0},
	};
	int operands = args_take(options, &command, "astray-probe", argc, argv);

	if (operands < 0)
		return args_exit_code(operands);
	return run(app, &wishes, operands, argv);
}
