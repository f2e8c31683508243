/*
 * Batches that the disk would not take, kept in memory meanwhile: first in, first out,
 * bounded in bytes.
 */
#ifndef ASTRAY_SPOOL_HELD_H
#define ASTRAY_SPOOL_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "spool_record.h"

struct spool_held_batch; /* one batch in the list */

struct spool_held {
	struct spool_held_batch *first, *last;
	int64_t batches, bytes;
};

/* Copies the record and its packed lines. -ENOMEM. */
int spool_held_add(struct spool_held *held, const struct spool_record *record);
/* The oldest, or NULL; valid until it is removed. */
const struct spool_record *spool_held_first(const struct spool_held *held);
void spool_held_remove_first(struct spool_held *held);

#endif
