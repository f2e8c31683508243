#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/wire.h"
#include "fan_play.h"
#include "fan_record.h"

static const struct trace_order order = {.peer = {.family = 4, .bytes = {203, 0, 113, 9}},
	.protocol = OBS_UDP,
	.port = 33434,
	.flow = 100,
	.max_ttl = 30,
	.queries = 1};

static void the_chosen_flows_together_cross_every_router(void **state)
{
	struct diamond diamond = {.width = 8};
	bool chosen[FAN_FLOWS], seen[256] = {0};
	unsigned count, routers = 0;
	struct fan *fan;

	(void)state;
	(void)play(&fan, &diamond, 7);
	count = fan_record_choose(fan, chosen);
	assert_in_range(count, 8, 16);
	for (unsigned flow = 0; flow < FAN_FLOWS; flow++) {
		const struct fan_node *nodes;
		int node = chosen[flow] ? fan_node_of(fan, 3, flow) : -1;

		(void)fan_nodes(fan, 3, &nodes);
		if (node >= 0)
			seen[nodes[node].address.bytes[2]] = true;
	}
	for (unsigned i = 0; i < 256; i++)
		routers += seen[i];
	assert_int_equal(routers, 8);
	fan_free(fan);
}

static void each_flow_is_a_record_fit_for_the_wire(void **state)
{
	struct diamond diamond = {.width = 4, .silent_hop = true};
	struct obs *obs = malloc(sizeof(*obs)), *back = malloc(sizeof(*back));
	char *line = malloc(WIRE_LINE_MAX);
	bool chosen[FAN_FLOWS];
	struct fan *fan;

	(void)state;
	assert_true(obs && back && line);
	(void)play(&fan, &diamond, 3);
	(void)fan_record_choose(fan, chosen);
	for (unsigned flow = 0; flow < FAN_FLOWS; flow++) {
		const struct obs_trace *trace = &obs->trace;
		int len;

		if (!chosen[flow])
			continue;
		fan_record_fill(obs, (struct moment){INT64_C(1590854700000000)}, "shop",
			&order, fan, flow, NULL, &(struct place){0});
		assert_int_equal(trace->flow, 100 + flow);
		assert_true(trace->reached);
		assert_int_equal(trace->hop_count, FAN_PLAY_LENGTH);
		assert_int_equal(trace->hops[3].answered, 0);
		len = wire_encode(line, WIRE_LINE_MAX, obs);
		assert_true(len > 0);
		assert_int_equal(wire_decode(back, line, (size_t)len, NULL), 0);
		assert_int_equal(back->trace.hop_count, trace->hop_count);
	}
	fan_free(fan);
	free(line);
	free(back);
	free(obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chosen_flows_together_cross_every_router),
		cmocka_unit_test(each_flow_is_a_record_fit_for_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
