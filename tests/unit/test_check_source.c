/*
 * The source on a loop with a server of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <cmocka.h>

#include "astray/status.h"
#include "check_source.h"
#include "loop_server.h"

#define SERVICES 70
/* A check counts as busy for a second; less, because it began a little before its times.
 */
#define SLOW_US (900 * INT64_C(1000))

struct bench {
	uv_loop_t loop;
	struct loop_server server;
	struct service list[SERVICES];
	struct services services;
	struct log log;
	struct source_env env;
	void *settings;
	void *source;
	struct fault fault;
	unsigned seen, ok, timeouts, stopped;
	unsigned slow; /* that may have waited for so long that they no longer count */
	unsigned seen_of[SERVICES];
};

static void emit(void *arg, const struct obs *obs)
{
	struct bench *bench = arg;

	assert_int_equal(obs->kind, OBS_CHECK);
	bench->seen++;
	bench->ok += obs->check.error == OBS_CHECK_OK;
	bench->slow += obs->check.total_us >= SLOW_US;
	bench->timeouts += obs->check.error == OBS_CHECK_TIMEOUT;
	for (unsigned i = 0; i < SERVICES; i++)
		bench->seen_of[i] += strcmp(obs->check.service, bench->list[i].name) == 0;
}

static int read_settings(struct bench *bench, const char *text)
{
	struct json_doc *doc;
	int rc;

	assert_int_equal(json_parse(&doc, text, strlen(text), 0, &bench->fault), 0);
	rc = conf_read(bench->settings, check_source.options, doc, json_root(doc), "",
		&bench->fault);
	json_doc_free(doc);
	return rc;
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_int_equal(uv_loop_init(&bench->loop), 0);
	loop_server_open(&bench->server, &bench->loop);
	bench->server.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	bench->settings = calloc(1, check_source.settings_size);
	bench->services.list = bench->list;
	bench->env = (struct source_env){.loop = &bench->loop,
		.log = &bench->log,
		.services = &bench->services,
		.emit = emit,
		.emit_arg = bench};
	*state = bench;
	return 0;
}

static void add_service(struct bench *bench, const char *url_path)
{
	struct service *service = &bench->list[bench->services.count];

	(void)snprintf(service->name, sizeof(service->name), "service-%zu",
		bench->services.count++);
	if (url_path)
		(void)snprintf(service->url, sizeof(service->url),
			"http://127.0.0.1:%d%s", bench->server.port, url_path);
}

static int start(struct bench *bench, const char *settings)
{
	assert_int_equal(read_settings(bench, settings), 0);
	return check_source.start(
		&bench->source, &bench->env, bench->settings, &bench->fault);
}

static void has_stopped(void *arg)
{
	struct bench *bench = arg;

	bench->stopped++;
}

static void stop(struct bench *bench)
{
	check_source.stop(bench->source, has_stopped, bench);
	bench->source = NULL;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	if (bench->source)
		stop(bench);
	loop_server_close_all(&bench->server);
	assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench->settings);
	free(bench);
	return 0;
}

static void run_until(struct bench *bench, unsigned seen)
{
	while (bench->seen < seen)
		assert_true(uv_run(&bench->loop, UV_RUN_ONCE) != 0);
}

static void every_service_with_a_url_is_checked_again_and_again(void **state)
{
	struct bench *bench = *state;

	add_service(bench, "/");
	add_service(bench, NULL);
	add_service(bench, "/");
	assert_int_equal(start(bench, "{\"interval\":1,\"timeout\":1}"), 0);
	run_until(bench, 4);
	assert_int_equal(bench->ok, bench->seen);
	assert_true(bench->seen_of[0] >= 1 && bench->seen_of[2] >= 1);
	assert_int_equal(bench->seen_of[1], 0);
}

/* Those that only wait for an answer do not count as busy. */
static void silent_services_hold_up_no_other(void **state)
{
	struct bench *bench = *state;

	bench->server.answer = NULL;
	for (unsigned i = 0; i < 5; i++)
		add_service(bench, "/");
	assert_int_equal(start(bench, "{\"interval\":2,\"timeout\":2}"), 0);
	run_until(bench, 5);
	assert_int_equal(bench->timeouts, bench->seen);
	assert_true(bench->server.most_open > 2);
}

static void few_connections_are_begun_at_once(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < SERVICES; i++)
		add_service(bench, "/");
	assert_int_equal(start(bench, "{\"interval\":30,\"timeout\":5}"), 0);
	run_until(bench, SERVICES);
	assert_int_equal(bench->ok, SERVICES);
	for (unsigned i = 0; i < SERVICES; i++)
		assert_int_equal(bench->seen_of[i], 1);
	/* Two, and two that are just ending; where the machine stands still, those that
	 * only wait. */
	assert_true(bench->server.most_open <= 4 + bench->slow);
}

static void stopping_in_the_middle_is_told_once_and_emits_nothing(void **state)
{
	struct bench *bench = *state;

	bench->server.answer = NULL;
	add_service(bench, "/");
	assert_int_equal(start(bench, "{\"interval\":1,\"timeout\":1}"), 0);
	while (bench->server.connections == 0)
		assert_true(uv_run(&bench->loop, UV_RUN_ONCE) != 0);
	stop(bench);
	while (bench->stopped == 0)
		assert_true(uv_run(&bench->loop, UV_RUN_ONCE) != 0);
	assert_int_equal(bench->seen, 0);
	assert_int_equal(bench->stopped, 1);
}

static void settings_that_make_no_sense_are_refused(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(start(bench, "{\"interval\":1,\"timeout\":2}"), STATUS_RANGE);
	assert_string_equal(bench->fault.field, "timeout");
	assert_true(start(bench, "{\"ca\":\"/no/such/file\"}") < 0);
	assert_non_null(strstr(bench->fault.why, "/no/such/file"));
	assert_null(bench->source);
}

#define SOURCE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(every_service_with_a_url_is_checked_again_and_again),
		SOURCE_TEST(silent_services_hold_up_no_other),
		SOURCE_TEST(few_connections_are_begun_at_once),
		SOURCE_TEST(stopping_in_the_middle_is_told_once_and_emits_nothing),
		SOURCE_TEST(settings_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
