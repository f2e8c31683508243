#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "flight_table.h"
#include "probe_replies.h"

#define FLIGHTS 500

static struct flight *add(struct flight_table *table, unsigned number)
{
	struct trace_order order = {.protocol = OBS_TCP,
		.port = 443,
		.flow = (uint16_t)(number % 3),
		.max_ttl = 30,
		.queries = 1};
	uint8_t bytes[4] = {203, 0, 113, (uint8_t)(number / 3)};
	struct probe_flow flow = {.protocol = OBS_TCP,
		.from_port = (uint16_t)(61000 + number % 3),
		.to_port = 443,
		.cookie = (uint16_t)number};
	struct flight *flight;

	order.peer = flow.to = address_v4(bytes);
	flight = flight_new(&order, &flow, 1, false);
	assert_non_null(flight);
	flight_table_add(table, flight);
	return flight;
}

static struct reply_packet reply_for(const struct probe_flow *flow)
{
	return (struct reply_packet){.to = flow->to,
		.protocol = flow->protocol,
		.from_port = flow->from_port,
		.to_port = flow->to_port,
		.cookie = flow->cookie,
		.id = 1};
}

static void each_flight_is_found_by_its_flow_and_its_replies(void **state)
{
	struct flight *flights[FLIGHTS];
	struct flight_table *table;

	(void)state;
	assert_int_equal(flight_table_new(&table, 64), 0);
	for (unsigned i = 0; i < FLIGHTS; i++)
		flights[i] = add(table, i);
	for (unsigned i = 0; i < FLIGHTS; i++) {
		struct reply_packet reply = reply_for(&flights[i]->flow);

		assert_ptr_equal(
			flight_table_find(table, &flights[i]->order), flights[i]);
		assert_ptr_equal(flight_table_match(table, &reply, true), flights[i]);
		reply.cookie ^= 1;
		assert_null(flight_table_match(table, &reply, true));
	}
	flight_table_free(table);
}

static void what_was_removed_is_found_no_more(void **state)
{
	struct flight *flights[FLIGHTS];
	struct flight_table *table;
	unsigned left = 0;

	(void)state;
	assert_int_equal(flight_table_new(&table, 64), 0);
	for (unsigned i = 0; i < FLIGHTS; i++)
		flights[i] = add(table, i);
	for (unsigned i = 0; i < FLIGHTS; i += 2) {
		struct trace_order order = flights[i]->order;

		flight_table_remove(table, flights[i]);
		flight_free(flights[i]);
		assert_null(flight_table_find(table, &order));
	}
	for (struct flight *at = flight_table_first(table); at; at = at->next)
		left++;
	assert_int_equal(left, FLIGHTS / 2);
	assert_ptr_equal(flight_table_find(table, &flights[FLIGHTS - 1]->order),
		flights[FLIGHTS - 1]);
	flight_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flight_is_found_by_its_flow_and_its_replies),
		cmocka_unit_test(what_was_removed_is_found_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
