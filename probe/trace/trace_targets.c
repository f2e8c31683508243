#include "trace_targets.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"
#include "astray/wire.h"

#define FILE_MAX ((size_t)TRACE_TARGETS_MAX * 2 * OBS_NAME)
#define ROOM_AT_FIRST 16

static int make_room(struct trace_targets *targets, struct fault *fault)
{
	size_t room = targets->room ? targets->room * 2 : ROOM_AT_FIRST;
	struct trace_target *list;

	if (targets->count < targets->room)
		return 0;
	if (targets->count == TRACE_TARGETS_MAX)
		return fault_at(fault, STATUS_LIMIT, "", "more than %d targets",
			TRACE_TARGETS_MAX);
	list = reallocarray(targets->list, room, sizeof(*list));
	if (!list)
		return fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	targets->list = list;
	targets->room = room;
	return 0;
}

int trace_targets_add(struct trace_targets *targets, const char *host, const char *name,
	struct fault *fault)
{
	struct trace_target *target;
	int rc;

	if (!wire_service_is_valid(host))
		return fault_at(fault, STATUS_SYNTAX, "",
			"\"%s\" is neither a host name nor an address", host);
	if (!name)
		name = host;
	if (!wire_service_is_valid(name))
		return fault_at(fault, STATUS_SYNTAX, "",
			"\"%s\" is no name for a service: 1 to 255 letters, digits and "
			". _ - : / [ ] @",
			name);
	rc = make_room(targets, fault);
	if (rc)
		return rc;
	target = &targets->list[targets->count++];
	(void)snprintf(target->host, sizeof(target->host), "%s", host);
	(void)snprintf(target->name, sizeof(target->name), "%s", name);
	return 0;
}

static int parse_line(struct trace_targets *targets, char *line, struct fault *fault)
{
	char *rest;
	const char *host, *name;

	line[strcspn(line, "#")] = '\0';
	host = strtok_r(line, " \t\r", &rest);
	if (!host)
		return 0;
	name = strtok_r(NULL, " \t\r", &rest);
	if (strtok_r(NULL, " \t\r", &rest))
		return fault_at(fault, STATUS_SYNTAX, "",
			"more than a host and a name on one line");
	return trace_targets_add(targets, host, name, fault);
}

int trace_targets_parse(
	struct trace_targets *targets, const char *text, size_t len, struct fault *fault)
{
	const char *at = text, *line;
	bool terminated;
	size_t line_len;

	for (unsigned number = 1;
		(line = wire_next_line(&at, text + len, &line_len, &terminated));
		number++) {
		char copy[3 * OBS_NAME];
		int rc;

		if (line_len >= sizeof(copy) || memchr(line, '\0', line_len)) {
			rc = fault_at(fault, STATUS_SYNTAX, "", "is no line of targets");
		} else {
			memcpy(copy, line, line_len);
			copy[line_len] = '\0';
			rc = parse_line(targets, copy, fault);
		}
		if (rc && fault)
			fault->line = number;
		if (rc)
			return rc;
	}
	return 0;
}

static int read_whole(FILE *file, char **text, size_t *len)
{
	*text = malloc(FILE_MAX);
	if (!*text)
		return -ENOMEM;
	errno = 0;
	*len = fread(*text, 1, FILE_MAX, file);
	if (ferror(file))
		return errno ? -errno : -EIO;
	return *len == FILE_MAX ? STATUS_LIMIT : 0;
}

int trace_targets_read_file(
	struct trace_targets *targets, const char *path, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len = 0;
	int rc = file ? read_whole(file, &text, &len) : -errno;

	if (rc)
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
	else
		rc = trace_targets_parse(targets, text, len, fault);
	if (rc && fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", path);
	free(text);
	if (file)
		(void)fclose(file);
	return rc;
}

void trace_targets_free(struct trace_targets *targets)
{
	free(targets->list);
	*targets = (struct trace_targets){0};
}
