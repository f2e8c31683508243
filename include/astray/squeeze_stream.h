/*
 * A packed file read as if it were not: gzip or zstd, also several pieces of either one
 * behind another, as tools write that pack while they go. Memory is fixed but for zstd's
 * window (at most 128 MiB); how much comes out is the reader's to bound.
 */
#ifndef ASTRAY_SQUEEZE_STREAM_H
#define ASTRAY_SQUEEZE_STREAM_H

#include <stdio.h>

#include "astray/squeeze.h"

struct squeeze_stream;

/* What a file's first byte shows it to be packed in; SQUEEZE_IDENTITY: nothing. */
enum squeeze_coding squeeze_stream_coding(int first_byte);

/* packed is borrowed, and is read from where it stands. */
int squeeze_stream_open(
	struct squeeze_stream **out, FILE *packed, enum squeeze_coding coding);
/* What comes out: whoever has it closes it, before squeeze_stream_close. */
FILE *squeeze_stream_file(const struct squeeze_stream *stream);
/* STATUS_CORRUPT once what was read is cut, or is not of that coding; -errno when reading
 * failed; else 0. */
int squeeze_stream_failure(const struct squeeze_stream *stream);
void squeeze_stream_close(struct squeeze_stream *stream);

#endif
