#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <uv.h>

#include "astray/status.h"
#include "source_set.h"

struct settings {
	int64_t unwilling; /* it does not start */
};

static const struct conf_option options[] = {
	{"unwilling", CONF_INT, offsetof(struct settings, unwilling), 0, 0, 1, "0",
		"a test's"},
	{0},
};

/* A source that does nothing but stop by a handle of its own, as real ones do. */
struct idler {
	uv_timer_t handle;
	const struct services *services;
	void (*stopped)(void *arg);
	void *arg;
};

static int start(void **out, const struct source_env *env, const void *settings,
	struct fault *fault)
{
	const struct settings *chosen = settings;
	struct idler *idler;

	*out = NULL;
	if (chosen->unwilling)
		return fault_at(fault, -EPERM, "", "needs CAP_NET_RAW");
	idler = calloc(1, sizeof(*idler));
	assert_non_null(idler);
	idler->services = env->services;
	idler->handle.data = idler;
	(void)uv_timer_init(env->loop, &idler->handle);
	*out = idler;
	return 0;
}

static void report(void *source, struct obs_health *health)
{
	(void)source;
	health->captured_packets += 7;
}

static void handle_closed(uv_handle_t *handle)
{
	struct idler *idler = handle->data;

	idler->stopped(idler->arg);
	/* What the environment lent is still there. */
	assert_string_equal(idler->services->list[0].name, "x");
	free(idler);
}

static void stop(void *source, void (*stopped)(void *arg), void *arg)
{
	struct idler *idler = source;

	idler->stopped = stopped;
	idler->arg = arg;
	uv_close((uv_handle_t *)&idler->handle, handle_closed);
}

#define KIND(text)                                                        \
	{                                                                 \
		.name = text, .options = options,                         \
		.settings_size = sizeof(struct settings), .start = start, \
		.report = report, .stop = stop                            \
	}

static const struct source_kind one = KIND("one"), two = KIND("two"),
				three = KIND("three");
static const struct source_kind *const kinds[] = {&one, &two, &three, NULL};

struct bench {
	uv_loop_t loop;
	struct log log;
	char *said;
	size_t said_len;
	struct source_set *set;
	bool stopped;
};

static void set_up(struct bench *bench, const char *sources)
{
	struct measure_plan *plan;
	struct source_env env = {.loop = &bench->loop, .log = &bench->log};
	char text[512];

	*bench = (struct bench){.stopped = false};
	bench->log = (struct log){.out = open_memstream(&bench->said, &bench->said_len),
		.level = LOG_LEVEL_WARN};
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	(void)snprintf(text, sizeof(text),
		"{\"services\":[{\"name\":\"x\",\"hosts\":[\"x.example\"]}],\"sources\":%"
		"s}",
		sources);
	assert_int_equal(measure_plan_new(&plan, kinds, text, NULL, NULL), 0);
	assert_int_equal(source_set_start(&bench->set, kinds, plan, &env), 0);
}

static void set_stopped(void *arg)
{
	*(bool *)arg = true;
}

static void tear_down(struct bench *bench)
{
	source_set_stop(bench->set, set_stopped, &bench->stopped);
	assert_false(bench->stopped);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_true(bench->stopped);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	(void)fclose(bench->log.out);
	free(bench->said);
}

static void assert_count(const struct bench *bench, unsigned running, unsigned wanted)
{
	unsigned found_running, found_wanted;

	source_set_count(bench->set, &found_running, &found_wanted);
	assert_int_equal(found_running, running);
	assert_int_equal(found_wanted, wanted);
}

static void what_is_wanted_runs_and_reports(void **state)
{
	struct bench bench;
	struct obs_health health = {.captured_packets = 0};

	(void)state;
	set_up(&bench, "{\"one\":{},\"three\":{}}");
	assert_count(&bench, 2, 2);
	source_set_report(bench.set, &health);
	assert_int_equal(health.captured_packets, 14);
	tear_down(&bench);
}

static void one_that_cannot_start_leaves_the_others_alone(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, "{\"one\":{\"unwilling\":1},\"two\":{},\"three\":{}}");
	assert_count(&bench, 2, 3);
	(void)fflush(bench.log.out);
	assert_non_null(strstr(bench.said, "one does not run: needs CAP_NET_RAW"));
	tear_down(&bench);
}

static void none_stops_as_well_as_many(void **state)
{
	struct bench bench;

	(void)state;
	set_up(&bench, "{\"one\":{\"unwilling\":1}}");
	assert_count(&bench, 0, 1);
	tear_down(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted_runs_and_reports),
		cmocka_unit_test(one_that_cannot_start_leaves_the_others_alone),
		cmocka_unit_test(none_stops_as_well_as_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
