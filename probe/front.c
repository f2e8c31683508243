/*
 * astray-probe as it is called. A trace is over in one round trip, which loading what
 * only other commands need would lengthen by a fifth: it is done here, all else by other
 * programs: flow by one that loads what flow needs, the rest by the whole program.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "astray/args.h"
#include "astray/log.h"
#include "trace_command.h"

#define PATH_BYTES 4096

static const struct args_command commands[] = {
	{"trace", "HOST…", "show the path to a host, hop by hop", trace_command},
	{0},
};

/* The others stand where they were installed, seen from this one: all may be moved. */
static int find_other(char path[static PATH_BYTES], const char *other)
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_BYTES - strlen(other) - 1);
	char *name;

	if (len < 0)
		return -errno;
	path[len] = '\0';
	name = strrchr(path, '/');
	if (!name)
		return -ENOENT;
	(void)strcpy(name + 1, other);
	return 0;
}

static int hand_over(const struct log *log, char **argv)
{
	char path[PATH_BYTES];
	bool flows = argv[0] && argv[1] && strcmp(argv[1], "flow") == 0;
	int rc = find_other(path, flows ? PROBE_FLOW : PROBE_WHOLE);

	if (rc) {
		log_error(log, "main", "/proc/self/exe: %s", strerror(-rc));
		return EX_OSERR;
	}
	/* Debian's libcurl brings GnuTLS with it and uses OpenSSL: made ready for nobody,
	 * it would take 0.8 MiB. */
	(void)setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
	(void)execv(path, argv);
	log_error(log, "main", "%s: %s; it belongs to astray-probe's installation", path,
		strerror(errno));
	return EX_OSFILE;
}

int main(int argc, char **argv)
{
	static const struct args_program program = {
		.name = "astray-probe", .version = ASTRAY_VERSION, .commands = commands};
	struct log log = log_to_stderr();

	if (argc < 2 || strcmp(argv[1], commands[0].name) != 0)
		return hand_over(&log, argv);
	return args_run(&program, &log, argc, argv);
}
