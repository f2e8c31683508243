#include "journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "journal_clock.h"
#include "journal_writer.h"

struct journal {
	struct journal_writer *writer;
	struct journal_clock clock;
	uv_async_t finished;
	void (*closed)(void *arg);
	void *closed_arg;
};

static void async_closed(uv_handle_t *handle)
{
	struct journal *journal = handle->data;

	if (journal->closed)
		journal->closed(journal->closed_arg);
	free(journal);
}

static void batches_finished(uv_async_t *async)
{
	struct journal *journal = async->data;
	bool ended;
	struct journal_entry *entry = journal_writer_take(journal->writer, &ended);

	while (entry) {
		struct journal_entry *next = entry->next;

		entry->done(entry->arg, entry->rc);
		free(entry);
		entry = next;
	}
	if (ended && !uv_is_closing((uv_handle_t *)async)) {
		journal_writer_close(journal->writer);
		uv_close((uv_handle_t *)async, async_closed);
	}
}

/* On the writer's thread. */
static void say_finished(void *arg)
{
	struct journal *journal = arg;

	(void)uv_async_send(&journal->finished);
}

int journal_open(struct journal **out, struct uv_loop_s *loop,
	const struct journal_settings *settings, const struct log *log,
	struct fault *fault)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct moment newest = {0};
	int rc;

	*out = NULL;
	if (!journal)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = uv_async_init(loop, &journal->finished, batches_finished);
	if (rc) {
		free(journal);
		return fault_at(fault, rc, "", "%s", status_text(rc));
	}
	journal->finished.data = journal;
	rc = journal_writer_open(
		&journal->writer, settings, log, say_finished, journal, &newest, fault);
	if (rc) {
		uv_close((uv_handle_t *)&journal->finished, async_closed);
		return rc;
	}
	journal->clock = journal_clock_after(newest, now_tick());
	*out = journal;
	return 0;
}

void journal_close(struct journal *journal, void (*closed)(void *arg), void *arg)
{
	journal->closed = closed;
	journal->closed_arg = arg;
	journal_writer_stop(journal->writer);
}

void journal_read_counters(struct journal *journal, struct journal_counters *out)
{
	journal_writer_count(journal->writer, out);
}

struct moment journal_now(struct journal *journal)
{
	return journal_clock_read(&journal->clock, now_moment(), now_tick());
}

struct moment journal_stamp(struct journal *journal)
{
	return journal_clock_stamp(&journal->clock, now_moment(), now_tick());
}

int journal_append(struct journal *journal, const struct journal_batch *batch,
	journal_done_fn done, void *arg)
{
	struct journal_entry *entry = malloc(sizeof(*entry) + batch->body_len);
	int rc;

	if (!entry)
		return -ENOMEM;
	*entry = (struct journal_entry){.batch = *batch, .done = done, .arg = arg};
	memcpy(entry + 1, batch->body, batch->body_len);
	entry->batch.body = entry + 1;
	rc = journal_writer_push(journal->writer, entry);
	if (rc)
		free(entry);
	return rc;
}
