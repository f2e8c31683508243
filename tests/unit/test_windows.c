#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/services.h"
#include "windows.h"

#define SECOND MOMENT_SECOND_US

struct bench {
	struct windows *windows;
	unsigned count; /* observations */
	struct {
		struct moment at;
		int64_t window_us, requests;
		char service[OBS_NAME];
	} seen[4096];
};

static void emitted(void *arg, const struct obs *obs)
{
	struct bench *bench = arg;

	assert_true(bench->count < 4096);
	bench->seen[bench->count].at = obs->at;
	bench->seen[bench->count].window_us = obs->traffic.window_us;
	bench->seen[bench->count].requests = obs->traffic.requests;
	(void)strcpy(bench->seen[bench->count++].service, obs->traffic.service);
}

static struct service exchange = {.name = "exchange",
	.host_count = 2,
	.hosts = {"exchange.example", "*.exchange.example"},
	.port_count = 2,
	.ports = {443, 8443}};

static struct bench *begin(const struct services *services, unsigned limit, bool exact)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct windows_config config = {.window_us = 10 * SECOND,
		.pause_us = 60 * SECOND,
		.exact_ends = exact,
		.limit = limit,
		.emit = emitted,
		.emit_arg = bench};

	assert_int_equal(windows_new(&bench->windows, &config, services), 0);
	return bench;
}

static void end(struct bench *bench)
{
	windows_free(bench->windows);
	free(bench);
}

static void advance(struct bench *bench, int64_t at_us)
{
	windows_advance(bench->windows, (struct moment){at_us});
}

static void windows_are_aligned_and_whole(void **state)
{
	struct bench *bench = begin(&(struct services){1, &exchange}, 1, false);

	(void)state;
	advance(bench, 1003 * SECOND);
	windows_traffic(bench->windows, 0)->requests++;
	advance(bench, 1009 * SECOND);
	assert_int_equal(bench->count, 0);
	windows_traffic(bench->windows, 0)->requests++;
	advance(bench, 1010 * SECOND);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->seen[0].at.us, 1000 * SECOND);
	assert_int_equal(bench->seen[0].window_us, 10 * SECOND);
	assert_int_equal(bench->seen[0].requests, 2);
	assert_string_equal(bench->seen[0].service, "exchange");
	end(bench);
}

static void silence_is_told_too(void **state)
{
	struct bench *bench = begin(&(struct services){1, &exchange}, 1, false);

	(void)state;
	advance(bench, 1000 * SECOND);
	advance(bench, 1041 * SECOND);
	assert_int_equal(bench->count, 4);
	assert_int_equal(bench->seen[3].at.us, 1030 * SECOND);
	assert_int_equal(bench->seen[3].requests, 0);
	windows_finish(bench->windows);
	assert_int_equal(bench->count, 5);
	end(bench);
}

static void a_pause_is_no_silence(void **state)
{
	struct bench *bench = begin(&(struct services){1, &exchange}, 1, false);

	(void)state;
	advance(bench, 1000 * SECOND);
	advance(bench, 900000 * SECOND);
	assert_int_equal(bench->count, 1);
	advance(bench, 900010 * SECOND);
	assert_int_equal(bench->seen[1].at.us, 900000 * SECOND);
	end(bench);
}

static void a_clock_set_back_begins_anew(void **state)
{
	struct bench *bench = begin(&(struct services){1, &exchange}, 1, false);

	(void)state;
	advance(bench, 5000 * SECOND);
	advance(bench, 4999 * SECOND); /* a little: only late */
	assert_int_equal(bench->count, 0);
	advance(bench, 1000 * SECOND);
	assert_int_equal(bench->count, 1);
	advance(bench, 1010 * SECOND);
	assert_int_equal(bench->seen[1].at.us, 1000 * SECOND);
	end(bench);
}

static void exact_ends_are_as_long_as_was_measured(void **state)
{
	struct bench *bench = begin(&(struct services){1, &exchange}, 1, true);

	(void)state;
	advance(bench, 1003 * SECOND);
	advance(bench, 1014 * SECOND);
	windows_finish(bench->windows);
	assert_int_equal(bench->count, 2);
	assert_int_equal(bench->seen[0].at.us, 1003 * SECOND);
	assert_int_equal(bench->seen[0].window_us, 7 * SECOND);
	assert_int_equal(bench->seen[1].at.us, 1010 * SECOND);
	assert_int_equal(bench->seen[1].window_us, 4 * SECOND);
	end(bench);
}

static void services_are_bounded_and_make_room(void **state)
{
	struct bench *bench = begin(&(struct services){0}, 3, false);
	struct windows *windows = bench->windows;

	(void)state;
	assert_int_equal(windows_service(windows, "a"), 0);
	assert_int_equal(windows_service(windows, "b"), 1);
	assert_int_equal(windows_service(windows, "c"), 2);
	assert_int_equal(windows_service(windows, "b"), 1);
	windows_enter(windows, 0);
	windows_traffic(windows, 1)->requests = 1;
	windows_enter(windows, 2);
	assert_true(windows_service(windows, "d") < 0);
	assert_int_equal(windows_refused_services(windows), 1);
	windows_leave(windows, 2);
	assert_int_equal(windows_service(windows, "d"), 2);
	assert_int_equal(windows_service(windows, "d"), 2);
	assert_string_equal(windows_name(windows, 2), "d");
	windows_enter(windows, 2);
	assert_true(windows_service(windows, "c") < 0);
	end(bench);
}

static void peers_are_listed_as_far_as_there_is_room(void **state)
{
	struct bench *bench = begin(&(struct services){1, &exchange}, 1, false);

	(void)state;
	for (unsigned i = 0; i < OBS_PEERS + 3; i++) {
		uint8_t bytes[4] = {198, 51, 100, (uint8_t)i};
		struct address peer = address_v4(bytes);

		windows_count_peer(bench->windows, 0, &peer);
		windows_count_peer(bench->windows, 0, &peer);
	}
	assert_int_equal(windows_traffic(bench->windows, 0)->peer_count, OBS_PEERS);
	assert_int_equal(windows_traffic(bench->windows, 0)->peers[9].requests, 2);
	assert_int_equal(windows_unlisted_peers(bench->windows), 6);
	end(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_are_aligned_and_whole),
		cmocka_unit_test(silence_is_told_too),
		cmocka_unit_test(a_pause_is_no_silence),
		cmocka_unit_test(a_clock_set_back_begins_anew),
		cmocka_unit_test(exact_ends_are_as_long_as_was_measured),
		cmocka_unit_test(services_are_bounded_and_make_room),
		cmocka_unit_test(peers_are_listed_as_far_as_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
