/*
 * The journal: every batch that was acknowledged, in the order in which the collector had it, as the
 * raw lines that the probe sent. All state behind it can be built again from it.
 *
 * A batch is acknowledged only once it is durable. Appends of one turn of the loop share a commit
 * (group commit, on a thread of its own); `done` is called from the loop. A batch whose
 * (probe, boot, seq) is already there is not written again and is reported as STATUS_DUPLICATE:
 * it may be acknowledged, and must not be fed on.
 */
#ifndef ASTRAY_JOURNAL_H
#define ASTRAY_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/wire.h"

struct uv_loop_s;
struct journal;
struct journal_reader;

struct journal_settings {
	const char *file;
	int64_t keep_us;    /* batches older than this go; 0: never */
	int64_t keep_bytes; /* beyond it the oldest go; 0: no limit */
};

struct journal_counters {
	uint64_t batches, observations, duplicates, failures, bytes, forgotten_batches;
};

typedef void (*journal_done_fn)(void *arg, int rc);

/* loop NULL: for reading only (export, replay of a journal). */
int journal_open(struct journal **out, struct uv_loop_s *loop, const struct journal_settings *settings,
	const struct log *log, struct fault *fault);
void journal_close(struct journal *journal, void (*closed)(void *arg), void *arg);
void journal_read_counters(const struct journal *journal, struct journal_counters *out);

/* `lines` are the observation lines with their newlines, without the batch line; copied. rx is the
 * collector's time and never goes back from one batch to the next. */
int journal_append(struct journal *journal, const struct wire_origin *origin, const char *lines, size_t len,
	int64_t observations, journal_done_fn done, void *arg);

/* Reads batches with from <= rx < until in rx order. The reader sees what was durable when it was
 * opened and may be used beside a running journal. */
int journal_read_open(struct journal_reader **out, const char *file, struct moment from, struct moment until,
	struct fault *fault);
/* 1: *origin and the lines (valid until the next call); 0: the end; negative: failed. */
int journal_read_next(struct journal_reader *reader, struct wire_origin *origin, const char **lines, size_t *len);
void journal_read_close(struct journal_reader *reader); /* NULL is fine */

#endif
