#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "astray/status.h"

#define ROOM (4 * WIRE_RECORD_MAX)

struct recording {
	int fd;
	bool ended;
	unsigned line;
	int64_t size, taken; /* bytes of the file; size 0: not known */
	size_t begin, end;   /* of what is in buf and not yet read */
	char path[256];
	char buf[ROOM];
};

int recording_open(struct recording **out, const char *path, struct fault *fault)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	struct stat file;

	*out = NULL;
	if (!recording)
		return fault_at(fault, -ENOMEM, "", "no memory");
	(void)snprintf(recording->path, sizeof(recording->path), "%s",
		strcmp(path, "-") == 0 ? "standard input" : path);
	recording->fd =
		strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (recording->fd < 0) {
		int rc = -errno;

		free(recording);
		if (fault)
			(void)snprintf(
				fault->input, sizeof(fault->input), "%.255s", path);
		return fault_at(fault, rc, "", "%s", strerror(-rc));
	}
	if (fstat(recording->fd, &file) == 0 && S_ISREG(file.st_mode))
		recording->size = file.st_size;
	*out = recording;
	return 0;
}

void recording_close(struct recording *recording)
{
	if (!recording)
		return;
	if (recording->fd != STDIN_FILENO)
		(void)close(recording->fd);
	free(recording);
}

static int fail(const struct recording *recording, struct fault *fault, int rc)
{
	if (fault) {
		fault->line = recording->line;
		memcpy(fault->input, recording->path, sizeof(recording->path));
	}
	return rc;
}

static int fill(struct recording *recording, struct fault *fault)
{
	ssize_t got;

	memmove(recording->buf, recording->buf + recording->begin,
		recording->end - recording->begin);
	recording->end -= recording->begin;
	recording->begin = 0;
	do
		got = read(recording->fd, recording->buf + recording->end,
			ROOM - recording->end);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fail(recording, fault,
			fault_at(fault, -errno, "", "%s", strerror(errno)));
	recording->ended = got == 0;
	recording->end += (size_t)got;
	recording->taken += got;
	return 0;
}

/* The next whole line; NULL with *rc 0 at the end. */
static const char *next_line(
	struct recording *recording, size_t *len, int *rc, struct fault *fault)
{
	for (;;) {
		char *from = recording->buf + recording->begin;
		size_t held = recording->end - recording->begin;
		char *newline = memchr(from, '\n', held);

		*rc = 0;
		if (newline) {
			*len = (size_t)(newline - from);
			recording->begin += *len + 1;
			recording->line++;
			return from;
		}
		if (recording->ended && held == 0)
			return NULL;
		recording->line += recording->ended || held > WIRE_RECORD_MAX;
		if (recording->ended)
			*rc = fault_at(
				fault, STATUS_SHORT, "", "the last line is cut off");
		else if (held > WIRE_RECORD_MAX)
			*rc = fault_at(fault, STATUS_LIMIT, "",
				"a line of more than %d bytes", WIRE_RECORD_MAX);
		if (*rc) {
			*rc = fail(recording, fault, *rc);
			return NULL;
		}
		*rc = fill(recording, fault);
		if (*rc)
			return NULL;
	}
}

int recording_next(struct recording *recording, struct wire_origin *origin,
	struct obs *obs, struct fault *fault)
{
	size_t len;
	int rc;
	const char *line = next_line(recording, &len, &rc, fault);

	if (!line)
		return rc;
	rc = wire_decode_record(origin, obs, line, len, fault);
	return rc ? fail(recording, fault, rc) : 1;
}

int recording_percent(const struct recording *recording)
{
	int64_t read_on = recording->taken - (int64_t)(recording->end - recording->begin);

	return recording->size ? (int)(100 * read_on / recording->size) : -1;
}
