/*
 * The dispatcher with a server on the same loop and a queue on disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>

#include "alertmanager.h"
#include "astray/now.h"
#include "incident_maker.h"
#include "loop_server.h"
#include "notify.h"
#include "webhook.h"

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define BAD "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"
#define REQUESTS 32

struct bench {
	uv_loop_t loop;
	struct loop_server server;
	struct notify_config config;
	struct log log;
	struct notify *notify;
	char folder[64], file[96];
	char ids[REQUESTS][64];
	const char *answers_then; /* from the second request on; NULL: the same */
	int64_t base_us;
};

static void request_came(void *arg, const char *request)
{
	struct bench *bench = arg;
	unsigned number = bench->server.requests - 1;
	const char *id = strstr(request, "webhook-id: ");

	if (id && number < REQUESTS)
		(void)sscanf(id, "webhook-id: %63[^\r]", bench->ids[number]);
	if (bench->answers_then && number > 0)
		bench->server.answer = bench->answers_then;
}

static void open_notify(struct bench *bench)
{
	const struct notify_settings settings = {.file = bench->file,
		.dashboard = "",
		.config = &bench->config,
		.log = &bench->log};
	struct fault fault = {0};

	assert_int_equal(notify_open(&bench->notify, &bench->loop, &settings, &fault), 0);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_int_equal(uv_loop_init(&bench->loop), 0);
	loop_server_open(&bench->server, &bench->loop);
	bench->server.answer = GOOD;
	bench->server.came = request_came;
	bench->server.arg = bench;
	(void)strcpy(bench->folder, "/tmp/test_notify.XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->file, sizeof(bench->file), "%s/notify.db", bench->folder);
	bench->config.count = 1;
	bench->config.targets[0] = (struct notifier_target){
		.name = "oncall", .kind = &webhook_notifier, .least = SEVERITY_WARN};
	(void)snprintf(bench->config.targets[0].url, NOTIFIER_URL, "http://127.0.0.1:%d/",
		bench->server.port);
	open_notify(bench);
	notify_caught_up(bench->notify);
	bench->base_us = now_moment().us;
	*state = bench;
	return 0;
}

static void turn(struct bench *bench)
{
	assert_true(uv_run(&bench->loop, UV_RUN_ONCE) != 0);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	static const char *const ends[] = {"", "-wal", "-shm"};
	char name[128];

	notify_close(bench->notify);
	loop_server_close_all(&bench->server);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "%s%s", bench->file, ends[i]);
		(void)unlink(name);
	}
	assert_int_equal(rmdir(bench->folder), 0);
	free(bench);
	return 0;
}

static struct notify_counters counters_of(const struct bench *bench)
{
	struct notify_counters counters;

	notify_read_counters(bench->notify, &counters);
	return counters;
}

/* `number`: of the change in all; times follow it. */
static void change(
	struct bench *bench, const char *id, enum incident_state state, int number)
{
	struct incident *incident = incident_maker_make(state, SEVERITY_PAGE);

	(void)snprintf(incident->id, sizeof(incident->id), "%s", id);
	incident->opened.us = bench->base_us;
	incident->rx.us = bench->base_us + number;
	assert_int_equal(
		notify_change(bench->notify, (enum incident_change)state, incident), 0);
	free(incident);
}

static void restart(struct bench *bench)
{
	notify_close(bench->notify);
	open_notify(bench);
}

static void until_told(struct bench *bench, unsigned count)
{
	while (counters_of(bench).told < count)
		turn(bench);
}

static void each_change_is_told_once(void **state)
{
	struct bench *bench = *state;

	change(bench, "a", INCIDENT_OPENED, 1);
	change(bench, "a", INCIDENT_RESOLVED, 2);
	until_told(bench, 2);
	assert_int_equal(bench->server.requests, 2);
	assert_string_equal(bench->ids[0], "a-1");
	assert_string_equal(bench->ids[1], "a-4");
	assert_int_equal(counters_of(bench).waiting, 0);
	assert_int_equal(counters_of(bench).failed_attempts, 0);
}

static void what_fails_is_tried_again_under_the_same_id(void **state)
{
	struct bench *bench = *state;

	bench->server.answer = BUSY;
	bench->answers_then = GOOD;
	change(bench, "a", INCIDENT_OPENED, 1);
	change(bench, "a", INCIDENT_RESOLVED, 2); /* waits for the first */
	until_told(bench, 2);
	assert_int_equal(bench->server.requests, 3);
	assert_string_equal(bench->ids[0], "a-1");
	assert_string_equal(bench->ids[1], "a-1");
	assert_string_equal(bench->ids[2], "a-4");
	assert_int_equal(counters_of(bench).failed_attempts, 1);
}

static void a_decision_survives_the_end_before_its_delivery(void **state)
{
	struct bench *bench = *state;

	change(bench, "a", INCIDENT_OPENED, 1);
	restart(bench); /* the loop has not turned: nothing was sent */
	assert_int_equal(bench->server.requests, 0);
	assert_int_equal(counters_of(bench).waiting, 1);
	until_told(bench, 1);
	assert_string_equal(bench->ids[0], "a-1");
	restart(bench);
	assert_int_equal(counters_of(bench).waiting, 0);
}

static void history_is_not_told_again(void **state)
{
	struct bench *bench = *state;

	change(bench, "a", INCIDENT_OPENED, 1);
	until_told(bench, 1);
	restart(bench);
	change(bench, "of long ago", INCIDENT_OPENED, -1000);
	change(bench, "a", INCIDENT_OPENED, 1);
	notify_caught_up(bench->notify);
	change(bench, "b", INCIDENT_OPENED, 2);
	until_told(bench, 1);
	assert_int_equal(bench->server.requests, 2);
	assert_string_equal(bench->ids[1], "b-1");
}

static void what_is_refused_holds_up_no_other(void **state)
{
	struct bench *bench = *state;

	bench->server.answer = BAD;
	bench->answers_then = GOOD;
	change(bench, "a", INCIDENT_OPENED, 1);
	change(bench, "b", INCIDENT_OPENED, 2);
	until_told(bench, 1);
	assert_int_equal(counters_of(bench).refused, 1);
	assert_int_equal(counters_of(bench).waiting, 0);
	assert_string_equal(bench->ids[1], "b-1");
}

static void the_less_severe_is_not_told(void **state)
{
	struct bench *bench = *state;
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_INFO);

	incident->rx.us = bench->base_us + 1;
	assert_int_equal(
		notify_change(bench->notify, INCIDENT_CHANGE_OPENED, incident), 0);
	assert_int_equal(counters_of(bench).waiting, 0);
	incident->severity = SEVERITY_WARN;
	incident->rx.us = bench->base_us + 2;
	incident->change_number = 2;
	assert_int_equal(
		notify_change(bench->notify, INCIDENT_CHANGE_UPDATED, incident), 0);
	assert_int_equal(counters_of(bench).waiting, 0);
	assert_int_equal(
		notify_change(bench->notify, INCIDENT_CHANGE_ESCALATED, incident), 0);
	assert_int_equal(counters_of(bench).waiting, 1);
	free(incident);
}

static void an_open_alert_is_said_again_and_ends(void **state)
{
	struct bench *bench = *state;

	bench->config.targets[0].kind = &alertmanager_notifier;
	restart(bench);
	notify_caught_up(bench->notify);
	change(bench, "a", INCIDENT_OPENED, 1);
	until_told(bench, 1);
	restart(bench);
	change(bench, "a", INCIDENT_OPENED, 1); /* history: it is open still */
	notify_caught_up(bench->notify);
	while (bench->server.requests < 2)
		turn(bench);
	change(bench, "a", INCIDENT_RESOLVED, 2);
	until_told(bench, 1);
	restart(bench);
	for (int i = 0; i < 20; i++)
		(void)uv_run(&bench->loop, UV_RUN_NOWAIT);
	assert_int_equal(bench->server.requests, 3);
	assert_non_null(strstr(bench->server.heard, "endsAt"));
}

static void an_alert_that_history_does_not_know_is_said_no_more(void **state)
{
	struct bench *bench = *state;

	bench->config.targets[0].kind = &alertmanager_notifier;
	restart(bench);
	notify_caught_up(bench->notify);
	change(bench, "a", INCIDENT_OPENED, 1);
	until_told(bench, 1);
	restart(bench);
	notify_caught_up(bench->notify);
	for (int i = 0; i < 20; i++)
		(void)uv_run(&bench->loop, UV_RUN_NOWAIT);
	assert_int_equal(bench->server.requests, 1);
}

static void more_than_there_is_room_for_is_dropped_and_counted(void **state)
{
	struct bench *bench = *state;
	char id[INCIDENT_ID];

	bench->server.answer = NULL;
	for (int i = 0; i < NOTIFY_WAITING_MAX + 3; i++) {
		(void)snprintf(id, sizeof(id), "incident-%d", i);
		change(bench, id, INCIDENT_OPENED, i + 1);
	}
	assert_int_equal(counters_of(bench).waiting, NOTIFY_WAITING_MAX);
	assert_int_equal(counters_of(bench).dropped, 3);
	restart(bench);
	assert_int_equal(counters_of(bench).waiting, NOTIFY_WAITING_MAX);
}

static void who_is_not_configured_any_more_is_forgotten(void **state)
{
	struct bench *bench = *state;

	change(bench, "a", INCIDENT_OPENED, 1);
	(void)strcpy(bench->config.targets[0].name, "another");
	restart(bench);
	assert_int_equal(counters_of(bench).waiting, 0);
	(void)strcpy(bench->config.targets[0].name, "oncall");
	restart(bench);
	assert_int_equal(counters_of(bench).waiting, 0);
}

#define NOTIFY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTIFY_TEST(each_change_is_told_once),
		NOTIFY_TEST(what_fails_is_tried_again_under_the_same_id),
		NOTIFY_TEST(a_decision_survives_the_end_before_its_delivery),
		NOTIFY_TEST(history_is_not_told_again),
		NOTIFY_TEST(what_is_refused_holds_up_no_other),
		NOTIFY_TEST(the_less_severe_is_not_told),
		NOTIFY_TEST(an_open_alert_is_said_again_and_ends),
		NOTIFY_TEST(an_alert_that_history_does_not_know_is_said_no_more),
		NOTIFY_TEST(more_than_there_is_room_for_is_dropped_and_counted),
		NOTIFY_TEST(who_is_not_configured_any_more_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
