#include "journal_read.h"

#include <errno.h>
#include <stdlib.h>

#include "astray/squeeze.h"
#include "astray/status.h"
#include "journal_store.h"

struct journal_reader {
	struct journal_store *store;
	struct moment at, last;
	void *text; /* of the batch that was given out */
};

int journal_read_open(struct journal_reader **out, const char *file, struct moment from,
	struct moment until, struct fault *fault)
{
	struct journal_reader *reader = calloc(1, sizeof(*reader));
	int rc;

	*out = NULL;
	if (!reader)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = journal_store_open_read_only(&reader->store, file, fault);
	if (rc)
		goto fail;
	rc = journal_store_newest(reader->store, &reader->last);
	if (rc < 0) {
		rc = journal_store_fault(reader->store, rc, fault);
		goto fail;
	}
	if (rc == 0)
		reader->last = from;
	if (reader->last.us >= until.us)
		reader->last = moment_plus_us(until, -1);
	reader->at = moment_plus_us(from, -1);
	*out = reader;
	return 0;

fail:
	journal_read_close(reader);
	return rc;
}

static int unpack(struct journal_reader *reader, const struct journal_batch *batch,
	const char **lines, size_t *len)
{
	size_t all, head;
	const char *at;
	bool terminated;
	int rc;

	free(reader->text);
	reader->text = NULL;
	rc = squeeze_unpack(&reader->text, &all, batch->coding, batch->body,
		batch->body_len, (size_t)WIRE_BATCH_MAX);
	if (rc)
		return rc;
	at = reader->text;
	if (!wire_next_line(&at, at + all, &head, &terminated))
		return STATUS_CORRUPT;
	*lines = at;
	*len = all - (size_t)(at - (const char *)reader->text);
	return 1;
}

int journal_read_next(struct journal_reader *reader, struct wire_origin *origin,
	const char **lines, size_t *len, struct fault *fault)
{
	struct journal_batch batch;
	char at[MOMENT_TEXT];
	int rc = journal_store_next(reader->store, reader->at, &batch);

	if (rc < 0)
		return journal_store_fault(reader->store, rc, fault);
	if (rc == 0 || moment_before(reader->last, batch.origin.rx))
		return 0;
	reader->at = batch.origin.rx;
	*origin = batch.origin;
	rc = unpack(reader, &batch, lines, len);
	if (rc < 0)
		return fault_at(fault, rc, "", "the batch of %s: %s",
			moment_text(batch.origin.rx, true, at), status_text(rc));
	return rc;
}

struct moment journal_read_end(const struct journal_reader *reader)
{
	return reader->last;
}

void journal_read_close(struct journal_reader *reader)
{
	if (!reader)
		return;
	journal_store_close(reader->store);
	free(reader->text);
	free(reader);
}
