#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "database.h"
#include "astray/status.h"

static const char *const one_step[] = {
	"CREATE TABLE things (name TEXT PRIMARY KEY, size)", NULL};
static const char *const two_steps[] = {
	"CREATE TABLE things (name TEXT PRIMARY KEY, size)",
	"ALTER TABLE things ADD COLUMN colour TEXT; UPDATE things SET colour = 'grey'",
	NULL};
static const char *const broken_step[] = {
	"CREATE TABLE things (name TEXT PRIMARY KEY, size)",
	"CREATE TABLE more (a); INSERT INTO nowhere VALUES (1)", NULL};

struct folder {
	char path[64];
	char file[96];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	assert_non_null(folder);
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/astray-database-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	(void)snprintf(folder->file, sizeof(folder->file), "%s/things.db", folder->path);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	char name[128];

	(void)unlink(folder->file);
	(void)snprintf(name, sizeof(name), "%s-wal", folder->file);
	(void)unlink(name);
	(void)snprintf(name, sizeof(name), "%s-shm", folder->file);
	(void)unlink(name);
	assert_int_equal(rmdir(folder->path), 0);
	free(folder);
	return 0;
}

static struct database *open_with(const struct folder *folder, const char *const *steps)
{
	struct database *database;
	struct fault fault = {0};

	if (database_open(&database, folder->file, steps, 0, &fault))
		fail_msg("%s", fault.why);
	return database;
}

static struct database_statement *prepare(struct database *database, const char *sql)
{
	struct database_statement *statement;

	assert_int_equal(database_prepare(&statement, database, sql), 0);
	return statement;
}

static int64_t count(struct database *database, const char *sql)
{
	struct database_statement *statement = prepare(database, sql);
	int64_t value;

	assert_int_equal(database_step(statement), 1);
	value = database_int(statement, 0);
	database_finalize(statement);
	return value;
}

static void put(struct database *database, const char *name, int64_t size)
{
	struct database_statement *statement =
		prepare(database, "INSERT INTO things (name, size) VALUES (?, ?)");

	database_bind_text(statement, 1, name);
	database_bind_int(statement, 2, size);
	assert_int_equal(database_step(statement), 0);
	database_finalize(statement);
}

static void what_was_committed_is_there_after_opening_again(void **state)
{
	struct database *database = open_with(*state, one_step);

	assert_int_equal(database_begin(database), 0);
	put(database, "boat", 7);
	assert_int_equal(database_commit(database), 0);
	database_close(database);
	database = open_with(*state, one_step);
	assert_int_equal(
		count(database, "SELECT size FROM things WHERE name = 'boat'"), 7);
	database_close(database);
}

static void what_was_rolled_back_is_not(void **state)
{
	struct database *database = open_with(*state, one_step);

	assert_int_equal(database_begin(database), 0);
	put(database, "boat", 7);
	database_rollback(database);
	assert_int_equal(count(database, "SELECT count(*) FROM things"), 0);
	database_rollback(database); /* nothing is open: nothing happens */
	database_close(database);
}

static void every_type_comes_back_as_it_went_in(void **state)
{
	static const char bytes[] = {0, 1, 0, (char)0xff};
	struct database *database = open_with(*state, one_step);
	struct database_statement *statement =
		prepare(database, "SELECT ?1, ?2, ?3, ?4, ?5, ?6");
	size_t len;

	database_bind_int(statement, 1, INT64_MIN);
	database_bind_double(statement, 2, 0.1);
	database_bind_text(statement, 3, "東京 'quoted\"; DROP TABLE things");
	database_bind_bytes(statement, 4, bytes, sizeof(bytes));
	database_bind_null(statement, 5);
	database_bind_bytes(statement, 6, NULL, 0);
	assert_int_equal(database_step(statement), 1);
	assert_true(database_int(statement, 0) == INT64_MIN);
	assert_true(database_double(statement, 1) == 0.1);
	assert_string_equal(
		database_text(statement, 2), "東京 'quoted\"; DROP TABLE things");
	assert_memory_equal(database_bytes(statement, 3, &len), bytes, sizeof(bytes));
	assert_int_equal(len, sizeof(bytes));
	assert_true(database_is_null(statement, 4));
	assert_string_equal(database_text(statement, 4), "");
	assert_false(database_is_null(statement, 5));
	(void)database_bytes(statement, 5, &len);
	assert_int_equal(len, 0);
	assert_int_equal(database_step(statement), 0);
	database_finalize(statement);
	database_close(database);
}

static void a_statement_that_is_done_can_be_bound_again(void **state)
{
	struct database *database = open_with(*state, one_step);
	struct database_statement *statement =
		prepare(database, "INSERT INTO things (name, size) VALUES (?, 1)");

	database_bind_text(statement, 1, "boat");
	assert_int_equal(database_step(statement), 0);
	database_bind_text(statement, 1, "boat");
	assert_int_equal(database_step(statement), STATUS_DUPLICATE);
	database_bind_text(statement, 1, "barge");
	assert_int_equal(database_step(statement), 0);
	database_finalize(statement);
	assert_int_equal(count(database, "SELECT count(*) FROM things"), 2);
	database_close(database);
}

static void a_binding_that_failed_is_told_by_the_step(void **state)
{
	struct database *database = open_with(*state, one_step);
	struct database_statement *statement =
		prepare(database, "INSERT INTO things (name, size) VALUES (?, 1)");

	database_bind_int(statement, 9, 1);
	assert_true(database_step(statement) < 0);
	database_bind_text(statement, 1, "boat");
	assert_int_equal(database_step(statement), 0);
	database_finalize(statement);
	database_close(database);
}

static void a_newer_schema_is_reached_step_by_step(void **state)
{
	struct database *database = open_with(*state, one_step);

	put(database, "boat", 7);
	database_close(database);
	database = open_with(*state, two_steps);
	assert_int_equal(count(database, "PRAGMA user_version"), 2);
	assert_int_equal(
		count(database, "SELECT count(*) FROM things WHERE colour = 'grey'"), 1);
	database_close(database);
}

static void a_schema_newer_than_ours_is_refused(void **state)
{
	const struct folder *folder = *state;
	struct database *database = open_with(folder, two_steps);
	struct fault fault = {0};

	database_close(database);
	assert_int_equal(database_open(&database, folder->file, one_step, 0, &fault),
		STATUS_UNSUPPORTED);
	assert_null(database);
	assert_string_equal(fault.input, folder->file);
	assert_non_null(strstr(fault.why, "version 2"));
}

static void a_step_that_fails_leaves_the_old_version_whole(void **state)
{
	const struct folder *folder = *state;
	struct database *database = open_with(folder, one_step);
	struct fault fault = {0};

	put(database, "boat", 7);
	database_close(database);
	assert_true(database_open(&database, folder->file, broken_step, 0, &fault) < 0);
	assert_non_null(strstr(fault.why, "nowhere"));
	database = open_with(folder, one_step);
	assert_int_equal(
		count(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'more'"),
		0);
	assert_int_equal(count(database, "SELECT count(*) FROM things"), 1);
	database_close(database);
}

static void the_file_is_durable_and_gives_space_back_in_steps(void **state)
{
	struct database *database = open_with(*state, one_step);
	struct database_statement *statement = prepare(database, "PRAGMA journal_mode");

	assert_int_equal(database_step(statement), 1);
	assert_string_equal(database_text(statement, 0), "wal");
	database_finalize(statement);
	assert_int_equal(count(database, "PRAGMA synchronous"), 2);
	assert_int_equal(count(database, "PRAGMA auto_vacuum"), 2);
	database_close(database);
}

static void the_file_is_not_for_everybody(void **state)
{
	const struct folder *folder = *state;
	struct stat st;

	database_close(open_with(folder, one_step));
	assert_int_equal(stat(folder->file, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void a_reader_sees_what_is_committed_and_cannot_write(void **state)
{
	const struct folder *folder = *state;
	struct database *writer = open_with(folder, one_step), *reader;
	struct fault fault = {0};

	put(writer, "boat", 7);
	assert_int_equal(database_open(&reader, folder->file, one_step,
				 DATABASE_READ_ONLY, &fault),
		0);
	assert_int_equal(database_begin(writer), 0);
	put(writer, "barge", 9);
	assert_int_equal(count(reader, "SELECT count(*) FROM things"), 1);
	assert_int_equal(database_commit(writer), 0);
	assert_int_equal(count(reader, "SELECT count(*) FROM things"), 2);
	assert_int_equal(database_run(reader, "DELETE FROM things"), -EROFS);
	database_close(reader);
	database_close(writer);
}

static void a_reader_does_not_bring_an_old_file_up_to_date(void **state)
{
	const struct folder *folder = *state;
	struct database *database = open_with(folder, one_step);
	struct fault fault = {0};

	database_close(database);
	assert_int_equal(database_open(&database, folder->file, two_steps,
				 DATABASE_READ_ONLY, &fault),
		STATUS_UNSUPPORTED);
	assert_non_null(strstr(fault.why, "start the collector once"));
}

static void what_is_no_database_is_refused_by_name(void **state)
{
	const struct folder *folder = *state;
	struct database *database;
	struct fault fault = {0};
	FILE *file;

	assert_int_equal(database_open(&database, folder->file, one_step,
				 DATABASE_READ_ONLY, &fault),
		-ENOENT);
	assert_string_equal(fault.input, folder->file);
	file = fopen(folder->file, "w");
	assert_non_null(file);
	for (int i = 0; i < 500; i++)
		(void)fputs("this is a letter, not a database\n", file);
	(void)fclose(file);
	assert_int_equal(database_open(&database, folder->file, one_step, 0, &fault),
		STATUS_CORRUPT);
	assert_null(database);
	assert_int_equal(
		database_open(&database, "/nonexistent/folder/x.db", one_step, 0, &fault),
		-ENOENT);
}

static void a_wrong_sentence_says_what_is_wrong(void **state)
{
	struct database *database = open_with(*state, one_step);
	struct database_statement *statement;
	struct fault fault = {0};
	int rc = database_prepare(&statement, database, "SELECT * FROM nowhere");

	assert_int_equal(rc, STATUS_LIBRARY);
	assert_null(statement);
	assert_int_equal(database_fault(database, rc, &fault), rc);
	assert_non_null(strstr(fault.why, "nowhere"));
	database_finalize(NULL);
	database_close(database);
	database_close(NULL);
}

#define in_a_folder(test) \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_folder(what_was_committed_is_there_after_opening_again),
		in_a_folder(what_was_rolled_back_is_not),
		in_a_folder(every_type_comes_back_as_it_went_in),
		in_a_folder(a_statement_that_is_done_can_be_bound_again),
		in_a_folder(a_binding_that_failed_is_told_by_the_step),
		in_a_folder(a_newer_schema_is_reached_step_by_step),
		in_a_folder(a_schema_newer_than_ours_is_refused),
		in_a_folder(a_step_that_fails_leaves_the_old_version_whole),
		in_a_folder(the_file_is_durable_and_gives_space_back_in_steps),
		in_a_folder(the_file_is_not_for_everybody),
		in_a_folder(a_reader_sees_what_is_committed_and_cannot_write),
		in_a_folder(a_reader_does_not_bring_an_old_file_up_to_date),
		in_a_folder(what_is_no_database_is_refused_by_name),
		in_a_folder(a_wrong_sentence_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
