#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_round_trip.h"
#include "hearing.h"

static void trace(struct hearing *hearing, const char *probe, int64_t rtt_us)
{
	const uint8_t address[4] = {203, 0, 113, 10};
	struct obs_trace *trace = &hearing->obs->trace;
	hearing_pass(hearing, MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_TRACE, hearing->now);
	trace->reached = true;
	trace->peer = address_v4(address);
	trace->hop_count = 1;
	trace->hops[0] = (struct obs_hop){.ttl = 1,
		.sent = 1,
		.answered = 1,
		.address = trace->peer,
		.rtt_us = rtt_us};
	hearing_show(hearing, probe);
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_round_trip);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "tyo-gw-2", OBS_GATEWAY, "tokyo", "JP", 64496);
	for (unsigned i = 0; i < 60; i++) {
		trace(hearing, "tyo-gw-1", 80000 + i % 5 * 200);
		trace(hearing, "tyo-gw-2", 81000 + i % 5 * 200);
	}
}

static void a_step_at_one_probe_warns_and_at_two_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 7; i++)
		trace(&hearing, "tyo-gw-1", 160000 + i * 200);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 1);
	assert_int_equal(hearing_pages(&hearing), 0);
	for (unsigned i = 0; i < 7; i++)
		trace(&hearing, "tyo-gw-2", 161000 + i * 200);
	assert_int_equal(hearing_pages(&hearing), 1);
	hearing_close(&hearing);
}

static void a_small_step_is_not_felt(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 40; i++)
		trace(&hearing, "tyo-gw-1", 90000 + i % 5 * 200);
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void the_way_back_ends_it(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	for (unsigned i = 0; i < 10; i++)
		trace(&hearing, "tyo-gw-1", 160000);
	for (unsigned i = 0; i < 10; i++)
		trace(&hearing, "tyo-gw-1", 80000);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_at_one_probe_warns_and_at_two_pages),
		cmocka_unit_test(a_small_step_is_not_felt),
		cmocka_unit_test(the_way_back_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
