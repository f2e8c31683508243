#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <cmocka.h>

#include "loop_server.h"
#include "registry_client.h"
#include "astray/status.h"

#define DOMAIN "exchange.example"

/* A list of registries and a registry, each a server of its own; their answers are made
 * when their ports are known. */
struct stage {
	uv_loop_t loop;
	struct loop_server list, registry;
	struct registry_client *client;
	char list_answer[1024], registry_answer[1024];
	unsigned calls;
	int rc;
	int64_t wait_us;
};

static void answer(char out[static 1024], const char *status, const char *body)
{
	(void)snprintf(out, 1024,
		"HTTP/1.1 %s\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n%s",
		status, strlen(body), body);
}

static void open_stage(struct stage *stage)
{
	char url[64], body[256];

	memset(stage, 0, sizeof(*stage));
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	loop_server_open(&stage->list, &stage->loop);
	loop_server_open(&stage->registry, &stage->loop);
	(void)snprintf(body, sizeof(body),
		"{\"services\":[[[\"example\"],[\"http://127.0.0.1:%d/\"]]]}",
		stage->registry.port);
	answer(stage->list_answer, "200 OK", body);
	answer(stage->registry_answer, "200 OK",
		"{\"objectClassName\":\"domain\",\"ldhName\":\"" DOMAIN "\"}");
	stage->list.answer = stage->list_answer;
	stage->registry.answer = stage->registry_answer;
	(void)snprintf(
		url, sizeof(url), "http://127.0.0.1:%d/dns.json", stage->list.port);
	assert_int_equal(registry_client_open(&stage->client, &stage->loop, "", url), 0);
}

static void close_stage(struct stage *stage)
{
	registry_client_close(stage->client);
	loop_server_close_all(&stage->list);
	loop_server_close_all(&stage->registry);
	(void)uv_run(&stage->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
}

static void told(void *arg, int rc, const struct obs *obs, int64_t wait_us,
	const struct fault *fault)
{
	struct stage *stage = arg;

	(void)fault;
	stage->calls++;
	stage->rc = rc;
	stage->wait_us = wait_us;
	if (rc == 0)
		assert_string_equal(obs->registry.domain, DOMAIN);
}

static void ask(struct stage *stage, const char *domain)
{
	unsigned before = stage->calls;

	assert_int_equal(registry_client_ask(stage->client, domain, told, stage), 0);
	while (stage->calls == before)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(stage->calls, before + 1);
}

static void the_list_is_fetched_once_and_names_the_registry(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	ask(&stage, DOMAIN);
	assert_int_equal(stage.rc, 0);
	ask(&stage, DOMAIN);
	assert_int_equal(stage.rc, 0);
	assert_int_equal(stage.list.requests, 1);
	assert_int_equal(stage.registry.requests, 2);
	ask(&stage, "exchange.nowhere");
	assert_int_equal(stage.rc, STATUS_UNKNOWN);
	assert_int_equal(stage.list.requests, 1);
	close_stage(&stage);
}

static void a_registry_that_says_not_now_is_not_asked_again_until_then(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	stage.registry.answer = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 300\r\n"
				"content-length: 0\r\nconnection: close\r\n\r\n";
	ask(&stage, DOMAIN);
	assert_int_equal(stage.rc, STATUS_LATER);
	assert_int_equal(stage.wait_us, 300 * MOMENT_SECOND_US);
	ask(&stage, DOMAIN);
	assert_int_equal(stage.rc, STATUS_LATER);
	assert_in_range(stage.wait_us, 290 * MOMENT_SECOND_US, 300 * MOMENT_SECOND_US);
	assert_int_equal(stage.registry.requests, 1);
	close_stage(&stage);
}

static void without_a_list_nobody_is_asked_and_neither_is_it_again_at_once(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	stage.list.answer = "HTTP/1.1 503 Busy\r\nretry-after: 600\r\n"
			    "content-length: 0\r\nconnection: close\r\n\r\n";
	ask(&stage, DOMAIN);
	assert_int_equal(stage.rc, STATUS_LATER);
	ask(&stage, DOMAIN);
	assert_int_equal(stage.rc, STATUS_LATER);
	assert_int_equal(stage.list.requests, 1);
	assert_int_equal(stage.registry.requests, 0);
	close_stage(&stage);
}

static void what_is_no_list_is_refused(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	answer(stage.list_answer, "200 OK", "<html>captive portal</html>");
	ask(&stage, DOMAIN);
	assert_true(stage.rc < 0);
	assert_int_equal(stage.registry.requests, 0);
	close_stage(&stage);
}

static void a_registry_that_sends_in_circles_is_left(void **state)
{
	struct stage stage;
	char circle[256];

	(void)state;
	open_stage(&stage);
	(void)snprintf(circle, sizeof(circle),
		"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:%d/domain/" DOMAIN
		"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
		stage.registry.port);
	stage.registry.answer = circle;
	ask(&stage, DOMAIN);
	assert_true(stage.rc < 0);
	assert_in_range(stage.registry.requests, 2, 10);
	close_stage(&stage);
}

static void an_answer_without_bottom_is_refused(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\ncontent-length: 30000\r\n"
				   "connection: close\r\n\r\n";
	struct stage stage;
	char deep[sizeof(head) + 30000];

	(void)state;
	open_stage(&stage);
	memcpy(deep, head, sizeof(head) - 1);
	memset(deep + sizeof(head) - 1, '[', 30000);
	deep[sizeof(deep) - 1] = '\0';
	stage.registry.answer = deep;
	ask(&stage, DOMAIN);
	assert_true(stage.rc < 0);
	assert_int_equal(stage.registry.requests, 1);
	close_stage(&stage);
}

static void closing_cancels(void **state)
{
	struct stage stage;

	(void)state;
	open_stage(&stage);
	stage.list.answer = NULL;
	assert_int_equal(registry_client_ask(stage.client, DOMAIN, told, &stage), 0);
	close_stage(&stage);
	assert_int_equal(stage.calls, 1);
	assert_int_equal(stage.rc, -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_fetched_once_and_names_the_registry),
		cmocka_unit_test(
			a_registry_that_says_not_now_is_not_asked_again_until_then),
		cmocka_unit_test(
			without_a_list_nobody_is_asked_and_neither_is_it_again_at_once),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(a_registry_that_sends_in_circles_is_left),
		cmocka_unit_test(an_answer_without_bottom_is_refused),
		cmocka_unit_test(closing_cancels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
