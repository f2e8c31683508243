#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "astray/status.h"
#include "journal_folder.h"
#include "journal_store.h"
#include "rebuild.h"

struct seen {
	unsigned fed, turns, stop_at;
	int64_t first_rx, last_rx;
	unsigned last_percent;
};

static void fed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct seen *seen = arg;

	assert_int_equal(obs->kind, OBS_HEALTH);
	if (seen->fed++ == 0)
		seen->first_rx = origin->rx.us;
	assert_true(origin->rx.us >= seen->last_rx);
	seen->last_rx = origin->rx.us;
}

static bool turned(void *arg, unsigned percent)
{
	struct seen *seen = arg;

	seen->last_percent = percent;
	return ++seen->turns != seen->stop_at;
}

static void fill(const struct journal_folder *folder)
{
	static const char body[] =
		"{\"kind\":\"batch\"}\n{\"kind\":\"health\",\"at_us\":1}\n"
		"{\"kind\":\"of tomorrow\",\"at_us\":1}\n";
	struct journal_store *store;

	assert_int_equal(journal_store_open(&store, folder->file, NULL), 0);
	assert_int_equal(journal_store_begin(store), 0);
	for (int64_t i = 1; i <= 100; i++) {
		struct journal_batch batch = journal_folder_batch("a", i, i * 1000);

		batch.body = body;
		batch.body_len = sizeof(body) - 1;
		assert_int_equal(journal_store_add(store, &batch), 0);
	}
	assert_int_equal(journal_store_commit(store), 0);
	journal_store_close(store);
}

static struct rebuild_result run(
	const struct journal_folder *folder, int64_t span_us, struct seen *seen)
{
	struct rebuild_result result;
	struct fault fault = {0};

	assert_int_equal(rebuild_run(&(struct rebuild_order){.file = folder->file,
					     .span_us = span_us,
					     .feed = fed,
					     .turn = turned,
					     .arg = seen},
				 &result, &fault),
		0);
	return result;
}

static int set_up(void **state)
{
	static struct journal_folder folder;

	journal_folder_make(&folder);
	fill(&folder);
	*state = &folder;
	return 0;
}

static int tear_down(void **state)
{
	journal_folder_remove(*state);
	return 0;
}

static void all_is_fed_in_its_order(void **state)
{
	struct seen seen = {0};
	struct rebuild_result result = run(*state, MOMENT_DAY_US, &seen);

	assert_int_equal(result.batches, 100);
	assert_int_equal(result.observations, 100);
	assert_int_equal(result.unreadable, 100);
	assert_int_equal(seen.fed, 100);
	assert_int_equal(seen.last_percent, 100);
}

static void the_span_is_seen_from_the_newest(void **state)
{
	struct seen seen = {0};

	(void)run(*state, 10000, &seen);
	assert_int_equal(seen.first_rx, 90000);
	assert_int_equal(seen.fed, 11);
}

static void it_can_be_broken_off(void **state)
{
	struct seen seen = {.stop_at = 3};
	struct rebuild_result result = run(*state, MOMENT_DAY_US, &seen);

	assert_true(result.broken_off);
	assert_int_equal(seen.fed, 3);
}

static void without_a_journal_it_says_so(void **state)
{
	struct rebuild_result result;
	struct fault fault = {0};

	(void)state;
	assert_true(rebuild_run(&(struct rebuild_order){.file = "/tmp/astray-no-such.db",
					.feed = fed},
			    &result, &fault) < 0);
	assert_non_null(strstr(fault.input, "astray-no-such.db"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(all_is_fed_in_its_order),
		CASE(the_span_is_seen_from_the_newest),
		CASE(it_can_be_broken_off),
		cmocka_unit_test(without_a_journal_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
