#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "round_table.h"

/* Three hops and the destination; how many of three probes each answers. */
static void add_round(struct round_table *table, const int64_t answered[static 4])
{
	struct obs_trace *trace = calloc(1, sizeof(*trace));

	assert_non_null(trace);
	trace->reached = answered[3] > 0;
	for (unsigned i = 0; i < 4; i++) {
		trace->hops[i] = (struct obs_hop){.ttl = i + 1,
			.sent = 3,
			.answered = answered[i],
			.rtt_us = answered[i] ? 1000 * (i + 1) : OBS_ABSENT};
		if (answered[i])
			trace->hops[i].address = (struct address){
				.family = 4, .bytes = {192, 0, 2, (uint8_t)(i + 1)}};
	}
	trace->hop_count = 4;
	round_table_add(table, trace);
	free(trace);
}

static enum round_verdict verdict_of(const int64_t answered[static 4], unsigned row)
{
	struct round_table table = {0};

	for (unsigned i = 0; i < 5; i++)
		add_round(&table, answered);
	assert_int_equal(table.count, 4);
	return round_table_judge(&table, &table.rows[row]);
}

static void only_what_the_destination_misses_too_is_loss(void **state)
{
	(void)state;
	assert_int_equal(verdict_of((int64_t[]){3, 3, 3, 3}, 1), ROUND_FINE);
	assert_int_equal(verdict_of((int64_t[]){3, 0, 3, 3}, 1), ROUND_SILENT);
	assert_int_equal(verdict_of((int64_t[]){3, 1, 3, 3}, 1), ROUND_LIMITED);
	assert_int_equal(verdict_of((int64_t[]){3, 1, 3, 2}, 1), ROUND_LIMITED);
	assert_int_equal(verdict_of((int64_t[]){3, 2, 2, 2}, 1), ROUND_LOSS);
	assert_int_equal(verdict_of((int64_t[]){3, 2, 2, 2}, 0), ROUND_FINE);
	assert_int_equal(verdict_of((int64_t[]){3, 2, 2, 0}, 1), ROUND_LIMITED);
}

static void a_silent_hop_that_answers_later_is_one_row(void **state)
{
	struct round_table table = {0};

	(void)state;
	add_round(&table, (int64_t[]){3, 0, 3, 3});
	add_round(&table, (int64_t[]){3, 2, 3, 3});
	add_round(&table, (int64_t[]){3, 0, 3, 3});
	assert_int_equal(table.count, 4);
	assert_int_equal(table.rows[1].address.bytes[3], 2);
	assert_int_equal(table.rows[1].answered, 2);
	assert_int_equal(table.sent[2], 9);
}

static void rows_are_bounded(void **state)
{
	struct round_table table = {0};
	struct obs_trace *trace = calloc(1, sizeof(*trace));

	(void)state;
	assert_non_null(trace);
	for (unsigned i = 0; i < 300; i++) {
		trace->hop_count = 1;
		trace->hops[0] = (struct obs_hop){.ttl = 1, .sent = 1, .answered = 1};
		trace->hops[0].address = (struct address){.family = 4,
			.bytes = {192, 0, (uint8_t)(i / 250), (uint8_t)(i % 250)}};
		round_table_add(&table, trace);
	}
	assert_int_equal(table.count, ROUND_TABLE_ROWS);
	assert_int_equal(table.dropped, 300 - ROUND_TABLE_ROWS);
	free(trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_destination_misses_too_is_loss),
		cmocka_unit_test(a_silent_hop_that_answers_later_is_one_row),
		cmocka_unit_test(rows_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
