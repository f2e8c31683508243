/*
 * Reads the journal, beside a running collector or without one: batches in rx order, as
 * they were when the reader was opened. Holds no transaction open between calls.
 */
#ifndef ASTRAY_JOURNAL_READ_H
#define ASTRAY_JOURNAL_READ_H

#include "astray/fault.h"
#include "astray/wire.h"

struct journal_reader;

/* Batches with from <= rx < until. */
int journal_read_open(struct journal_reader **out, const char *file, struct moment from,
	struct moment until, struct fault *fault);
/* 1: *origin and the observation lines, valid until the next call; 0: the end; negative:
 * failed. */
int journal_read_next(struct journal_reader *reader, struct wire_origin *origin,
	const char **lines, size_t *len, struct fault *fault);
/* The rx behind which nothing is read: for progress. */
struct moment journal_read_end(const struct journal_reader *reader);
void journal_read_close(struct journal_reader *reader); /* NULL is fine */

#endif
