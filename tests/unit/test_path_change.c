#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "path_change.h"

/* A trace whose hops are named by one letter each: '*' is silent. */
static struct obs_trace *make(const char *hops)
{
	struct obs_trace *trace = calloc(1, sizeof(*trace));

	assert_non_null(trace);
	trace->peer = (struct address){.family = 4, .bytes = {203, 0, 113, 9}};
	trace->reached = true;
	for (; hops[trace->hop_count]; trace->hop_count++) {
		struct obs_hop *hop = &trace->hops[trace->hop_count];

		*hop = (struct obs_hop){.ttl = trace->hop_count + 1, .sent = 1};
		hop->answered = hops[trace->hop_count] != '*';
		hop->rtt_us = 1000 * hop->ttl;
		hop->address = (struct address){.family = 4,
			.bytes = {192, 0, 2, (uint8_t)hops[trace->hop_count]}};
	}
	return trace;
}

static unsigned changes(const char *before, const char *now)
{
	struct obs_trace *a = make(before), *b = make(now);
	FILE *out = fopen("/dev/null", "w");
	unsigned count;

	assert_non_null(out);
	count = path_change_print(out, a, b);
	(void)fclose(out);
	free(a);
	free(b);
	return count;
}

static void the_same_way_is_no_change(void **state)
{
	(void)state;
	assert_int_equal(changes("abcd", "abcd"), 0);
}

static void silence_is_no_change(void **state)
{
	(void)state;
	assert_int_equal(changes("abcd", "a**d"), 0);
	assert_int_equal(changes("a**d", "abcd"), 0);
}

static void another_router_and_another_length_are_changes(void **state)
{
	(void)state;
	assert_int_equal(changes("abcd", "abxd"), 1);
	assert_int_equal(changes("abcd", "axyd"), 2);
	assert_int_equal(changes("abd", "abde"), 1);
}

static void a_longer_round_trip_is_a_change(void **state)
{
	struct obs_trace *a = make("ab"), *b = make("ab");
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(out);
	b->hops[1].rtt_us = 3000;
	assert_int_equal(path_change_print(out, a, b), 0);
	b->hops[1].rtt_us = 9000;
	assert_int_equal(path_change_print(out, a, b), 1);
	b->reached = false;
	assert_int_equal(path_change_print(out, a, b), 1);
	b->flow = 2;
	assert_false(path_change_comparable(a, b));
	(void)fclose(out);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_way_is_no_change),
		cmocka_unit_test(silence_is_no_change),
		cmocka_unit_test(another_router_and_another_length_are_changes),
		cmocka_unit_test(a_longer_round_trip_is_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
