/*
 * The journal's thread: takes all that waits, writes it in one transaction, and says how
 * it went. Between groups it moves the log into the file and lets old batches go, in
 * small steps.
 */
#ifndef ASTRAY_JOURNAL_WRITER_H
#define ASTRAY_JOURNAL_WRITER_H

#include "journal.h"

struct journal_writer;

struct journal_entry {
	struct journal_entry *next;
	struct journal_batch
		batch; /* the body stands behind the entry, in the same memory */
	journal_done_fn done;
	void *arg;
	int rc;
};

/* `finished` is called from the thread when there is something to take. *newest is the rx
 * of the newest batch in the file, 0 when there is none. */
int journal_writer_open(struct journal_writer **out,
	const struct journal_settings *settings, const struct log *log,
	void (*finished)(void *arg), void *arg, struct moment *newest,
	struct fault *fault);
/* Takes over the entry; STATUS_LATER when too much waits (the entry stays the caller's).
 */
int journal_writer_push(struct journal_writer *writer, struct journal_entry *entry);
/* What has been dealt with, in the order of the pushes; *ended once the thread is
 * through. */
struct journal_entry *journal_writer_take(struct journal_writer *writer, bool *ended);
void journal_writer_count(struct journal_writer *writer, struct journal_counters *out);
/* Lets the thread write what waits and end; `finished` is called a last time. */
void journal_writer_stop(struct journal_writer *writer);
void journal_writer_close(struct journal_writer *writer); /* once it has ended */

#endif
