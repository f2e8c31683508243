#include "flow_command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "astray/args.h"
#include "astray/log.h"
#include "astray/moment.h"
#include "astray/status.h"
#include "flow_run.h"
#include "unwrap.h"

#define WINDOW_SECONDS 10
#define BUFFER_MB 64 /* a burst of some 0.1 s at 0.9 M packets/s, with room */
#define WINDOW_SECONDS_MAX 86400

struct wishes {
	const char *file, *interfaces, *services, *tunnels;
	int64_t window_seconds, interval_seconds, buffer_mb;
	bool kernel, json;
};

static const struct args_command command = {
	.name = "flow",
	.operands = "",
	.summary = "Counts connections and requests and times answers: in a capture "
		   "file, live\n"
		   "on interfaces, which are followed as they come and go, or, without\n"
		   "requests, by the kernel's own counts. Without services every server "
		   "name,\n"
		   "or address and port, is a service of its own.",
	.run = flow_command,
};

static int usage(const struct log *log, const char *why)
{
	log_error(log, "flow", "%s; see astray-probe flow --help", why);
	return EX_USAGE;
}

static int fail(const struct log *log, int rc, const struct fault *fault)
{
	char text[1024];

	log_error(log, "flow", "%s", fault_text(fault, text, sizeof(text)));
	return status_exit_code(rc);
}

static int run(const struct log *log, const struct wishes *wishes)
{
	const char *no_colour = getenv("NO_COLOR");
	struct services services = {0};
	struct fault fault = {0};
	struct flow_order order = {.log = log,
		.file = wishes->file,
		.interfaces = wishes->interfaces,
		.kernel = wishes->kernel,
		.buffer_bytes = (int)wishes->buffer_mb << 20,
		.services = &services,
		.window_us = wishes->window_seconds * MOMENT_SECOND_US,
		.interval_us = wishes->interval_seconds * MOMENT_SECOND_US,
		.json = wishes->json,
		.colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour)};
	int rc = unwrap_parse_tunnels(&order.tunnels, wishes->tunnels);

	if (rc)
		return usage(log, "--tunnels wants some of gre,ipip,vxlan,geneve");
	if (wishes->services)
		rc = services_read_file(&services, wishes->services, &fault);
	if (rc == 0)
		rc = flow_run(&order, &fault);
	services_free(&services);
	return rc < 0 ? fail(log, rc, &fault) : EX_OK;
}

int flow_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {.window_seconds = WINDOW_SECONDS,
		.buffer_mb = BUFFER_MB,
		.interval_seconds = 1,
		.tunnels = ""};
	const struct args_option options[] = {
		{.name = "read",
			.letter = 'r',
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.file,
			.help = "read a pcap or pcapng file, also .gz or .zst; - is "
				"standard "
				"input"},
		{.name = "interface",
			.letter = 'i',
			.kind = ARGS_TEXT,
			.metavar = "INTERFACE",
			.target = &wishes.interfaces,
			.help = "capture live: names and patterns (eth0,wlan*), or "
				"\"any\""},
		{.name = "kernel",
			.letter = 'k',
			.kind = ARGS_FLAG,
			.target = &wishes.kernel,
			.help = "ask the kernel for its TCP connections: no privilege, "
				"no requests"},
		{.name = "services",
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.services,
			.help = "only these services (a services file)"},
		{.name = "window",
			.kind = ARGS_INT,
			.metavar = "SECONDS",
			.min = 1,
			.max = WINDOW_SECONDS_MAX,
			.target = &wishes.window_seconds,
			.help = "length of an observation's window (default 10)"},
		{.name = "interval",
			.kind = ARGS_INT,
			.metavar = "SECONDS",
			.min = 1,
			.max = WINDOW_SECONDS_MAX,
			.target = &wishes.interval_seconds,
			.help = "how often a live view is shown anew (default 1)"},
		{.name = "tunnels",
			.kind = ARGS_TEXT,
			.metavar = "LIST",
			.target = &wishes.tunnels,
			.help = "look into tunnels: some of gre,ipip,vxlan,geneve"},
		{.name = "buffer",
			.kind = ARGS_INT,
			.metavar = "MIB",
			.min = 1,
			.max = 1024,
			.target = &wishes.buffer_mb,
			.help = "the kernel's ring for packets, of each interface "
				"(default 64)"},
		{.name = "json",
			.kind = ARGS_FLAG,
			.target = &wishes.json,
			.help = "print observations, one a line"},
		{0},
	};
	int operands = args_take(options, &command, "astray-probe", argc, argv);

	if (operands < 0)
		return args_exit_code(operands);
	if (operands > 0)
		return usage(app, "takes no operands");
	if (!!wishes.file + !!wishes.interfaces + wishes.kernel != 1)
		return usage(app, "wants one of -r FILE, -i INTERFACE and --kernel");
	return run(app, &wishes);
}
