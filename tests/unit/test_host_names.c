#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <uv.h>
#include <cmocka.h>

#include "host_names.h"
#include "ptr_server.h"

#define HOUR_US (3600 * MOMENT_SECOND_US)

struct stage {
	uv_loop_t loop;
	struct ptr_server server;
	struct host_names *names;
	unsigned told;
};

static void told(void *arg)
{
	struct stage *stage = arg;

	stage->told++;
}

static void start(struct stage *stage)
{
	stage->told = 0;
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	ptr_server_start(&stage->server, &stage->loop);
	assert_int_equal(host_names_open(&stage->names, &stage->loop,
				 &stage->server.endpoint, told, stage),
		0);
}

static void finish(struct stage *stage)
{
	host_names_close(stage->names, NULL, NULL);
	ptr_server_stop(&stage->server);
	assert_int_equal(uv_run(&stage->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
}

static struct address numbered(unsigned number)
{
	uint8_t bytes[4] = {198, 18, (uint8_t)(number >> 8), (uint8_t)number};

	return address_v4(bytes);
}

static const char *name_at(
	struct stage *stage, unsigned number, int64_t at_us, bool *settled)
{
	struct address address = numbered(number);

	return host_names_of(stage->names, &address, (struct tick){at_us}, settled);
}

static void run_until_told(struct stage *stage, unsigned times)
{
	while (stage->told < times)
		assert_true(uv_run(&stage->loop, UV_RUN_ONCE));
}

static void a_name_is_asked_for_once_and_told_when_it_comes(void **state)
{
	struct stage stage;
	bool settled;

	(void)state;
	start(&stage);
	assert_string_equal(name_at(&stage, 7, 0, &settled), "");
	assert_false(settled);
	(void)name_at(&stage, 7, 0, &settled);
	run_until_told(&stage, 1);
	assert_string_equal(name_at(&stage, 7, 0, &settled), "7-0-18-198.example.net");
	assert_true(settled);
	(void)name_at(&stage, 7, 23 * HOUR_US, &settled);
	assert_int_equal(stage.server.asked, 1);
	finish(&stage);
}

static void many_are_asked_at_once(void **state)
{
	struct stage stage;
	bool settled;

	(void)state;
	start(&stage);
	for (unsigned i = 0; i < 300; i++)
		(void)name_at(&stage, i, 0, &settled);
	run_until_told(&stage, 300);
	for (unsigned i = 0; i < 300; i++) {
		char name[OBS_NAME];

		(void)snprintf(
			name, sizeof(name), "%u-%u-18-198.example.net", i & 255, i >> 8);
		assert_string_equal(name_at(&stage, i, 0, &settled), name);
	}
	assert_int_equal(stage.server.asked, 300);
	finish(&stage);
}

static void after_a_day_it_is_asked_anew_and_the_old_name_serves_meanwhile(void **state)
{
	struct stage stage;
	bool settled;

	(void)state;
	start(&stage);
	(void)name_at(&stage, 7, 0, &settled);
	run_until_told(&stage, 1);
	stage.server.knows_none = true;
	assert_string_equal(
		name_at(&stage, 7, 25 * HOUR_US, &settled), "7-0-18-198.example.net");
	assert_true(settled);
	run_until_told(&stage, 2);
	assert_string_equal(name_at(&stage, 7, 25 * HOUR_US, &settled), "");
	assert_true(settled);
	finish(&stage);
}

static void no_name_is_an_answer_but_no_answer_is_tried_again_soon(void **state)
{
	struct stage stage;
	bool settled;

	(void)state;
	start(&stage);
	stage.server.knows_none = true;
	(void)name_at(&stage, 1, 0, &settled);
	run_until_told(&stage, 1);
	assert_string_equal(name_at(&stage, 1, HOUR_US, &settled), "");
	assert_true(settled);
	assert_int_equal(stage.server.asked, 1);
	stage.server.silent = true;
	(void)name_at(&stage, 2, 0, &settled);
	run_until_told(&stage, 2);
	stage.server.silent = stage.server.knows_none = false;
	assert_string_equal(name_at(&stage, 2, HOUR_US, &settled), "");
	run_until_told(&stage, 3);
	assert_string_equal(
		name_at(&stage, 2, HOUR_US, &settled), "2-0-18-198.example.net");
	finish(&stage);
}

static void without_room_the_longest_unwanted_goes_and_the_rest_is_counted(void **state)
{
	struct stage stage;
	unsigned told_before;
	bool settled;

	(void)state;
	start(&stage);
	for (unsigned i = 0; i < HOST_NAMES_MAX; i++)
		(void)name_at(&stage, i, i, &settled);
	run_until_told(&stage, HOST_NAMES_MAX);
	/* All were wanted just now. */
	assert_string_equal(name_at(&stage, 9999, HOST_NAMES_MAX, &settled), "");
	assert_true(settled);
	assert_int_equal(host_names_dropped(stage.names), 1);
	for (unsigned i = 1; i < HOST_NAMES_MAX; i++)
		(void)name_at(&stage, i, HOUR_US, &settled);
	(void)name_at(&stage, 9999, HOUR_US, &settled);
	assert_false(settled);
	assert_int_equal(host_names_dropped(stage.names), 1);
	/* The others are all still found. */
	told_before = stage.told;
	for (unsigned i = 1; i < HOST_NAMES_MAX; i++) {
		assert_string_not_equal(name_at(&stage, i, HOUR_US, &settled), "");
		assert_true(settled);
	}
	run_until_told(&stage, told_before + 1);
	assert_string_equal(
		name_at(&stage, 9999, HOUR_US, &settled), "15-39-18-198.example.net");
	finish(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_asked_for_once_and_told_when_it_comes),
		cmocka_unit_test(many_are_asked_at_once),
		cmocka_unit_test(
			after_a_day_it_is_asked_anew_and_the_old_name_serves_meanwhile),
		cmocka_unit_test(no_name_is_an_answer_but_no_answer_is_tried_again_soon),
		cmocka_unit_test(
			without_room_the_longest_unwanted_goes_and_the_rest_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
