#include "init_command.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "astray/args.h"
#include "astray/now.h"
#include "astray/status.h"
#include "first_files.h"
#include "listen_text.h"

struct wishes {
	const char *probe, *listen, *user;
	struct args_texts hosts;
};

static const struct args_command command = {
	.name = "init",
	.operands = "DIRECTORY",
	.summary =
		"Makes a first configuration with certificates of an authority of its "
		"own, and a "
		"probe to\nbegin with. Run again with another --probe, it adds that one.",
};

static int fail(int exit_code, const char *why)
{
	(void)fprintf(stderr, "astray-collector init: %s\n", why);
	return exit_code;
}

static int fill_hosts(struct first_files_order *order, const struct args_texts *hosts)
{
	unsigned count = 0;

	for (unsigned i = 0; i < hosts->count; i++) {
		if (count + 3 == FIRST_FILES_HOSTS || strlen(hosts->text[i]) > 255 ||
			strpbrk(hosts->text[i], ", \t\n\"\\/"))
			return STATUS_RANGE;
		order->hosts[count++] = hosts->text[i];
	}
	order->hosts[count++] = "localhost";
	order->hosts[count++] = "127.0.0.1";
	order->hosts[count] = "::1";
	order->host = order->hosts[0];
	return 0;
}

/* As the unit has it: it keeps its state at home. */
static int fill_user(struct first_files_order *order, const char *user)
{
	const struct passwd *entry = getpwnam(user);

	if (!entry)
		return STATUS_UNKNOWN;
	order->shared = true;
	order->group = entry->pw_gid;
	order->data = entry->pw_dir;
	return 0;
}

static void say_next(const char *folder, const char *probe, bool first)
{
	(void)printf("%s holds a certificate and %s.json for the probe %s.\n", folder,
		probe, probe);
	if (first)
		(void)printf("Name your services in %s/collector.json, then:\n"
			     "  astray-collector serve --config %s/collector.json\n",
			folder, folder);
	(void)printf("  astray-probe run --config %s/%s.json\n", folder, probe);
}

static int make(struct first_files_order *order, const struct wishes *wishes)
{
	struct fault fault = {0};
	char text[1024];
	bool first = !first_files_exist(order->folder);
	int rc = first ? first_files_collector(order, &fault) : 0;

	if (rc == 0)
		rc = first_files_probe(order, wishes->probe, &fault);
	if (rc)
		return fail(rc == -EEXIST ? EX_CANTCREAT : status_exit_code(rc),
			fault_text(&fault, text, sizeof(text)));
	say_next(order->folder, wishes->probe, first);
	return EX_OK;
}

static int run(const struct wishes *wishes, const char *directory)
{
	struct first_files_order order = {.listen = wishes->listen, .now = now_moment()};
	char folder[PATH_MAX], data[PATH_MAX + sizeof("/data")];
	struct address address;
	uint16_t port;

	if (listen_text_parse(&address, &port, wishes->listen))
		return fail(EX_USAGE,
			"--listen should be an address and a port: 0.0.0.0:8443");
	if (fill_hosts(&order, &wishes->hosts))
		return fail(EX_USAGE,
			"--host should be a name or an address, at most 13 of them");
	if (strpbrk(directory, "\"\\\n"))
		return fail(EX_USAGE, "the directory's name should not need quoting");
	if (directory[0] == '/')
		(void)snprintf(folder, sizeof(folder), "%s", directory);
	else if (!getcwd(folder, sizeof(folder)) ||
		 strlen(folder) + strlen(directory) + 2 > sizeof(folder))
		return fail(EX_OSERR, "this folder has no name");
	else
		(void)snprintf(folder + strlen(folder), sizeof(folder) - strlen(folder),
			"/%s", directory);
	if (strlen(folder) > 400)
		return fail(EX_USAGE, "the directory's name is too long");
	(void)snprintf(data, sizeof(data), "%s/data", folder);
	order.folder = folder;
	order.data = data;
	if (wishes->user && fill_user(&order, wishes->user))
		return fail(EX_NOUSER, "there is no user of the name that --user gives");
	return make(&order, wishes);
}

int init_command(void *app, int argc, char **argv)
{
	struct wishes wishes = {.probe = "probe-1", .listen = "127.0.0.1:8443"};
	const struct args_option options[] = {
		{.name = "probe",
			.kind = ARGS_TEXT,
			.metavar = "NAME",
			.target = &wishes.probe,
			.help = "the probe that gets a certificate (default probe-1)"},
		{.name = "host",
			.kind = ARGS_TEXTS,
			.metavar = "NAME",
			.target = &wishes.hosts,
			.help = "name or address under which probes find the collector; "
				"may be "
				"repeated (default localhost)"},
		{.name = "listen",
			.kind = ARGS_TEXT,
			.metavar = "ADDRESS:PORT",
			.target = &wishes.listen,
			.help = "for probes (default 127.0.0.1:8443; 0.0.0.0:8443 for "
				"others' "
				"machines)"},
		{.name = "user",
			.kind = ARGS_TEXT,
			.metavar = "NAME",
			.target = &wishes.user,
			.help = "whom the collector will run as, astray-collector by its "
				"unit: gets the files to read, and keeps its state at "
				"home (default whoever calls this)"},
		{0},
	};
	int operands = args_take(options, &command, "astray-collector", argc, argv);

	(void)app;
	if (operands < 0)
		return args_exit_code(operands);
	if (operands != 1)
		return args_complain("astray-collector", &command, "wants one directory");
	return run(&wishes, argv[1]);
}
