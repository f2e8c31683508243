#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "fragment_table.h"

#define NOW INT64_C(1590854700000000)
#define LEN 3000

struct bench {
	struct fragment_table *table;
	struct ip_packet ip; /* as the latest fragment left it */
	struct moment now;
	uint8_t data[LEN];
};

static void bench_begin(struct bench *bench, unsigned limit)
{
	bench->now.us = NOW;
	for (unsigned i = 0; i < LEN; i++)
		bench->data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(fragment_table_new(&bench->table, limit), 0);
}

static void bench_end(struct bench *bench)
{
	fragment_table_free(bench->table);
}

/* Bytes [from, to) of packet `id`, of which `captured` were captured. */
static int send_cut(
	struct bench *bench, uint32_t id, uint32_t from, uint32_t to, uint32_t captured)
{
	bench->ip = (struct ip_packet){.protocol = 6,
		.whole_id = id,
		.is_fragment = true,
		.more_follow = to < LEN,
		.part_at = (uint16_t)from,
		.payload_len = to - from,
		.payload = cursor_over(bench->data + from, captured)};
	(void)address_parse(&bench->ip.source, "192.0.2.1");
	(void)address_parse(&bench->ip.destination, "198.51.100.1");
	return fragment_table_join(bench->table, &bench->ip, bench->now);
}

static int send(struct bench *bench, uint32_t id, uint32_t from, uint32_t to)
{
	return send_cut(bench, id, from, to, to - from);
}

static void assert_whole(const struct bench *bench)
{
	assert_false(bench->ip.is_fragment);
	assert_int_equal(bench->ip.protocol, 6);
	assert_int_equal(bench->ip.payload_len, LEN);
	assert_int_equal(cursor_left(&bench->ip.payload), LEN);
	assert_memory_equal(bench->ip.payload.at, bench->data, LEN);
}

static void parts_become_whole_in_any_order(void **state)
{
	static const unsigned orders[6][3] = {
		{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const uint32_t ends[4] = {0, 1480, 2960, LEN};
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	for (unsigned i = 0; i < 6; i++)
		for (unsigned k = 0; k < 3; k++) {
			unsigned part = orders[i][k];

			assert_int_equal(send(&bench, i, ends[part], ends[part + 1]),
				k < 2 ? STATUS_LATER : 0);
			if (k == 2)
				assert_whole(&bench);
		}
	assert_int_equal(fragment_table_counts(bench.table)->joined, 6);
	assert_int_equal(fragment_table_counts(bench.table)->fragments, 18);
	assert_int_equal(fragment_table_counts(bench.table)->incomplete, 0);
	bench_end(&bench);
}

static void copies_are_passed_over(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	assert_int_equal(send(&bench, 1, 0, 1480), STATUS_LATER);
	assert_int_equal(send(&bench, 1, 0, 1480), STATUS_LATER);
	assert_int_equal(send(&bench, 1, 1480, LEN), 0);
	assert_whole(&bench);
	assert_int_equal(send(&bench, 1, 1480, LEN), STATUS_LATER);
	assert_int_equal(fragment_table_counts(bench.table)->joined, 1);
	assert_int_equal(fragment_table_counts(bench.table)->overlapping, 0);
	bench_end(&bench);
}

static void a_number_may_come_again(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	(void)send(&bench, 1, 0, 1480);
	assert_int_equal(send(&bench, 1, 1480, LEN), 0);
	for (unsigned i = 0; i < LEN; i++)
		bench.data[i] ^= 0xff;
	assert_int_equal(send(&bench, 1, 0, 1480), STATUS_LATER);
	assert_int_equal(send(&bench, 1, 1480, LEN), 0);
	assert_whole(&bench);
	bench_end(&bench);
}

static void overlapping_parts_spoil_their_packet(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	assert_int_equal(send(&bench, 1, 0, 1480), STATUS_LATER);
	assert_int_equal(send(&bench, 1, 1472, LEN), STATUS_SYNTAX);
	assert_int_equal(send(&bench, 1, 1480, LEN), STATUS_SYNTAX);
	/* The same place with other bytes. */
	assert_int_equal(send(&bench, 2, 0, 1480), STATUS_LATER);
	bench.data[100] ^= 1;
	assert_int_equal(send(&bench, 2, 0, 1480), STATUS_SYNTAX);
	assert_int_equal(fragment_table_counts(bench.table)->overlapping, 2);
	assert_int_equal(fragment_table_counts(bench.table)->joined, 0);
	bench_end(&bench);
}

static void contradicting_lengths_spoil_their_packet(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	assert_int_equal(send(&bench, 1, 1480, LEN), STATUS_LATER);
	bench.ip.more_follow = true; /* behind the end */
	bench.ip.part_at = LEN + 8 - LEN % 8;
	bench.ip.payload = cursor_over(bench.data, 8);
	bench.ip.payload_len = 8;
	assert_int_equal(
		fragment_table_join(bench.table, &bench.ip, bench.now), STATUS_SYNTAX);
	bench_end(&bench);
}

static void senseless_parts_are_refused(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	assert_int_equal(send(&bench, 1, 0, 1477), STATUS_SYNTAX); /* not of eights */
	assert_int_equal(send(&bench, 1, 8, 8), STATUS_SYNTAX);    /* nothing */
	bench.ip.part_at = 65528; /* larger than any packet */
	bench.ip.payload = cursor_over(bench.data, 16);
	bench.ip.payload_len = 16;
	assert_int_equal(
		fragment_table_join(bench.table, &bench.ip, bench.now), STATUS_SYNTAX);
	bench_end(&bench);
}

static void the_longest_untouched_gives_way(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	(void)send(&bench, 1, 0, 1480);
	(void)send(&bench, 2, 0, 1480);
	(void)send(&bench, 1, 0, 1480);
	(void)send(&bench, 3, 0, 1480); /* in the place of the second */
	assert_int_equal(fragment_table_counts(bench.table)->incomplete, 1);
	assert_int_equal(send(&bench, 1, 1480, LEN), 0);
	assert_int_equal(send(&bench, 2, 1480, LEN), STATUS_LATER);
	bench_end(&bench);
}

static void late_parts_belong_to_another_packet(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	(void)send(&bench, 1, 0, 1480);
	bench.now = moment_plus_us(bench.now, 31 * MOMENT_SECOND_US);
	assert_int_equal(send(&bench, 1, 1480, LEN), STATUS_LATER);
	assert_int_equal(fragment_table_counts(bench.table)->incomplete, 1);
	bench_end(&bench);
}

static void what_was_cut_off_stays_cut(void **state)
{
	struct bench bench = {0};

	(void)state;
	bench_begin(&bench, 2);
	assert_int_equal(send_cut(&bench, 1, 1480, LEN, 60), STATUS_LATER);
	assert_int_equal(send_cut(&bench, 1, 0, 1480, 1480), 0);
	assert_int_equal(bench.ip.payload_len, LEN);
	assert_int_equal(cursor_left(&bench.ip.payload), 1540);
	assert_int_equal(send_cut(&bench, 2, 0, 1480, 60), STATUS_LATER);
	assert_int_equal(send_cut(&bench, 2, 1480, LEN, 60), 0);
	assert_int_equal(cursor_left(&bench.ip.payload), 60);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_become_whole_in_any_order),
		cmocka_unit_test(copies_are_passed_over),
		cmocka_unit_test(a_number_may_come_again),
		cmocka_unit_test(overlapping_parts_spoil_their_packet),
		cmocka_unit_test(contradicting_lengths_spoil_their_packet),
		cmocka_unit_test(senseless_parts_are_refused),
		cmocka_unit_test(the_longest_untouched_gives_way),
		cmocka_unit_test(late_parts_belong_to_another_packet),
		cmocka_unit_test(what_was_cut_off_stays_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
