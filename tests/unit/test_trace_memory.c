#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace_memory.h"

#define AT INT64_C(1590854700000000)

static char folder[] = "/tmp/trace-memory-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && setenv("XDG_STATE_HOME", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static struct obs *new_trace(int64_t flow, unsigned hops)
{
	struct obs *obs = malloc(sizeof(*obs));

	assert_non_null(obs);
	obs_init(obs, OBS_TRACE, (struct moment){AT});
	(void)snprintf(obs->trace.service, sizeof(obs->trace.service), "shop");
	obs->trace.peer = address_v4((uint8_t[]){203, 0, 113, 9});
	obs->trace.protocol = OBS_TCP;
	obs->trace.port = 443;
	obs->trace.flow = flow;
	obs->trace.hop_count = hops;
	for (unsigned i = 0; i < hops; i++)
		obs->trace.hops[i] = (struct obs_hop){.ttl = i + 1,
			.sent = 1,
			.answered = 1,
			.rtt_us = 1000,
			.address = address_v4((uint8_t[]){192, 0, 2, (uint8_t)i})};
	return obs;
}

static void the_last_trace_of_a_kind_is_remembered(void **state)
{
	struct obs *first = new_trace(0, 3), *second = new_trace(0, 5),
		   *other = new_trace(1, 7), *back = malloc(sizeof(*back));

	(void)state;
	assert_non_null(back);
	assert_true(trace_memory_recall(back, "shop.example", &first->trace) < 0);
	assert_int_equal(trace_memory_keep(first, "shop.example"), 0);
	assert_int_equal(trace_memory_keep(other, "shop.example"), 0);
	assert_int_equal(trace_memory_keep(second, "shop.example"), 0);
	assert_int_equal(trace_memory_recall(back, "shop.example", &first->trace), 0);
	assert_int_equal(back->trace.hop_count, 5);
	assert_int_equal(trace_memory_recall(back, "shop.example", &other->trace), 0);
	assert_int_equal(back->trace.hop_count, 7);
	assert_true(trace_memory_recall(back, "other.example", &first->trace) < 0);
	free(first);
	free(second);
	free(other);
	free(back);
}

static void a_host_is_never_a_path_out_of_the_folder(void **state)
{
	struct obs *trace = new_trace(0, 3), *back = malloc(sizeof(*back));

	(void)state;
	assert_non_null(back);
	assert_true(trace_memory_keep(trace, "../../escaped") < 0);
	assert_true(trace_memory_recall(back, "../../escaped", &trace->trace) < 0);
	free(trace);
	free(back);
}

static void what_is_spoilt_is_no_memory(void **state)
{
	struct obs *trace = new_trace(2, 3), *back = malloc(sizeof(*back));
	char path[256];
	FILE *file;

	(void)state;
	assert_non_null(back);
	assert_int_equal(trace_memory_keep(trace, "shop.example"), 0);
	(void)snprintf(
		path, sizeof(path), "%s/astray/trace-shop.example-tcp-443-2", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs("{\"kind\":\"trace\",\"at_us\":", file);
	assert_int_equal(fclose(file), 0);
	assert_true(trace_memory_recall(back, "shop.example", &trace->trace) < 0);
	free(trace);
	free(back);
}

static void it_is_nobody_else_s_to_read(void **state)
{
	struct stat info;
	char path[256];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/astray", folder);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_trace_of_a_kind_is_remembered),
		cmocka_unit_test(a_host_is_never_a_path_out_of_the_folder),
		cmocka_unit_test(what_is_spoilt_is_no_memory),
		cmocka_unit_test(it_is_nobody_else_s_to_read),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
