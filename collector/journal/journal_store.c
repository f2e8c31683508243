#include "journal_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "astray/status.h"
#include "database.h"

/* rx is given once and in order, so it is the key: appending at the end of the tree,
 * reading by time without an index of its own. */
static const char *const schema[] = {
	"CREATE TABLE batch (rx_us INTEGER PRIMARY KEY, probe TEXT NOT NULL, boot TEXT "
	"NOT NULL,"
	" seq INTEGER NOT NULL, observations INTEGER NOT NULL, coding INTEGER NOT NULL,"
	" body BLOB NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX batch_name ON batch (probe, boot, seq);",
	NULL,
};

enum {
	SQL_ADD,
	SQL_NEWEST,
	SQL_NEXT,
	SQL_OLDEST,
	SQL_REMOVE,
	SQL_USED,
	SQL_CHECKPOINT,
	SQL_CHECKPOINT_ALL,
	SQLS
};

static const char *const texts[SQLS] = {
	[SQL_ADD] = "INSERT INTO batch VALUES (?,?,?,?,?,?,?)"
		    " ON CONFLICT (probe, boot, seq) DO NOTHING RETURNING rx_us",
	[SQL_NEWEST] = "SELECT max(rx_us) FROM batch",
	[SQL_NEXT] =
		"SELECT rx_us, probe, boot, seq, observations, coding, body FROM batch"
		" WHERE rx_us > ? ORDER BY rx_us LIMIT 1",
	[SQL_OLDEST] = "SELECT min(rx_us) FROM batch",
	[SQL_REMOVE] = "DELETE FROM batch WHERE rx_us = ?",
	[SQL_CHECKPOINT] = "PRAGMA wal_checkpoint(PASSIVE)",
	[SQL_CHECKPOINT_ALL] = "PRAGMA wal_checkpoint(TRUNCATE)",
	[SQL_USED] =
		"SELECT (page_count - freelist_count) * page_size"
		" FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()",
};

struct journal_store {
	struct database *database;
	struct database_statement *sql[SQLS];
	bool reading; /* SQL_NEXT stands on a row */
};

static int open_store(
	struct journal_store **out, const char *file, unsigned flags, struct fault *fault)
{
	struct journal_store *store = calloc(1, sizeof(*store));
	int rc;

	*out = NULL;
	if (!store)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = database_open(&store->database, file, schema, flags, fault);
	if (rc)
		goto fail;
	/* Checkpoints have their own time: inside a commit they would hold up
	 * acknowledgements. */
	rc = database_run(store->database, "PRAGMA wal_autocheckpoint=0");
	for (int i = 0; rc == 0 && i < SQLS; i++)
		rc = database_prepare(&store->sql[i], store->database, texts[i]);
	if (rc) {
		rc = database_fault(store->database, rc, fault);
		goto fail;
	}
	*out = store;
	return 0;

fail:
	journal_store_close(store);
	return rc;
}

int journal_store_open(struct journal_store **out, const char *file, struct fault *fault)
{
	return open_store(out, file, 0, fault);
}

int journal_store_open_read_only(
	struct journal_store **out, const char *file, struct fault *fault)
{
	return open_store(out, file, DATABASE_READ_ONLY, fault);
}

void journal_store_close(struct journal_store *store)
{
	if (!store)
		return;
	for (int i = 0; i < SQLS; i++)
		database_finalize(store->sql[i]);
	database_close(store->database);
	free(store);
}

int journal_store_fault(const struct journal_store *store, int rc, struct fault *fault)
{
	return database_fault(store->database, rc, fault);
}

int journal_store_begin(struct journal_store *store)
{
	return database_begin(store->database);
}

int journal_store_add(struct journal_store *store, const struct journal_batch *batch)
{
	struct database_statement *add = store->sql[SQL_ADD];
	int rc;

	database_bind_int(add, 1, batch->origin.rx.us);
	database_bind_text(add, 2, batch->origin.probe);
	database_bind_text(add, 3, batch->origin.boot);
	database_bind_int(add, 4, batch->origin.seq);
	database_bind_int(add, 5, batch->observations);
	database_bind_int(add, 6, batch->coding);
	database_bind_bytes(add, 7, batch->body, batch->body_len);
	rc = database_step(add);
	if (rc > 0) {
		/* The row is in; the second step ends the statement. */
		rc = database_step(add);
		return rc;
	}
	return rc ? rc : STATUS_DUPLICATE;
}

int journal_store_commit(struct journal_store *store)
{
	return database_commit(store->database);
}

void journal_store_rollback(struct journal_store *store)
{
	database_rollback(store->database);
}

/* A statement that gives one number: 1, 0 when it is NULL, or negative. */
static int ask(struct database_statement *statement, int64_t *out)
{
	int rc = database_step(statement);

	if (rc <= 0)
		return rc;
	rc = database_is_null(statement, 0) ? 0 : 1;
	*out = database_int(statement, 0);
	database_reset(statement);
	return rc;
}

/* Its one row begins with whether somebody was in the way. */
int journal_store_checkpoint(struct journal_store *store, bool all)
{
	int64_t busy = 0;
	int rc = ask(store->sql[all ? SQL_CHECKPOINT_ALL : SQL_CHECKPOINT], &busy);

	if (rc < 0)
		return rc;
	return all && busy ? -EBUSY : 0;
}

static int is_over(struct journal_store *store, struct moment oldest,
	struct moment before, int64_t limit_bytes)
{
	int64_t used;
	int rc;

	if (moment_before(oldest, before))
		return 1;
	if (!limit_bytes)
		return 0;
	rc = ask(store->sql[SQL_USED], &used);
	return rc <= 0 ? rc : used > limit_bytes;
}

int journal_store_forget(
	struct journal_store *store, struct moment before, int64_t limit_bytes, int most)
{
	struct moment oldest;
	int count, rc = 1;

	for (count = 0; count < most && rc > 0; count++) {
		rc = ask(store->sql[SQL_OLDEST], &oldest.us);
		if (rc > 0)
			rc = is_over(store, oldest, before, limit_bytes);
		if (rc <= 0)
			break;
		database_bind_int(store->sql[SQL_REMOVE], 1, oldest.us);
		rc = database_step(store->sql[SQL_REMOVE]);
		rc = rc < 0 ? rc : 1;
	}
	return rc < 0 ? rc : count;
}

int journal_store_newest(struct journal_store *store, struct moment *rx)
{
	return ask(store->sql[SQL_NEWEST], &rx->us);
}

int journal_store_next(
	struct journal_store *store, struct moment after, struct journal_batch *out)
{
	struct database_statement *next = store->sql[SQL_NEXT];
	int rc;

	if (store->reading)
		database_reset(next);
	database_bind_int(next, 1, after.us);
	rc = database_step(next);
	store->reading = rc > 0;
	if (rc <= 0)
		return rc;
	*out = (struct journal_batch){
		.origin = {.rx = {database_int(next, 0)}, .seq = database_int(next, 3)},
		.observations = database_int(next, 4),
		.coding = (enum squeeze_coding)database_int(next, 5)};
	(void)snprintf(out->origin.probe, sizeof(out->origin.probe), "%s",
		database_text(next, 1));
	(void)snprintf(
		out->origin.boot, sizeof(out->origin.boot), "%s", database_text(next, 2));
	out->body = database_bytes(next, 6, &out->body_len);
	return 1;
}
