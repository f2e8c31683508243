/*
 * SQLite for the collector: the one place that meets it. A database file with its
 * statements, opened in WAL mode with synchronous=FULL: what was committed survives a
 * power cut. Calls block for the disk; a handle belongs to one thread at a time.
 *
 * A statement binds by position from 1 and reads columns from 0, as SQLite does.
 */
#ifndef ASTRAY_DATABASE_H
#define ASTRAY_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/fault.h"

struct database;
struct database_statement;

#define DATABASE_READ_ONLY 1u

/* `steps` are the versions of the schema, oldest first, ending with NULL: a file is
 * brought from its version (kept in user_version) to the last; one that is newer than we
 * know is refused. */
int database_open(struct database **out, const char *file, const char *const *steps,
	unsigned flags, struct fault *fault);
void database_close(struct database *database); /* NULL is fine */

/* Fills the fault right after a call has failed: the file, and what SQLite said. Returns
 * rc. A row that is already there is STATUS_DUPLICATE, a full disk -ENOSPC, a damaged
 * file STATUS_CORRUPT. */
int database_fault(const struct database *database, int rc, struct fault *fault);

int database_begin(struct database *database);
int database_commit(struct database *database);    /* 0: durable */
void database_rollback(struct database *database); /* nothing begun is fine */
int database_run(
	struct database *database, const char *sql); /* one or more; rows are dropped */

int database_prepare(
	struct database_statement **out, struct database *database, const char *sql);
void database_finalize(struct database_statement *statement); /* NULL is fine */
void database_bind_int(struct database_statement *statement, int at, int64_t value);
void database_bind_double(struct database_statement *statement, int at, double value);
/* Texts are copied (NULL binds NULL); bytes are borrowed until the statement is done or
 * reset. */
void database_bind_text(struct database_statement *statement, int at, const char *text);
void database_bind_bytes(
	struct database_statement *statement, int at, const void *bytes, size_t len);
void database_bind_null(struct database_statement *statement, int at);

/* 1: a row is there; 0: done (and the statement is ready to be bound again); negative:
 * failed. Bindings that failed are reported here. */
int database_step(struct database_statement *statement);
void database_reset(struct database_statement *statement);
int64_t database_int(struct database_statement *statement, int column);
double database_double(struct database_statement *statement, int column);
bool database_is_null(struct database_statement *statement, int column);
/* Valid until the next step or reset; "" for NULL. */
const char *database_text(struct database_statement *statement, int column);
const void *database_bytes(struct database_statement *statement, int column, size_t *len);

#endif
