#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "astray/status.h"
#include "journal_folder.h"
#include "journal_read.h"
#include "journal_store.h"

static const struct moment never = {0}, always = {MOMENT_MAX_US};

static int set_up(void **state)
{
	static struct journal_folder folder;

	journal_folder_make(&folder);
	*state = &folder;
	return 0;
}

static int tear_down(void **state)
{
	journal_folder_remove(*state);
	return 0;
}

static struct journal_store *open_store(const struct journal_folder *folder)
{
	struct journal_store *store;
	struct fault fault = {0};

	assert_int_equal(journal_store_open(&store, folder->file, &fault), 0);
	return store;
}

static int add(struct journal_store *store, const char *probe, int64_t seq, int64_t rx_us)
{
	struct journal_batch batch = journal_folder_batch(probe, seq, rx_us);

	return journal_store_add(store, &batch);
}

static void fill(struct journal_store *store, int64_t count)
{
	assert_int_equal(journal_store_begin(store), 0);
	for (int64_t i = 1; i <= count; i++)
		assert_int_equal(add(store, "a", i, i * 10), 0);
	assert_int_equal(journal_store_commit(store), 0);
}

static unsigned count_read(const char *file, int64_t from, int64_t until, int64_t *first)
{
	struct journal_reader *reader;
	struct wire_origin origin;
	struct fault fault = {0};
	const char *lines;
	unsigned count = 0;
	size_t len;

	assert_int_equal(journal_read_open(&reader, file, (struct moment){from},
				 (struct moment){until}, &fault),
		0);
	while (journal_read_next(reader, &origin, &lines, &len, &fault) == 1) {
		assert_int_equal(len, strlen(JOURNAL_FOLDER_LINES));
		assert_memory_equal(lines, JOURNAL_FOLDER_LINES, len);
		assert_string_equal(origin.probe, "a");
		assert_string_equal(origin.boot, "boot");
		assert_int_equal(origin.seq * 10, origin.rx.us);
		if (count++ == 0)
			*first = origin.rx.us;
	}
	journal_read_close(reader);
	return count;
}

static void a_name_is_written_once(void **state)
{
	struct journal_store *store = open_store(*state);

	assert_int_equal(journal_store_begin(store), 0);
	assert_int_equal(add(store, "a", 1, 10), 0);
	assert_int_equal(add(store, "a", 1, 11), STATUS_DUPLICATE);
	assert_int_equal(add(store, "b", 1, 12), 0);
	assert_int_equal(add(store, "a", 2, 13), 0);
	assert_int_equal(journal_store_commit(store), 0);
	journal_store_close(store);
	store = open_store(*state);
	assert_int_equal(journal_store_begin(store), 0);
	assert_int_equal(add(store, "a", 2, 20), STATUS_DUPLICATE);
	assert_int_equal(journal_store_commit(store), 0);
	journal_store_close(store);
}

static void what_was_rolled_back_is_not_there(void **state)
{
	struct journal_store *store = open_store(*state);
	struct moment newest;

	assert_int_equal(journal_store_begin(store), 0);
	assert_int_equal(add(store, "a", 1, 10), 0);
	journal_store_rollback(store);
	assert_int_equal(journal_store_newest(store, &newest), 0);
	journal_store_close(store);
}

static void batches_are_read_by_time(void **state)
{
	const struct journal_folder *folder = *state;
	struct journal_store *store = open_store(folder);
	int64_t first = 0;

	fill(store, 20);
	assert_int_equal(count_read(folder->file, 0, MOMENT_MAX_US, &first), 20);
	assert_int_equal(first, 10);
	assert_int_equal(count_read(folder->file, 50, 100, &first), 5);
	assert_int_equal(first, 50);
	assert_int_equal(count_read(folder->file, 51, 51, &first), 0);
	assert_int_equal(count_read(folder->file, 201, MOMENT_MAX_US, &first), 0);
	journal_store_close(store);
}

static void a_reader_sees_what_was_there_when_it_began(void **state)
{
	const struct journal_folder *folder = *state;
	struct journal_store *store = open_store(folder);
	struct journal_reader *reader;
	struct wire_origin origin;
	struct fault fault = {0};
	const char *lines;
	unsigned count = 0;
	size_t len;

	fill(store, 3);
	assert_int_equal(
		journal_read_open(&reader, folder->file, never, always, &fault), 0);
	assert_int_equal(journal_read_end(reader).us, 30);
	assert_int_equal(journal_store_begin(store), 0);
	assert_int_equal(add(store, "a", 4, 40), 0);
	assert_int_equal(journal_store_commit(store), 0);
	while (journal_read_next(reader, &origin, &lines, &len, &fault) == 1)
		count++;
	assert_int_equal(count, 3);
	journal_read_close(reader);
	journal_store_close(store);
}

static void the_oldest_go_first_and_in_small_steps(void **state)
{
	const struct journal_folder *folder = *state;
	struct journal_store *store = open_store(folder);
	int64_t first = 0;

	fill(store, 100);
	assert_int_equal(journal_store_forget(store, (struct moment){505}, 0, 20), 20);
	assert_int_equal(journal_store_forget(store, (struct moment){505}, 0, 100), 30);
	assert_int_equal(journal_store_forget(store, (struct moment){505}, 0, 100), 0);
	assert_int_equal(count_read(folder->file, 0, MOMENT_MAX_US, &first), 50);
	assert_int_equal(first, 510);
	/* by bytes: nothing fits into one */
	assert_int_equal(journal_store_forget(store, never, 1, 20), 20);
	assert_int_equal(journal_store_forget(store, never, INT64_MAX, 20), 0);
	journal_store_close(store);
}

static void a_body_that_does_not_unpack_is_named(void **state)
{
	const struct journal_folder *folder = *state;
	struct journal_store *store = open_store(folder);
	struct journal_batch batch = journal_folder_batch("a", 1, 10);
	struct journal_reader *reader;
	struct wire_origin origin;
	struct fault fault = {0};
	const char *lines;
	size_t len;

	batch.coding = SQUEEZE_ZSTD;
	assert_int_equal(journal_store_begin(store), 0);
	assert_int_equal(journal_store_add(store, &batch), 0);
	assert_int_equal(journal_store_commit(store), 0);
	assert_int_equal(
		journal_read_open(&reader, folder->file, never, always, &fault), 0);
	assert_int_equal(
		journal_read_next(reader, &origin, &lines, &len, &fault), STATUS_CORRUPT);
	assert_non_null(strstr(fault.why, "1970-01-01"));
	journal_read_close(reader);
	journal_store_close(store);
}

static void a_file_that_is_no_journal_is_refused(void **state)
{
	const struct journal_folder *folder = *state;
	struct journal_reader *reader;
	struct journal_store *store;
	struct fault fault = {0};
	FILE *out;

	assert_true(journal_read_open(&reader, folder->file, never, always, &fault) < 0);
	assert_null(reader);
	out = fopen(folder->file, "w");
	assert_non_null(out);
	assert_true(fputs("this is not a database, by far not one at all", out) >= 0);
	(void)fclose(out);
	assert_true(journal_store_open(&store, folder->file, &fault) < 0);
	assert_non_null(strstr(fault.input, "journal.db"));
	assert_null(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_name_is_written_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_rolled_back_is_not_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			batches_are_read_by_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_reader_sees_what_was_there_when_it_began, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_oldest_go_first_and_in_small_steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_body_that_does_not_unpack_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_journal_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
