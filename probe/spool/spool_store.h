/*
 * The disk's half of a spool: a folder of segments, the oldest record of them, and what
 * room is left. It knows records and files; names, packing, memory and gaps are the
 * spool's.
 */
#ifndef ASTRAY_SPOOL_STORE_H
#define ASTRAY_SPOOL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"
#include "astray/obs.h"
#include "spool_record.h"

struct spool_store;

struct spool_store_counts {
	int64_t batches, bytes; /* not done yet */
	int64_t damaged_segments;
};

int spool_store_open(struct spool_store **out, const char *directory, int64_t limit_bytes,
	struct fault *fault);
void spool_store_close(struct spool_store *store); /* NULL is fine */

/* 0 once the record is on disk for good. */
int spool_store_append(struct spool_store *store, const struct spool_record *record);

/* The oldest record: 1 and *out (valid until it is forgotten or dropped), 0 when there is
 * none, STATUS_CORRUPT when the oldest file no longer reads as it was written: drop it.
 */
int spool_store_oldest(struct spool_store *store, const struct spool_record **out);
void spool_store_forget_oldest(struct spool_store *store);

/* True when so many bytes more would pass the limit. */
bool spool_store_is_full(const struct spool_store *store, size_t more);
/* Dropping is two steps, so that the loss can be written down in between: nothing is
 * appended to the oldest file any more and *content is what it holds; then it goes.
 * False: no file. */
bool spool_store_seal_oldest(struct spool_store *store, struct obs_gap *content);
void spool_store_drop_oldest(struct spool_store *store);

struct spool_store_counts spool_store_count(const struct spool_store *store);
/* The folder itself, for what else is kept in it. */
int spool_store_directory(const struct spool_store *store);

#endif
