#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <uv.h>

#include "assignment.h"
#include "scripted_fetch.h"

struct bench {
	uv_loop_t loop;
	struct log log; /* silent */
	struct fetch *fetch;
	struct assignment *assignment;
	unsigned changes;
	char text[256];
	bool closed;
};

static void changed(void *arg, const char *text, size_t len)
{
	struct bench *bench = arg;

	bench->changes++;
	(void)snprintf(bench->text, sizeof(bench->text), "%.*s", (int)len, text);
}

static void set_up(struct bench *bench)
{
	static const struct collector_access access = {
		.url = "https://collector.example"};

	*bench = (struct bench){.closed = false};
	bench->fetch = calloc(1, sizeof(*bench->fetch));
	assert_non_null(bench->fetch);
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	assert_int_equal(assignment_open(&bench->assignment, &bench->loop, &bench->log,
				 bench->fetch, &access, OBS_SENTINEL, changed, bench),
		0);
	while (!bench->fetch->request.running)
		(void)uv_run(&bench->loop, UV_RUN_ONCE);
	assert_string_equal(bench->fetch->request.method, "GET");
	assert_string_equal(bench->fetch->request.url,
		"https://collector.example/v1/assignment?role=sentinel");
	assert_string_equal(bench->fetch->request.if_none_match, "");
}

static void assignment_gone(void *arg)
{
	*(bool *)arg = true;
}

static void tear_down(struct bench *bench)
{
	assignment_close(bench->assignment, assignment_gone, &bench->closed);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_true(bench->closed);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	free(bench->fetch);
}

static void reply(struct bench *bench, const char *body, const char *etag, bool truncated)
{
	struct fetch_answer answer = {.status = 200,
		.body = body,
		.body_len = strlen(body),
		.truncated = truncated};

	(void)snprintf(answer.etag, sizeof(answer.etag), "%s", etag);
	scripted_fetch_answer(bench->fetch, &answer);
}

static void a_text_is_handed_on_and_its_tag_asked_with(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench);
	reply(&bench, "{\"services\":[]}", "\"7\"", false);
	assert_int_equal(bench.changes, 1);
	assert_string_equal(bench.text, "{\"services\":[]}");
	assignment_ask(bench.assignment);
	assert_string_equal(bench.fetch->request.if_none_match, "\"7\"");
	scripted_fetch_reply(bench.fetch, 304, "");
	assert_int_equal(bench.changes, 1);
	tear_down(&bench);
}

static void what_fails_changes_nothing(void **state)
{
	static const long statuses[] = {401, 403, 404, 429, 500, 503, 204};
	struct bench bench;

	(void)state;
	set_up(&bench);
	for (unsigned i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		scripted_fetch_reply(bench.fetch, statuses[i], "{}");
		assert_int_equal(bench.changes, 0);
		assignment_ask(bench.assignment);
		assert_true(bench.fetch->request.running);
	}
	tear_down(&bench);
}

static void after_a_failure_it_asks_again_by_itself(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench);
	scripted_fetch_reply(bench.fetch, 500, "");
	assert_false(bench.fetch->request.running);
	while (!bench.fetch->request.running)
		(void)uv_run(&bench.loop, UV_RUN_ONCE);
	tear_down(&bench);
}

static void a_truncated_text_is_not_believed(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench);
	reply(&bench, "{}", "\"8\"", true);
	assert_int_equal(bench.changes, 0);
	assignment_ask(bench.assignment);
	assert_string_equal(bench.fetch->request.if_none_match, "");
	tear_down(&bench);
}

static void another_collector_is_asked_without_the_tag(void **state)
{
	static const struct collector_access other = {.url = "https://other.example"};
	struct bench bench;

	(void)state;
	set_up(&bench);
	reply(&bench, "{}", "\"8\"", false);
	assignment_configure(bench.assignment, &other, OBS_SENTINEL);
	assert_string_equal(bench.fetch->request.url,
		"https://other.example/v1/assignment?role=sentinel");
	assert_string_equal(bench.fetch->request.if_none_match, "");
	tear_down(&bench);
}

static void asking_twice_is_asking_once(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench);
	assignment_ask(bench.assignment);
	assert_int_equal(bench.fetch->started, 1);
	tear_down(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_handed_on_and_its_tag_asked_with),
		cmocka_unit_test(what_fails_changes_nothing),
		cmocka_unit_test(after_a_failure_it_asks_again_by_itself),
		cmocka_unit_test(a_truncated_text_is_not_believed),
		cmocka_unit_test(another_collector_is_asked_without_the_tag),
		cmocka_unit_test(asking_twice_is_asking_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
