#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <uv.h>

#include "astray/now.h"
#include "astray/status.h"
#include "journal_folder.h"
#include "journal_read.h"

#define BATCHES 1000

struct run {
	struct journal_folder folder;
	uv_loop_t loop;
	struct journal *journal;
	struct log log;
	unsigned done, good, duplicates;
	int64_t order[BATCHES * 2];
	int last_rc;
	bool closed;
};

struct ticket {
	struct run *run;
	int64_t seq;
};

static void run_open(struct run *run, const struct journal_settings *settings)
{
	struct journal_settings mine =
		settings ? *settings : (struct journal_settings){0};
	struct fault fault = {0};

	mine.file = run->folder.file;
	run->done = run->good = run->duplicates = 0;
	run->closed = false;
	assert_int_equal(uv_loop_init(&run->loop), 0);
	assert_int_equal(
		journal_open(&run->journal, &run->loop, &mine, &run->log, &fault), 0);
}

static void journal_closed(void *arg)
{
	struct run *run = arg;

	run->closed = true;
}

static void run_close(struct run *run)
{
	journal_close(run->journal, journal_closed, run);
	assert_int_equal(uv_run(&run->loop, UV_RUN_DEFAULT), 0);
	assert_true(run->closed);
	assert_int_equal(uv_loop_close(&run->loop), 0);
}

static void batch_done(void *arg, int rc)
{
	struct ticket *ticket = arg;
	struct run *run = ticket->run;

	run->order[run->done++] = ticket->seq;
	run->good += rc == 0;
	run->duplicates += rc == STATUS_DUPLICATE;
	run->last_rc = rc;
	free(ticket);
}

static void append(struct run *run, int64_t seq, const void *body, size_t len)
{
	struct ticket *ticket = malloc(sizeof(*ticket));
	struct journal_batch batch =
		journal_folder_batch("a", seq, journal_stamp(run->journal).us);

	if (body) {
		batch.body = body;
		batch.body_len = len;
	}
	assert_non_null(ticket);
	*ticket = (struct ticket){.run = run, .seq = seq};
	assert_int_equal(journal_append(run->journal, &batch, batch_done, ticket), 0);
}

static void run_until_done(struct run *run, unsigned done)
{
	while (run->done < done)
		(void)uv_run(&run->loop, UV_RUN_ONCE);
}

static unsigned count_in_file(const struct run *run)
{
	struct moment last = {0};
	struct journal_reader *reader;
	struct wire_origin origin;
	struct fault fault = {0};
	const char *lines;
	unsigned count = 0;
	size_t len;

	assert_int_equal(journal_read_open(&reader, run->folder.file, last,
				 (struct moment){MOMENT_MAX_US}, &fault),
		0);
	while (journal_read_next(reader, &origin, &lines, &len, &fault) == 1) {
		assert_true(moment_before(last, origin.rx));
		last = origin.rx;
		count++;
	}
	journal_read_close(reader);
	return count;
}

static int set_up(void **state)
{
	static struct run run;

	memset(&run, 0, sizeof(run));
	journal_folder_make(&run.folder);
	*state = &run;
	return 0;
}

static int tear_down(void **state)
{
	struct run *run = *state;

	journal_folder_remove(&run->folder);
	return 0;
}

static void batches_that_wait_share_a_commit_and_keep_their_order(void **state)
{
	struct journal_counters counters;
	struct run *run = *state;

	run_open(run, NULL);
	for (int64_t seq = 0; seq < BATCHES; seq++)
		append(run, seq, NULL, 0);
	run_until_done(run, BATCHES);
	for (int64_t seq = 0; seq < BATCHES; seq++)
		assert_int_equal(run->order[seq], seq);
	journal_read_counters(run->journal, &counters);
	assert_int_equal(counters.batches, BATCHES);
	assert_int_equal(counters.observations, 2 * BATCHES);
	assert_true(counters.commits < BATCHES / 10);
	assert_int_equal(
		count_in_file(run), BATCHES); /* what is done is there for others too */
	run_close(run);
}

static void a_batch_sent_again_is_known_even_behind_a_restart(void **state)
{
	struct run *run = *state;

	run_open(run, NULL);
	append(run, 1, NULL, 0);
	append(run, 1, NULL, 0);
	append(run, 2, NULL, 0);
	run_until_done(run, 3);
	assert_int_equal(run->good, 2);
	assert_int_equal(run->duplicates, 1);
	run_close(run);
	run_open(run, NULL);
	append(run, 2, NULL, 0);
	append(run, 3, NULL, 0);
	run_until_done(run, 2);
	assert_int_equal(run->duplicates, 1);
	assert_int_equal(count_in_file(run), 3);
	run_close(run);
}

static void a_close_writes_what_waits(void **state)
{
	struct run *run = *state;

	run_open(run, NULL);
	for (int64_t seq = 0; seq < 100; seq++)
		append(run, seq, NULL, 0);
	run_close(run);
	assert_int_equal(run->good, 100);
	assert_int_equal(count_in_file(run), 100);
}

static void too_much_at_once_is_put_off(void **state)
{
	static char body[8 << 20];
	struct run *run = *state;
	struct journal_batch batch;
	unsigned pushed = 0;
	int rc = 0;

	run_open(run, NULL);
	for (int64_t seq = 0; rc == 0 && seq < 200; seq++) {
		struct ticket *ticket = malloc(sizeof(*ticket));

		assert_non_null(ticket);
		*ticket = (struct ticket){.run = run, .seq = seq};
		batch = journal_folder_batch("a", seq, journal_stamp(run->journal).us);
		batch.body = body;
		batch.body_len = sizeof(body);
		rc = journal_append(run->journal, &batch, batch_done, ticket);
		pushed += rc == 0;
		if (rc)
			free(ticket);
	}
	assert_int_equal(rc, STATUS_LATER);
	run_close(run);
	assert_int_equal(run->good, pushed); /* what was taken is kept */
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void after_a_failed_commit_nothing_of_it_counts(void **state)
{
	static char body[3 << 20];
	struct run *run = *state;
	struct journal_counters counters;
	unsigned asked = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	run_open(run, NULL);
	append(run, 1, NULL, 0);
	run_until_done(run, ++asked);
	limit_files(1 << 20); /* the disk is full */
	append(run, 2, body, sizeof(body));
	run_until_done(run, ++asked);
	assert_true(run->last_rc < 0);
	append(run, 3, NULL, 0);
	run_until_done(run, ++asked);
	assert_true(run->last_rc < 0); /* not before the file has been read again */
	assert_int_equal(count_in_file(run), 1);
	journal_read_counters(run->journal, &counters);
	assert_int_equal(counters.failures, 2);
	assert_true(counters.broken);
	limit_files(RLIM_INFINITY);
	do { /* it comes back by itself */
		append(run, 4, NULL, 0);
		run_until_done(run, ++asked);
		uv_sleep(run->last_rc ? 50 : 0);
	} while (run->last_rc);
	append(run, 2, NULL, 0);
	run_until_done(run, ++asked);
	assert_int_equal(run->last_rc, 0);
	assert_int_equal(count_in_file(run), 3);
	journal_read_counters(run->journal, &counters);
	assert_false(counters.broken);
	run_close(run);
}

static void old_batches_go_by_themselves(void **state)
{
	struct journal_settings settings = {.keep_us = 1};
	struct journal_counters counters = {0};
	struct run *run = *state;

	run_open(run, &settings);
	for (int64_t seq = 0; seq < BATCHES; seq++)
		append(run, seq, NULL, 0);
	run_until_done(run, BATCHES);
	while (counters.forgotten_batches < BATCHES - 2) {
		append(run, BATCHES + run->done, NULL, 0);
		run_until_done(run, run->done + 1);
		journal_read_counters(run->journal, &counters);
		uv_sleep(20);
		assert_true(run->done < 2 * BATCHES);
	}
	run_close(run);
	assert_true(count_in_file(run) < BATCHES);
}

static void time_never_goes_back_behind_a_restart(void **state)
{
	struct run *run = *state;
	struct moment ahead = moment_plus_us(now_moment(), MOMENT_HOUR_US);
	struct journal_batch batch = journal_folder_batch("a", 1, ahead.us);
	struct ticket *ticket = malloc(sizeof(*ticket));

	assert_non_null(ticket);
	*ticket = (struct ticket){.run = run};
	run_open(run, NULL);
	assert_int_equal(journal_append(run->journal, &batch, batch_done, ticket), 0);
	run_until_done(run, 1);
	run_close(run);
	run_open(run, NULL);
	assert_true(moment_before(ahead, journal_stamp(run->journal)));
	run_close(run);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(batches_that_wait_share_a_commit_and_keep_their_order),
		CASE(a_batch_sent_again_is_known_even_behind_a_restart),
		CASE(a_close_writes_what_waits),
		CASE(too_much_at_once_is_put_off),
		CASE(after_a_failed_commit_nothing_of_it_counts),
		CASE(old_batches_go_by_themselves),
		CASE(time_never_goes_back_behind_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
