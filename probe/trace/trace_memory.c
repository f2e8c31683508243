#include "trace_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "astray/status.h"
#include "astray/wire.h"

/* The folder that a program's state is kept in, by the XDG base directory rules. */
static int find_folder(char folder[static PATH_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len;

	if (state && state[0] == '/')
		len = snprintf(folder, PATH_MAX, "%s/astray", state);
	else if (home && home[0] == '/')
		len = snprintf(folder, PATH_MAX, "%s/.local/state/astray", home);
	else
		return -ENOENT;
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int make_folders(char *folder)
{
	for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(folder, 0700); /* the last one tells */
		*at = '/';
	}
	return mkdir(folder, 0700) && errno != EEXIST ? -errno : 0;
}

/* A host is letters, digits and . _ - : / [ ] @; a slash is no part of a file's name. */
static int find_file(char path[static PATH_MAX], const char *folder, const char *host,
	const struct obs_trace *like)
{
	int len = snprintf(path, PATH_MAX, "%s/trace-%s-%s-%" PRId64 "-%" PRId64, folder,
		host, obs_protocol_text(like->protocol),
		like->port == OBS_ABSENT ? 0 : like->port, like->flow);

	if (len >= PATH_MAX || strchr(host, '/'))
		return -ENAMETOOLONG;
	return 0;
}

int trace_memory_recall(struct obs *obs, const char *host, const struct obs_trace *like)
{
	char folder[PATH_MAX], path[PATH_MAX];
	char *line;
	FILE *file;
	size_t len;
	int rc = find_folder(folder);

	if (rc == 0)
		rc = find_file(path, folder, host, like);
	if (rc)
		return rc;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	line = malloc(WIRE_LINE_MAX);
	len = line ? fread(line, 1, WIRE_LINE_MAX, file) : 0;
	(void)fclose(file);
	rc = line ? wire_decode(obs, line, len, NULL) : -ENOMEM;
	free(line);
	if (rc == 0 && obs->kind != OBS_TRACE)
		rc = STATUS_CORRUPT;
	return rc;
}

static int write_line(const char *path, const struct obs *obs)
{
	char *line = malloc(WIRE_LINE_MAX);
	int len = line ? wire_encode(line, WIRE_LINE_MAX, obs) : -ENOMEM;
	FILE *file = len > 0 ? fopen(path, "we") : NULL;
	int rc = len < 0 ? len : 0;

	if (len > 0 && !file)
		rc = -errno;
	if (file && fwrite(line, 1, (size_t)len, file) != (size_t)len)
		rc = -EIO;
	if (file && fclose(file))
		rc = -EIO;
	free(line);
	return rc;
}

int trace_memory_keep(const struct obs *obs, const char *host)
{
	char folder[PATH_MAX], path[PATH_MAX], fresh[PATH_MAX];
	int rc = find_folder(folder);

	if (rc == 0)
		rc = make_folders(folder);
	if (rc == 0)
		rc = find_file(path, folder, host, &obs->trace);
	if (rc == 0 && snprintf(fresh, sizeof(fresh), "%s.new", path) >= PATH_MAX)
		rc = -ENAMETOOLONG;
	if (rc == 0)
		rc = write_line(fresh, obs);
	if (rc == 0 && rename(fresh, path))
		rc = -errno;
	return rc;
}
