/*
 * What a one-shot trace is asked to trace: hosts, each with the name that its
 * observations carry. A targets file has one on each line, "HOST" or "HOST NAME"; #
 * begins a comment.
 */
#ifndef TRACE_TRACE_TARGETS_H
#define TRACE_TRACE_TARGETS_H

#include <stddef.h>

#include "astray/fault.h"
#include "astray/obs.h"

#define TRACE_TARGETS_MAX 16384

struct trace_target {
	char host[OBS_NAME]; /* a name or an address */
	char name[OBS_NAME]; /* the service of its observations */
};

struct trace_targets {
	size_t count;
	size_t room;
	struct trace_target *list;
};

/* name may be NULL: the host's. Both are refused unless they are fit for the wire. */
int trace_targets_add(struct trace_targets *targets, const char *host, const char *name,
	struct fault *fault);
int trace_targets_parse(
	struct trace_targets *targets, const char *text, size_t len, struct fault *fault);
int trace_targets_read_file(
	struct trace_targets *targets, const char *path, struct fault *fault);
void trace_targets_free(struct trace_targets *targets);

#endif
