#include "flow_command.h"

#include <stdbool.h>
#include <sysexits.h>

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
	int64_t window_seconds, buffer_mb;
	bool json, help;
};

static const struct args_command command = {
	.name = "flow",
	.operands = "",
	.summary =
		"Counts connections and requests and times answers, from a capture file\n"
		"or live from an interface. Without services every server name, or\n"
		"address and port, is a service of its own.",
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
	struct services services = {0};
	struct fault fault = {0};
	struct flow_order order = {.log = log,
		.file = wishes->file,
		.interfaces = wishes->interfaces,
		.buffer_bytes = (int)wishes->buffer_mb << 20,
		.services = &services,
		.window_us = wishes->window_seconds * MOMENT_SECOND_US,
		.json = wishes->json};
	int rc = unwrap_parse_tunnels(&order.tunnels, wishes->tunnels);

	if (rc)
		return usage(log, "--tunnels wants some of gre,ipip,vxlan,geneve");
	if (wishes->services)
		rc = services_read_file(&services, wishes->services, &fault);
	if (rc == 0)
		rc = wishes->file ? flow_run_file(&order, &fault)
				  : flow_run_live(&order, &fault);
	services_free(&services);
	return rc < 0 ? fail(log, rc, &fault) : EX_OK;
}

int flow_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {
		.window_seconds = WINDOW_SECONDS, .buffer_mb = BUFFER_MB, .tunnels = ""};
	const struct args_option options[] = {
		{.name = "read",
			.letter = 'r',
			.kind = ARGS_TEXT,
			.metavar = "FILE",
			.target = &wishes.file,
			.help = "read a pcap or pcapng file; - is standard input"},
		{.name = "interface",
			.letter = 'i',
			.kind = ARGS_TEXT,
			.metavar = "INTERFACE",
			.target = &wishes.interfaces,
			.help = "capture live: \"any\" is all interfaces, else names and "
				"patterns\n(eth0,wlan*), followed as they come and go"},
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
		{.name = "help",
			.letter = 'h',
			.kind = ARGS_FLAG,
			.target = &wishes.help,
			.help = "print this"},
		{0},
	};
	int operands = args_parse(options, "flow", argc, argv);

	if (operands < 0)
		return EX_USAGE;
	if (wishes.help) {
		args_help(stdout, "astray-probe", &command, options);
		return EX_OK;
	}
	if (operands > 0)
		return usage(app, "takes no operands");
	if (!wishes.file == !wishes.interfaces)
		return usage(app, "wants either -r FILE or -i INTERFACE");
	return run(app, &wishes);
}
