#include "journal_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "journal_store.h"

#define WAITING_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define WAITING_BATCHES_MAX 8192
#define GROUP_BATCHES_MAX 512
#define GROUP_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define CHECKPOINT_BYTES                                                                \
	((size_t)16 * 1024 * 1024) /* of log beside the file, while batches keep coming \
				    */
#define UPKEEP_US MOMENT_SECOND_US
#define FORGET_MOST 256
#define NS_PER_US 1000

struct list {
	struct journal_entry *first, **end;
	size_t batches, bytes;
};

struct journal_writer {
	char *file;
	struct journal_settings settings;
	const struct log *log;
	void (*finished)(void *arg);
	void *arg;
	uv_thread_t thread;
	uv_mutex_t mutex;
	uv_cond_t wake;
	/* under the mutex */
	struct list waiting, dealt_with;
	struct journal_counters counters;
	bool stopping, ended;
	/* the thread's own */
	struct journal_store *store; /* NULL: broken, to be read again */
	struct moment newest;
	size_t log_bytes; /* committed since the last checkpoint */
	struct tick upkeep_at;
	bool forgetting; /* the last step did not reach the limit */
};

static void list_init(struct list *list)
{
	*list = (struct list){.end = &list->first};
}

static void list_add(struct list *list, struct journal_entry *entry)
{
	entry->next = NULL;
	*list->end = entry;
	list->end = &entry->next;
	list->batches++;
	list->bytes += entry->batch.body_len;
}

static struct journal_entry *list_remove_first(struct list *list)
{
	struct journal_entry *entry = list->first;

	list->first = entry->next;
	if (!list->first)
		list->end = &list->first;
	list->batches--;
	list->bytes -= entry->batch.body_len;
	return entry;
}

/* ---- a commit */

static int write_group(struct journal_writer *writer, const struct list *group)
{
	int rc = journal_store_begin(writer->store);

	for (struct journal_entry *entry = group->first; entry && rc == 0;
		entry = entry->next) {
		entry->rc = journal_store_add(writer->store, &entry->batch);
		if (entry->rc != STATUS_DUPLICATE)
			rc = entry->rc;
	}
	return rc ? rc : journal_store_commit(writer->store);
}

/* What failed to be committed may stand in the log all the same, in pages that the kernel
 * has given up to write. So the file is closed, and believed again only when all of it
 * has been moved and synced anew. */
static void fall_out(struct journal_writer *writer, int rc, size_t batches)
{
	struct fault fault = {0};
	char text[512];

	(void)journal_store_fault(writer->store, rc, &fault);
	log_error(writer->log, "journal",
		"%s, %zu batches are not acknowledged, no more will be until it can be "
		"read again",
		fault_text(&fault, text, sizeof(text)), batches);
	journal_store_rollback(writer->store);
	journal_store_close(writer->store);
	writer->store = NULL;
}

static void come_back(struct journal_writer *writer)
{
	struct fault fault = {0};
	char text[512];
	int rc = journal_store_open(&writer->store, writer->file, &fault);

	if (rc == 0) {
		rc = journal_store_checkpoint(writer->store, true);
		if (rc)
			(void)journal_store_fault(writer->store, rc, &fault);
	}
	if (rc == 0) {
		log_info(writer->log, "journal",
			"%s: read again, batches are acknowledged", writer->file);
		return;
	}
	log_error(writer->log, "journal", "%s, next try in 1 s",
		fault_text(&fault, text, sizeof(text)));
	journal_store_close(writer->store);
	writer->store = NULL;
}

static void fail_group(const struct list *group, int rc)
{
	for (struct journal_entry *entry = group->first; entry; entry = entry->next)
		entry->rc = rc;
}

static int commit_group(struct journal_writer *writer, const struct list *group)
{
	int rc = writer->store ? write_group(writer, group) : -EIO;

	if (rc == 0) {
		writer->log_bytes += group->bytes;
		return 0;
	}
	fail_group(group, rc);
	if (writer->store)
		fall_out(writer, rc, group->batches);
	return rc;
}

static void count_group(struct journal_writer *writer, const struct list *group, int rc)
{
	struct journal_counters *counters = &writer->counters;

	counters->commits += rc == 0;
	for (const struct journal_entry *entry = group->first; entry;
		entry = entry->next) {
		if (entry->rc == 0) {
			counters->batches++;
			counters->observations += (uint64_t)entry->batch.observations;
			counters->bytes += entry->batch.body_len;
			writer->newest = entry->batch.origin.rx;
		}
		counters->duplicates += entry->rc == STATUS_DUPLICATE;
		counters->failures += entry->rc != 0 && entry->rc != STATUS_DUPLICATE;
	}
}

/* ---- upkeep */

static int forget_some(struct journal_writer *writer)
{
	struct moment before = {writer->settings.keep_us
					? writer->newest.us - writer->settings.keep_us
					: INT64_MIN};
	int rc = journal_store_begin(writer->store), count = 0;

	if (rc == 0)
		count = journal_store_forget(
			writer->store, before, writer->settings.keep_bytes, FORGET_MOST);
	if (rc == 0)
		rc = count < 0 ? count : journal_store_commit(writer->store);
	if (rc)
		return rc;
	writer->forgetting = count == FORGET_MOST;
	uv_mutex_lock(&writer->mutex);
	writer->counters.forgotten_batches += (uint64_t)count;
	uv_mutex_unlock(&writer->mutex);
	return 0;
}

static int checkpoint(struct journal_writer *writer, bool idle)
{
	int rc;

	if (writer->log_bytes == 0 || (!idle && writer->log_bytes < CHECKPOINT_BYTES))
		return 0;
	rc = journal_store_checkpoint(writer->store, false);
	if (rc == 0)
		writer->log_bytes = 0;
	return rc == -EBUSY ? 0 : rc;
}

static void keep_up(struct journal_writer *writer, bool idle)
{
	struct tick now = now_tick();
	bool due = tick_since_us(now, writer->upkeep_at) >= UPKEEP_US;
	int rc = 0;

	if (due)
		writer->upkeep_at = now;
	if (!writer->store) {
		if (due)
			come_back(writer);
		return;
	}
	if (due || writer->forgetting)
		rc = forget_some(writer);
	if (rc == 0)
		rc = checkpoint(writer, idle);
	if (rc)
		fall_out(writer, rc, 0);
}

/* ---- the thread */

static void take_group(struct journal_writer *writer, struct list *group)
{
	list_init(group);
	while (writer->waiting.first && group->batches < GROUP_BATCHES_MAX &&
		group->bytes < GROUP_BYTES_MAX)
		list_add(group, list_remove_first(&writer->waiting));
}

static void deal_with(struct journal_writer *writer, struct list *group)
{
	int rc = commit_group(writer, group);

	uv_mutex_lock(&writer->mutex);
	count_group(writer, group, rc);
	writer->counters.broken = writer->store == NULL;
	while (group->first)
		list_add(&writer->dealt_with, list_remove_first(group));
	uv_mutex_unlock(&writer->mutex);
	writer->finished(writer->arg);
}

/* Waits for work; false when there is none and none will come. */
static bool wait_for_work(struct journal_writer *writer, struct list *group)
{
	bool stopping;

	uv_mutex_lock(&writer->mutex);
	if (!writer->waiting.first && !writer->stopping)
		(void)uv_cond_timedwait(
			&writer->wake, &writer->mutex, UPKEEP_US * NS_PER_US);
	take_group(writer, group);
	writer->counters.broken = writer->store == NULL;
	stopping = writer->stopping;
	uv_mutex_unlock(&writer->mutex);
	return group->first || !stopping;
}

static void run(void *arg)
{
	struct journal_writer *writer = arg;
	struct list group;

	while (wait_for_work(writer, &group)) {
		bool idle = !group.first;

		if (!idle)
			deal_with(writer, &group);
		keep_up(writer, idle);
	}
	if (writer->store)
		(void)journal_store_checkpoint(writer->store, true);
	uv_mutex_lock(&writer->mutex);
	writer->ended = true;
	uv_mutex_unlock(&writer->mutex);
	writer->finished(writer->arg);
}

/* ---- for the loop */

static int start(struct journal_writer *writer)
{
	int rc = uv_mutex_init(&writer->mutex);

	if (rc)
		return rc;
	rc = uv_cond_init(&writer->wake);
	if (rc == 0) {
		rc = uv_thread_create(&writer->thread, run, writer);
		if (rc)
			uv_cond_destroy(&writer->wake);
	}
	if (rc)
		uv_mutex_destroy(&writer->mutex);
	return rc;
}

static void free_writer(struct journal_writer *writer)
{
	journal_store_close(writer->store);
	free(writer->file);
	free(writer);
}

int journal_writer_open(struct journal_writer **out,
	const struct journal_settings *settings, const struct log *log,
	void (*finished)(void *arg), void *arg, struct moment *newest,
	struct fault *fault)
{
	struct journal_writer *writer = calloc(1, sizeof(*writer));
	int rc;

	*out = NULL;
	if (!writer)
		return fault_at(fault, -ENOMEM, "", "no memory");
	writer->settings = *settings;
	writer->log = log;
	writer->finished = finished;
	writer->arg = arg;
	list_init(&writer->waiting);
	list_init(&writer->dealt_with);
	writer->file = strdup(settings->file);
	rc = writer->file ? journal_store_open(&writer->store, settings->file, fault)
			  : fault_at(fault, -ENOMEM, "", "no memory");
	if (rc)
		goto fail;
	/* What a crash left in the log is made durable before anything is said about it.
	 */
	rc = journal_store_checkpoint(writer->store, true);
	if (rc == 0)
		rc = journal_store_newest(writer->store, &writer->newest);
	*newest = writer->newest;
	if (rc >= 0)
		rc = start(writer);
	if (rc) {
		rc = journal_store_fault(writer->store, rc, fault);
		goto fail;
	}
	*out = writer;
	return 0;

fail:
	free_writer(writer);
	return rc;
}

int journal_writer_push(struct journal_writer *writer, struct journal_entry *entry)
{
	int rc = 0;

	uv_mutex_lock(&writer->mutex);
	if (writer->waiting.batches >= WAITING_BATCHES_MAX ||
		writer->waiting.bytes + entry->batch.body_len > WAITING_BYTES_MAX)
		rc = STATUS_LATER;
	else
		list_add(&writer->waiting, entry);
	if (rc == 0)
		uv_cond_signal(&writer->wake);
	uv_mutex_unlock(&writer->mutex);
	return rc;
}

struct journal_entry *journal_writer_take(struct journal_writer *writer, bool *ended)
{
	struct journal_entry *first;

	uv_mutex_lock(&writer->mutex);
	first = writer->dealt_with.first;
	list_init(&writer->dealt_with);
	*ended = writer->ended;
	uv_mutex_unlock(&writer->mutex);
	return first;
}

void journal_writer_count(struct journal_writer *writer, struct journal_counters *out)
{
	uv_mutex_lock(&writer->mutex);
	*out = writer->counters;
	out->waiting_batches = writer->waiting.batches;
	uv_mutex_unlock(&writer->mutex);
}

void journal_writer_stop(struct journal_writer *writer)
{
	uv_mutex_lock(&writer->mutex);
	writer->stopping = true;
	uv_cond_signal(&writer->wake);
	uv_mutex_unlock(&writer->mutex);
}

void journal_writer_close(struct journal_writer *writer)
{
	(void)uv_thread_join(&writer->thread);
	uv_cond_destroy(&writer->wake);
	uv_mutex_destroy(&writer->mutex);
	free_writer(writer);
}
