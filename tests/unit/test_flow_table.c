#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flow_table.h"
#include "traffic_sum.h"

static struct flow_key key_of(uint16_t port)
{
	struct flow_key key = {.low_port = port, .high_port = 443};

	key.low.family = key.high.family = 4;
	return key;
}

static struct flow *add(struct flow_table *table, uint16_t port, enum flow_list list)
{
	struct flow_key key = key_of(port);

	return flow_table_add(table, &key, list, (struct moment){port});
}

static void flows_are_found_by_their_ends(void **state)
{
	struct flow_table *table;
	struct flow *flows[1000];

	(void)state;
	assert_int_equal(flow_table_new(&table, 1000, 7), 0);
	for (uint16_t i = 0; i < 1000; i++)
		assert_non_null(flows[i] = add(table, i, FLOW_OPEN));
	assert_null(add(table, 1000, FLOW_OPEN));
	for (uint16_t i = 0; i < 1000; i += 2)
		flow_table_remove(table, flows[i]);
	for (uint16_t i = 0; i < 1000; i++) {
		struct flow_key key = key_of(i);

		assert_ptr_equal(flow_table_find(table, &key), i % 2 ? flows[i] : NULL);
	}
	assert_int_equal(flow_table_count(table, FLOW_OPEN), 500);
	flow_table_free(table);
}

static void who_gives_way_is_fair(void **state)
{
	struct flow_table *table;
	struct flow *first, *closed;

	(void)state;
	assert_int_equal(flow_table_new(&table, 8, 7), 0);
	first = add(table, 1, FLOW_OPEN);
	assert_null(flow_table_victim(table));
	add(table, 2, FLOW_HALF_OPEN);
	add(table, 3, FLOW_HALF_OPEN);
	assert_null(flow_table_victim(table));
	add(table, 4, FLOW_HALF_OPEN); /* more than a quarter */
	assert_int_equal(flow_table_victim(table)->key.low_port, 2);
	flow_table_remove(table, flow_table_victim(table));
	for (uint16_t i = 5; i < 10; i++)
		add(table, i, FLOW_OPEN);
	assert_ptr_equal(flow_table_victim(table), first);
	flow_table_move(table, first, FLOW_OPEN, (struct moment){99});
	assert_int_equal(flow_table_victim(table)->key.low_port, 5);
	closed = flow_table_oldest(table, FLOW_OPEN);
	flow_table_move(table, first, FLOW_CLOSED, (struct moment){99});
	assert_ptr_equal(flow_table_victim(table), first);
	assert_ptr_equal(flow_table_oldest(table, FLOW_OPEN), closed);
	flow_table_free(table);
}

static void who_never_got_an_answer_gives_way_first(void **state)
{
	struct flow_table *table;

	(void)state;
	assert_int_equal(flow_table_new(&table, 8, 7), 0);
	for (uint16_t i = 1; i <= 5; i++)
		add(table, i, FLOW_OPEN);
	for (uint16_t i = 6; i <= 8; i++)
		add(table, i, FLOW_YOUNG);
	for (uint16_t i = 9; i < 100; i++) {
		assert_int_equal(flow_table_victim(table)->list, FLOW_YOUNG);
		flow_table_remove(table, flow_table_victim(table));
		add(table, i, FLOW_YOUNG);
	}
	assert_int_equal(flow_table_count(table, FLOW_OPEN), 5);
	flow_table_free(table);
}

static void windows_of_a_service_are_added_up(void **state)
{
	struct traffic_sum *sum;
	struct obs *obs = calloc(1, sizeof(*obs));
	const struct obs_traffic *row;

	(void)state;
	assert_int_equal(traffic_sum_new(&sum, 2), 0);
	for (unsigned i = 0; i < 3; i++) {
		obs_init(obs, OBS_TRAFFIC, (struct moment){1});
		(void)strcpy(obs->traffic.service, i == 1 ? "busy" : "calm");
		obs->traffic.requests = i == 1 ? 100 : 7;
		obs->traffic.responses = 5;
		obs->traffic.window_us = 10;
		obs->traffic.peer_count = 1;
		obs->traffic.peers[0] = (struct obs_peer){{.family = 4}, 7};
		sketch_add(&obs->traffic.sketches[OBS_RESPONSE], 1000 + i);
		assert_true(traffic_sum_add(sum, &obs->traffic));
	}
	(void)strcpy(obs->traffic.service, "one too many");
	assert_false(traffic_sum_add(sum, &obs->traffic));
	assert_int_equal(traffic_sum_count(sum), 2);
	assert_string_equal(traffic_sum_at(sum, 0)->service, "busy");
	row = traffic_sum_at(sum, 1);
	assert_int_equal(row->requests, 14);
	assert_int_equal(row->window_us, 20);
	assert_int_equal(row->peers[0].requests, 14);
	assert_int_equal(row->sketches[OBS_RESPONSE].total, 2);
	traffic_sum_free(sum);
	free(obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_found_by_their_ends),
		cmocka_unit_test(who_gives_way_is_fair),
		cmocka_unit_test(who_never_got_an_answer_gives_way_first),
		cmocka_unit_test(windows_of_a_service_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
