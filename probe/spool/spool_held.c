#include "spool_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct spool_held_batch {
	struct spool_held_batch *next;
	struct spool_record record;
	uint8_t packed[];
};

int spool_held_add(struct spool_held *held, const struct spool_record *record)
{
	struct spool_held_batch *batch = malloc(sizeof(*batch) + record->packed_len);

	if (!batch)
		return -ENOMEM;
	batch->next = NULL;
	batch->record = *record;
	batch->record.packed = batch->packed;
	if (record->packed_len)
		memcpy(batch->packed, record->packed, record->packed_len);
	if (held->last)
		held->last->next = batch;
	else
		held->first = batch;
	held->last = batch;
	held->batches++;
	held->bytes += (int64_t)record->packed_len;
	return 0;
}

const struct spool_record *spool_held_first(const struct spool_held *held)
{
	return held->first ? &held->first->record : NULL;
}

void spool_held_remove_first(struct spool_held *held)
{
	struct spool_held_batch *batch = held->first;

	held->first = batch->next;
	if (!held->first)
		held->last = NULL;
	held->batches--;
	held->bytes -= (int64_t)batch->record.packed_len;
	free(batch);
}
