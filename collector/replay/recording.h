/*
 * A recorded stream, line by line, from a file or a pipe. A line that is not as the
 * contract says ends it with a fault that names the line; a last line without its newline
 * was cut off, and is a fault as well.
 */
#ifndef ASTRAY_RECORDING_H
#define ASTRAY_RECORDING_H

#include <stdio.h>

#include "astray/fault.h"
#include "astray/wire.h"

struct recording;

/* "-" is standard input. */
int recording_open(struct recording **out, const char *path, struct fault *fault);
void recording_close(struct recording *recording); /* NULL is fine */
/* 1: an observation; 0: the end; negative: failed. */
int recording_next(struct recording *recording, struct wire_origin *origin,
	struct obs *obs, struct fault *fault);
/* How much of a file has been read; negative for a pipe. */
int recording_percent(const struct recording *recording);

#endif
