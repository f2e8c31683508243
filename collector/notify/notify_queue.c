#include "notify_queue.h"

#include <errno.h>
#include <stdlib.h>

#include "database.h"

enum statement {
	HEARD_UNTIL,
	HEARD,
	FORGET,
	HEAR,
	SET_UNTIL,
	ADD,
	MARK_TOLD,
	REMOVE,
	STATEMENTS
};

struct notify_queue {
	struct database *database;
	struct database_statement *statements[STATEMENTS];
};

/* `heard` names the changes of the latest rx only: what has an earlier one was heard,
 * too. */
static const char schema[] =
	"CREATE TABLE heard_until (rx_us INTEGER NOT NULL);"
	"CREATE TABLE heard (incident TEXT NOT NULL, change_number INTEGER NOT NULL,"
	" PRIMARY KEY (incident, change_number)) WITHOUT ROWID;"
	"CREATE TABLE message (id INTEGER PRIMARY KEY, target TEXT NOT NULL,"
	" incident TEXT NOT NULL, change_number INTEGER NOT NULL, resolves INTEGER NOT "
	"NULL,"
	" told INTEGER NOT NULL, body BLOB NOT NULL)";
static const char *const steps[] = {schema, NULL};

static const char add_text[] =
	"INSERT INTO message (target, incident, change_number, resolves, told, body)"
	" VALUES (?, ?, ?, ?, 0, ?) RETURNING id";

static const char *const texts[STATEMENTS] = {
	[HEARD_UNTIL] = "SELECT rx_us FROM heard_until",
	[HEARD] = "SELECT 1 FROM heard WHERE incident = ? AND change_number = ?",
	[FORGET] = "DELETE FROM heard",
	[HEAR] = "INSERT INTO heard VALUES (?, ?)",
	[SET_UNTIL] = "UPDATE heard_until SET rx_us = ?",
	[ADD] = add_text,
	[MARK_TOLD] = "UPDATE message SET told = 1 WHERE id = ?",
	[REMOVE] = "DELETE FROM message WHERE id = ?",
};

/* Runs a statement that gives at most one number; 1 when it gave one. */
static int run(struct database_statement *statement, int64_t *number)
{
	int rc = database_step(statement);

	if (rc == 1 && number)
		*number = database_int(statement, 0);
	database_reset(statement);
	return rc;
}

static int begin_history(struct notify_queue *queue, struct moment now)
{
	struct database_statement *insert;
	int rc = run(queue->statements[HEARD_UNTIL], NULL);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = database_prepare(
		&insert, queue->database, "INSERT INTO heard_until VALUES (?)");
	if (rc)
		return rc;
	database_bind_int(insert, 1, now.us);
	rc = run(insert, NULL);
	database_finalize(insert);
	return rc;
}

int notify_queue_open(struct notify_queue **out, const char *file, struct moment now,
	struct fault *fault)
{
	struct notify_queue *queue;
	int rc;

	*out = NULL;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return fault_at(fault, -ENOMEM, "", "no memory");
	rc = database_open(&queue->database, file, steps, 0, fault);
	if (rc)
		goto fail;
	for (int i = 0; rc == 0 && i < STATEMENTS; i++)
		rc = database_prepare(&queue->statements[i], queue->database, texts[i]);
	if (rc == 0)
		rc = begin_history(queue, now);
	if (rc) {
		(void)database_fault(queue->database, rc, fault);
		goto fail;
	}
	*out = queue;
	return 0;

fail:
	notify_queue_close(queue);
	return rc;
}

void notify_queue_close(struct notify_queue *queue)
{
	if (!queue)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		database_finalize(queue->statements[i]);
	database_close(queue->database);
	free(queue);
}

static void read_row(struct notify_queue_row *row, struct database_statement *statement)
{
	*row = (struct notify_queue_row){.id = database_int(statement, 0),
		.target = database_text(statement, 1),
		.incident = database_text(statement, 2),
		.change_number = database_int(statement, 3),
		.resolves = database_int(statement, 4) != 0,
		.told = database_int(statement, 5) != 0};
	row->body = database_bytes(statement, 6, &row->body_len);
}

int notify_queue_load(struct notify_queue *queue, notify_queue_fn each, void *arg)
{
	struct database_statement *select;
	struct notify_queue_row row;
	int rc = database_prepare(&select, queue->database,
		"SELECT id, target, incident, change_number, resolves, told, body FROM "
		"message"
		" ORDER BY id");

	if (rc)
		return rc;
	while ((rc = database_step(select)) == 1) {
		read_row(&row, select);
		rc = each(arg, &row);
		if (rc < 0)
			break;
	}
	database_finalize(select);
	return rc;
}

static void bind_change(
	struct database_statement *statement, const struct incident *incident)
{
	database_bind_text(statement, 1, incident->id);
	database_bind_int(statement, 2, incident->change_number);
}

/* 1: the change is new; its rx is then the latest. */
static int compare(
	struct notify_queue *queue, const struct incident *incident, bool *later)
{
	int64_t until_us = 0;
	int rc = run(queue->statements[HEARD_UNTIL], &until_us);

	if (rc < 0)
		return rc;
	*later = incident->rx.us > until_us;
	if (incident->rx.us != until_us)
		return *later;
	bind_change(queue->statements[HEARD], incident);
	rc = run(queue->statements[HEARD], NULL);
	return rc < 0 ? rc : rc == 0;
}

static int note(struct notify_queue *queue, const struct incident *incident, bool later)
{
	int rc = 0;

	if (later) {
		rc = run(queue->statements[FORGET], NULL);
		database_bind_int(queue->statements[SET_UNTIL], 1, incident->rx.us);
		if (rc == 0)
			rc = run(queue->statements[SET_UNTIL], NULL);
	}
	bind_change(queue->statements[HEAR], incident);
	return rc ? rc : run(queue->statements[HEAR], NULL);
}

int notify_queue_hear(struct notify_queue *queue, const struct incident *incident)
{
	bool later;
	int rc = compare(queue, incident, &later);

	if (rc != 1)
		return rc;
	rc = database_begin(queue->database);
	if (rc == 0)
		rc = note(queue, incident, later);
	if (rc == 0)
		return 1;
	database_rollback(queue->database);
	return rc;
}

int notify_queue_add(struct notify_queue *queue, struct notify_queue_row *row)
{
	struct database_statement *add = queue->statements[ADD];
	int rc;

	database_bind_text(add, 1, row->target);
	database_bind_text(add, 2, row->incident);
	database_bind_int(add, 3, row->change_number);
	database_bind_int(add, 4, row->resolves);
	database_bind_bytes(add, 5, row->body, row->body_len);
	rc = run(add, &row->id);
	return rc < 0 ? rc : 0;
}

int notify_queue_commit(struct notify_queue *queue)
{
	int rc = database_commit(queue->database);

	if (rc)
		database_rollback(queue->database);
	return rc;
}

void notify_queue_rollback(struct notify_queue *queue)
{
	database_rollback(queue->database);
}

static int run_on(struct notify_queue *queue, enum statement which, int64_t id)
{
	database_bind_int(queue->statements[which], 1, id);
	return run(queue->statements[which], NULL);
}

int notify_queue_mark_told(struct notify_queue *queue, int64_t id)
{
	return run_on(queue, MARK_TOLD, id);
}

int notify_queue_remove(struct notify_queue *queue, int64_t id)
{
	return run_on(queue, REMOVE, id);
}
