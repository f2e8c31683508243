/*
 * The journal's file: its schema and statements. Calls block for the disk; one thread at
 * a time.
 */
#ifndef ASTRAY_JOURNAL_STORE_H
#define ASTRAY_JOURNAL_STORE_H

#include "journal.h"

struct journal_store;

int journal_store_open(struct journal_store **out, const char *file, struct fault *fault);
int journal_store_open_read_only(
	struct journal_store **out, const char *file, struct fault *fault);
void journal_store_close(struct journal_store *store); /* NULL is fine */
/* What the library said of the last failure. */
int journal_store_fault(const struct journal_store *store, int rc, struct fault *fault);

int journal_store_begin(struct journal_store *store);
/* STATUS_DUPLICATE: it is there, in the file or in this transaction. */
int journal_store_add(struct journal_store *store, const struct journal_batch *batch);
int journal_store_commit(struct journal_store *store); /* 0: durable */
void journal_store_rollback(struct journal_store *store);

/* Moves what was committed from the log beside the file into it: what is free to move, or
 * all of it
 * (-EBUSY when a reader is in the way). */
int journal_store_checkpoint(struct journal_store *store, bool all);
/* Removes at most `most` of the oldest batches, as long as they are older than `before`
 * or the file uses more than limit_bytes (0: any). How many went, or negative. */
int journal_store_forget(
	struct journal_store *store, struct moment before, int64_t limit_bytes, int most);

/* 1 and the rx of the newest batch, 0 when there is none, or negative. */
int journal_store_newest(struct journal_store *store, struct moment *rx);
/* 1 and the first batch behind `after`, the body valid until the next call; 0: none; or
 * negative. */
int journal_store_next(
	struct journal_store *store, struct moment after, struct journal_batch *out);

#endif
