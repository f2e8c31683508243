#include "database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "astray/status.h"

#define BUSY_MS 5000 /* how long another writer (a shell, a copy) may hold the file */

struct database {
	sqlite3 *handle;
	char *file;
	bool read_only;
};

struct database_statement {
	sqlite3_stmt *stmt;
	int failed; /* the first binding that failed since the last step, as SQLite says
		       it */
};

/* SQLite's primary codes that a caller can act on; the rest is the library's own affair.
 */
static int status_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
		return 0;
	case SQLITE_ROW:
		return 1;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_IOERR:
		return -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STATUS_CORRUPT;
	case SQLITE_CONSTRAINT:
		return STATUS_DUPLICATE;
	case SQLITE_TOOBIG:
		return STATUS_LIMIT;
	default:
		return STATUS_LIBRARY;
	}
}

static int refuse(
	const struct database *database, int rc, struct fault *fault, const char *why)
{
	rc = fault_at(fault, rc, "", "%s", why);
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", database->file);
	return rc;
}

int database_fault(const struct database *database, int rc, struct fault *fault)
{
	return refuse(database, rc, fault,
		database->handle ? sqlite3_errmsg(database->handle) : status_text(rc));
}

int database_run(struct database *database, const char *sql)
{
	return status_of(sqlite3_exec(database->handle, sql, NULL, NULL, NULL));
}

/* Made here and not by SQLite, so that what the journal holds is not for everybody to
 * read; the files beside it (-wal, -shm) take their permissions from it. */
static int create(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static int connect_file(struct database *database, unsigned flags, struct fault *fault)
{
	int rc;

	database->read_only = flags & DATABASE_READ_ONLY;
	rc = database->read_only ? (access(database->file, R_OK) ? -errno : 0)
				 : create(database->file);
	if (rc)
		return refuse(database, rc, fault, status_text(rc));
	rc = status_of(sqlite3_open_v2(database->file, &database->handle,
		SQLITE_OPEN_NOMUTEX | (database->read_only ? SQLITE_OPEN_READONLY
							   : SQLITE_OPEN_READWRITE),
		NULL));
	if (!rc)
		rc = status_of(sqlite3_busy_timeout(database->handle, BUSY_MS));
	if (!rc)
		rc = status_of(sqlite3_db_config(
			database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL));
	if (!rc)
		rc = database_run(database, "PRAGMA trusted_schema=OFF");
	/* Before WAL: afterwards the first page is written, and the choice is made. */
	if (!rc && !database->read_only)
		rc = database_run(database, "PRAGMA auto_vacuum=INCREMENTAL;"
					    "PRAGMA journal_mode=WAL;"
					    "PRAGMA synchronous=FULL");
	return rc ? database_fault(database, rc, fault) : 0;
}

static int read_version(struct database *database, int64_t *version)
{
	struct database_statement *statement;
	int rc = database_prepare(&statement, database, "PRAGMA user_version");

	if (rc)
		return rc;
	rc = database_step(statement);
	if (rc > 0)
		*version = database_int(statement, 0);
	database_finalize(statement);
	return rc > 0 ? 0 : (rc ? rc : STATUS_CORRUPT);
}

static int take_step(struct database *database, const char *step, int64_t version)
{
	char sql[64];
	int rc = database_run(database, step);

	if (rc)
		return rc;
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%lld", (long long)version);
	return database_run(database, sql);
}

static int check_version(const struct database *database, int64_t version, int64_t known,
	struct fault *fault)
{
	int rc = STATUS_UNSUPPORTED;

	if (version > known)
		rc = fault_at(fault, rc, "",
			"its schema is version %lld, and this astray knows them up to "
			"%lld: "
			"run the newer astray, or name another file",
			(long long)version, (long long)known);
	else if (version < known && database->read_only)
		rc = fault_at(fault, rc, "",
			"its schema is version %lld, and this astray reads version %lld: "
			"start the collector once, which brings it up to date",
			(long long)version, (long long)known);
	else
		return 0;
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", database->file);
	return rc;
}

/* All steps or none: a cut in the middle leaves the old version whole. The version is
 * read again inside, because another process may have been faster. */
static int bring_up(struct database *database, const char *const *steps, int64_t known,
	struct fault *fault)
{
	int64_t version = 0;
	int rc = database_begin(database);

	if (rc)
		return database_fault(database, rc, fault);
	rc = read_version(database, &version);
	while (!rc && version < known) {
		rc = take_step(database, steps[version], version + 1);
		version++;
	}
	if (!rc)
		rc = database_commit(database);
	if (rc) {
		rc = database_fault(database, rc, fault);
		database_rollback(database);
	}
	return rc;
}

static int settle_schema(
	struct database *database, const char *const *steps, struct fault *fault)
{
	int64_t version = 0, known = 0;
	int rc = read_version(database, &version);

	if (rc)
		return database_fault(database, rc, fault);
	while (steps[known])
		known++;
	rc = check_version(database, version, known, fault);
	if (rc || version == known)
		return rc;
	return bring_up(database, steps, known, fault);
}

int database_open(struct database **out, const char *file, const char *const *steps,
	unsigned flags, struct fault *fault)
{
	struct database *database = calloc(1, sizeof(*database));
	int rc = -ENOMEM;

	*out = NULL;
	if (!database)
		return rc;
	database->file = strdup(file);
	if (!database->file)
		goto fail;
	rc = connect_file(database, flags, fault);
	if (!rc)
		rc = settle_schema(database, steps, fault);
	if (rc)
		goto fail;
	*out = database;
	return 0;

fail:
	database_close(database);
	return rc;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	(void)sqlite3_close_v2(database->handle); /* takes NULL */
	free(database->file);
	free(database);
}

int database_begin(struct database *database)
{
	/* A writer asks for its lock at once: one that asked later could be refused
	 * half-way. */
	return database_run(database, database->read_only ? "BEGIN" : "BEGIN IMMEDIATE");
}

int database_commit(struct database *database)
{
	return database_run(database, "COMMIT");
}

void database_rollback(struct database *database)
{
	/* Some failures end the transaction by themselves. */
	if (!sqlite3_get_autocommit(database->handle))
		(void)database_run(database, "ROLLBACK");
}

int database_prepare(
	struct database_statement **out, struct database *database, const char *sql)
{
	struct database_statement *statement = calloc(1, sizeof(*statement));
	int rc;

	*out = NULL;
	if (!statement)
		return -ENOMEM;
	rc = status_of(sqlite3_prepare_v3(database->handle, sql, -1,
		SQLITE_PREPARE_PERSISTENT, &statement->stmt, NULL));
	if (rc) {
		database_finalize(statement);
		return rc;
	}
	*out = statement;
	return 0;
}

void database_finalize(struct database_statement *statement)
{
	if (!statement)
		return;
	(void)sqlite3_finalize(statement->stmt);
	free(statement);
}

static void bound(struct database_statement *statement, int code)
{
	if (code != SQLITE_OK && !statement->failed)
		statement->failed = code;
}

void database_bind_int(struct database_statement *statement, int at, int64_t value)
{
	bound(statement, sqlite3_bind_int64(statement->stmt, at, value));
}

void database_bind_double(struct database_statement *statement, int at, double value)
{
	bound(statement, sqlite3_bind_double(statement->stmt, at, value));
}

void database_bind_text(struct database_statement *statement, int at, const char *text)
{
	bound(statement,
		sqlite3_bind_text(statement->stmt, at, text, -1, SQLITE_TRANSIENT));
}

void database_bind_bytes(
	struct database_statement *statement, int at, const void *bytes, size_t len)
{
	/* A NULL pointer would bind NULL; no bytes are bytes too. */
	bound(statement, sqlite3_bind_blob64(statement->stmt, at, len ? bytes : "", len,
				 SQLITE_STATIC));
}

void database_bind_null(struct database_statement *statement, int at)
{
	bound(statement, sqlite3_bind_null(statement->stmt, at));
}

int database_step(struct database_statement *statement)
{
	int rc, code = statement->failed;

	statement->failed = 0;
	if (code == SQLITE_OK)
		code = sqlite3_step(statement->stmt);
	rc = status_of(code);
	if (rc <= 0)
		(void)sqlite3_reset(statement->stmt);
	return rc;
}

void database_reset(struct database_statement *statement)
{
	(void)sqlite3_reset(statement->stmt);
}

int64_t database_int(struct database_statement *statement, int column)
{
	return sqlite3_column_int64(statement->stmt, column);
}

double database_double(struct database_statement *statement, int column)
{
	return sqlite3_column_double(statement->stmt, column);
}

bool database_is_null(struct database_statement *statement, int column)
{
	return sqlite3_column_type(statement->stmt, column) == SQLITE_NULL;
}

const char *database_text(struct database_statement *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement->stmt, column);

	return text ? (const char *)text : "";
}

const void *database_bytes(struct database_statement *statement, int column, size_t *len)
{
	const void *bytes = sqlite3_column_blob(statement->stmt, column);

	*len = (size_t)sqlite3_column_bytes(statement->stmt, column);
	return bytes ? bytes : "";
}
