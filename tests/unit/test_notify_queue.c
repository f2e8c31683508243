#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "incident_maker.h"
#include "notify_queue.h"

struct folder {
	char path[64], file[96];
	unsigned rows;
	struct notify_queue_row last;
	char body[32];
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	(void)strcpy(folder->path, "/tmp/test_queue.XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	(void)snprintf(folder->file, sizeof(folder->file), "%s/notify.db", folder->path);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[128];

	for (int i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", folder->file, ends[i]);
		(void)unlink(name);
	}
	assert_int_equal(rmdir(folder->path), 0);
	free(folder);
	return 0;
}

static struct notify_queue *open_queue(const struct folder *folder)
{
	struct notify_queue *queue;
	struct fault fault = {0};

	assert_int_equal(notify_queue_open(&queue, folder->file,
				 (struct moment){INCIDENT_MAKER_OPENED_US - 1}, &fault),
		0);
	return queue;
}

static int row_found(void *arg, const struct notify_queue_row *row)
{
	struct folder *folder = arg;

	folder->rows++;
	folder->last = *row;
	assert_true(row->body_len < sizeof(folder->body));
	memcpy(folder->body, row->body, row->body_len);
	folder->body[row->body_len] = '\0';
	return 0;
}

static unsigned load(struct folder *folder, struct notify_queue *queue)
{
	folder->rows = 0;
	assert_int_equal(notify_queue_load(queue, row_found, folder), 0);
	return folder->rows;
}

static int64_t add(
	struct notify_queue *queue, const struct incident *incident, const char *body)
{
	struct notify_queue_row row = {.target = "oncall",
		.incident = incident->id,
		.change_number = incident->change_number,
		.resolves = incident->state == INCIDENT_RESOLVED,
		.body = body,
		.body_len = strlen(body)};

	assert_int_equal(notify_queue_add(queue, &row), 0);
	assert_true(row.id > 0);
	return row.id;
}

static void what_was_committed_is_there_after_a_restart(void **state)
{
	struct folder *folder = *state;
	struct incident *incident = incident_maker_make(INCIDENT_RESOLVED, SEVERITY_PAGE);
	struct notify_queue *queue = open_queue(folder);
	int64_t id;

	assert_int_equal(notify_queue_hear(queue, incident), 1);
	id = add(queue, incident, "{}");
	assert_int_equal(notify_queue_commit(queue), 0);
	notify_queue_close(queue);
	queue = open_queue(folder);
	assert_int_equal(load(folder, queue), 1);
	assert_int_equal(folder->last.id, id);
	assert_int_equal(folder->last.change_number, incident->change_number);
	assert_true(folder->last.resolves);
	assert_false(folder->last.told);
	assert_string_equal(folder->body, "{}");
	assert_int_equal(notify_queue_mark_told(queue, id), 0);
	assert_int_equal(load(folder, queue), 1);
	assert_true(folder->last.told);
	assert_int_equal(notify_queue_remove(queue, id), 0);
	assert_int_equal(load(folder, queue), 0);
	notify_queue_close(queue);
	free(incident);
}

static void what_was_not_committed_was_not_heard(void **state)
{
	struct folder *folder = *state;
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	struct notify_queue *queue = open_queue(folder);

	assert_int_equal(notify_queue_hear(queue, incident), 1);
	(void)add(queue, incident, "{}");
	notify_queue_close(queue); /* as a kill would */
	queue = open_queue(folder);
	assert_int_equal(load(folder, queue), 0);
	assert_int_equal(notify_queue_hear(queue, incident), 1);
	notify_queue_rollback(queue);
	assert_int_equal(notify_queue_hear(queue, incident), 1);
	notify_queue_close(queue);
	free(incident);
}

static void heard(
	struct notify_queue *queue, struct incident *incident, int64_t rx_us, int wanted)
{
	incident->rx.us = rx_us;
	assert_int_equal(notify_queue_hear(queue, incident), wanted);
	if (wanted == 1)
		assert_int_equal(notify_queue_commit(queue), 0);
}

static void a_change_is_heard_once_for_ever(void **state)
{
	struct folder *folder = *state;
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	struct notify_queue *queue = open_queue(folder);
	const int64_t at_us = INCIDENT_MAKER_OPENED_US;

	heard(queue, incident, at_us, 1);
	heard(queue, incident, at_us, 0);
	(void)strcpy(incident->id, "another");
	heard(queue, incident, at_us, 1); /* of the same batch */
	heard(queue, incident, at_us, 0);
	incident->change_number = 2;
	heard(queue, incident, at_us + 5, 1);
	notify_queue_close(queue);
	queue = open_queue(folder);
	heard(queue, incident, at_us + 5, 0);
	incident->change_number = 1;
	heard(queue, incident, at_us, 0);
	incident->change_number = 3;
	heard(queue, incident, at_us + 6, 1);
	notify_queue_close(queue);
	free(incident);
}

static void a_new_file_knows_that_history_is_over(void **state)
{
	struct folder *folder = *state;
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	struct notify_queue *queue = open_queue(folder);

	heard(queue, incident, INCIDENT_MAKER_OPENED_US - 2, 0);
	heard(queue, incident, INCIDENT_MAKER_OPENED_US, 1);
	notify_queue_close(queue);
	free(incident);
}

static void a_file_that_is_no_queue_is_refused(void **state)
{
	struct folder *folder = *state;
	struct notify_queue *queue;
	struct fault fault = {0};
	FILE *file = fopen(folder->file, "w");

	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		(void)fputs("this is no database ", file);
	assert_int_equal(fclose(file), 0);
	assert_true(
		notify_queue_open(&queue, folder->file, (struct moment){1}, &fault) < 0);
	assert_null(queue);
	assert_true(*fault.why);
}

#define QUEUE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(what_was_committed_is_there_after_a_restart),
		QUEUE_TEST(what_was_not_committed_was_not_heard),
		QUEUE_TEST(a_change_is_heard_once_for_ever),
		QUEUE_TEST(a_new_file_knows_that_history_is_over),
		QUEUE_TEST(a_file_that_is_no_queue_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
