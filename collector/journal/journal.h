/*
 * The journal: every batch that was acknowledged, in the order in which the collector had
 * it, as the probe sent it. All state behind it can be built again from it.
 *
 * A batch is acknowledged only once it is durable. Appends that wait together share a
 * commit (group commit, on a thread of its own); `done` is called from the loop, in the
 * order of the appends. A batch whose (probe, boot, seq) is already there is not written
 * again and is reported as STATUS_DUPLICATE: it may be acknowledged, and must not be fed
 * on. After a commit that failed nothing is acknowledged until the file has been read
 * again and all that is in it is durable.
 */
#ifndef ASTRAY_JOURNAL_H
#define ASTRAY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/squeeze.h"
#include "astray/wire.h"

struct uv_loop_s;
struct journal;

struct journal_settings {
	const char *file;
	int64_t keep_us; /* batches older than this, seen from the newest, go; 0: never */
	int64_t keep_bytes; /* beyond it the oldest go; 0: no limit */
};

struct journal_counters {
	uint64_t batches, observations, duplicates, failures, commits, bytes,
		forgotten_batches;
	uint64_t waiting_batches;
	bool broken; /* the last commit failed, and the file could not be read again since
		      */
};

/* A batch as it was on the wire: the batch line, then its observations. */
struct journal_batch {
	struct wire_origin origin;
	int64_t observations;
	enum squeeze_coding coding;
	const void *body;
	size_t body_len;
};

typedef void (*journal_done_fn)(void *arg, int rc);

int journal_open(struct journal **out, struct uv_loop_s *loop,
	const struct journal_settings *settings, const struct log *log,
	struct fault *fault);
/* Writes what waits, then ends; `closed` is called from the loop. NULL is not fine. */
void journal_close(struct journal *journal, void (*closed)(void *arg), void *arg);
void journal_read_counters(struct journal *journal, struct journal_counters *out);

/* The collector's time: the wall clock, but it never goes back (when that does, it goes
 * on at the pace of the monotonic one), and a stamp is given once only. */
struct moment journal_now(struct journal *journal);
struct moment journal_stamp(struct journal *journal);

/* Copies the body. origin.rx should come from journal_stamp(), in order. STATUS_LATER
 * when too much waits already; then, as on any failure, `done` is not called. */
int journal_append(struct journal *journal, const struct journal_batch *batch,
	journal_done_fn done, void *arg);

#endif
