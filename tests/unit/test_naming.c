#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <uv.h>
#include <cmocka.h>

#include "naming.h"
#include "ptr_server.h"

#define WAIT_US 200000
#define LIMIT 8

struct stage {
	uv_loop_t loop;
	struct ptr_server server;
	struct naming *naming;
	struct obs *obs;
	unsigned done, named; /* traces, and hops of them with a name */
	int64_t last_service; /* "service-N" */
};

static void trace_is_named(void *arg, struct obs *obs)
{
	struct stage *stage = arg;

	stage->done++;
	stage->last_service = atoi(obs->trace.service + 8);
	for (unsigned i = 0; i < obs->trace.hop_count; i++)
		stage->named += obs->trace.hops[i].name[0] != '\0';
}

static void start(struct stage *stage)
{
	stage->done = stage->named = 0;
	stage->obs = malloc(sizeof(*stage->obs));
	assert_non_null(stage->obs);
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	ptr_server_start(&stage->server, &stage->loop);
	assert_int_equal(naming_open(&stage->naming, &stage->loop,
				 &stage->server.endpoint, WAIT_US, LIMIT),
		0);
}

static void finish(struct stage *stage)
{
	naming_close(stage->naming, NULL, NULL);
	ptr_server_stop(&stage->server);
	assert_int_equal(uv_run(&stage->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
	free(stage->obs);
}

/* Three hops, of which the second is silent; the addresses are the trace's own. */
static void add(struct stage *stage, unsigned number)
{
	uint8_t bytes[4] = {198, 18, (uint8_t)number, 1};
	struct obs_trace *trace = &stage->obs->trace;

	obs_init(stage->obs, OBS_TRACE, (struct moment){1});
	(void)snprintf(trace->service, sizeof(trace->service), "service-%u", number);
	trace->hop_count = 3;
	for (unsigned i = 0; i < 3; i++) {
		bytes[3] = (uint8_t)(1 + i);
		trace->hops[i] =
			(struct obs_hop){.ttl = i + 1, .sent = 1, .answered = i != 1};
		if (i != 1)
			trace->hops[i].address = address_v4(bytes);
	}
	naming_add(stage->naming, stage->obs, trace_is_named, stage);
}

static void run_until_done(struct stage *stage, unsigned count)
{
	while (stage->done < count)
		assert_true(uv_run(&stage->loop, UV_RUN_ONCE));
}

static void traces_go_on_with_the_names_of_all_hops_that_answered(void **state)
{
	struct stage stage;

	(void)state;
	start(&stage);
	for (unsigned i = 0; i < LIMIT; i++)
		add(&stage, i);
	assert_int_equal(stage.done, 0);
	run_until_done(&stage, LIMIT);
	assert_int_equal(stage.named, 2 * LIMIT);
	assert_int_equal(naming_count(stage.naming).late, 0);
	/* What is known by now takes no time. */
	add(&stage, 3);
	assert_int_equal(stage.done, LIMIT + 1);
	assert_int_equal(stage.last_service, 3);
	finish(&stage);
}

static void a_silent_resolver_is_waited_for_no_longer_than_said(void **state)
{
	struct stage stage;
	uint64_t began;

	(void)state;
	start(&stage);
	stage.server.silent = true;
	uv_update_time(&stage.loop);
	began = uv_now(&stage.loop);
	add(&stage, 1);
	run_until_done(&stage, 1);
	assert_in_range(
		uv_now(&stage.loop) - began, WAIT_US / 1000 - 1, WAIT_US / 1000 + 1000);
	assert_int_equal(stage.named, 0);
	assert_int_equal(naming_count(stage.naming).late, 1);
	finish(&stage);
}

static void beyond_the_limit_traces_go_on_at_once_and_are_counted(void **state)
{
	struct stage stage;

	(void)state;
	start(&stage);
	stage.server.silent = true;
	for (unsigned i = 0; i < LIMIT + 3; i++)
		add(&stage, i);
	assert_int_equal(stage.done, 3);
	assert_int_equal(stage.last_service, LIMIT + 2);
	assert_int_equal(naming_count(stage.naming).full, 3);
	run_until_done(&stage, LIMIT + 3);
	finish(&stage);
}

static void closing_forgets_those_that_wait(void **state)
{
	struct stage stage;

	(void)state;
	start(&stage);
	add(&stage, 1);
	finish(&stage);
	assert_int_equal(stage.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traces_go_on_with_the_names_of_all_hops_that_answered),
		cmocka_unit_test(a_silent_resolver_is_waited_for_no_longer_than_said),
		cmocka_unit_test(beyond_the_limit_traces_go_on_at_once_and_are_counted),
		cmocka_unit_test(closing_forgets_those_that_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
