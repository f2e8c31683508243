#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parking.h"
#include "tcp_order.h"

static const struct moment start = {1000000};

static struct moment after_us(int64_t us)
{
	return moment_plus_us(start, us);
}

static struct tcp_order order_from(uint32_t next)
{
	struct tcp_order order;

	tcp_order_init(&order);
	tcp_order_start(&order, next);
	return order;
}

static enum tcp_order_verdict place(struct tcp_order *order, uint32_t seq, uint32_t len,
	int64_t at_us, uint32_t *trim)
{
	return tcp_order_place(order, NULL, seq, len, after_us(at_us), trim);
}

static void each_byte_counts_once(void **state)
{
	struct tcp_order order = order_from(0xfffffff0);
	uint32_t trim;

	(void)state;
	assert_int_equal(place(&order, 0xfffffff0, 20, 0, &trim), TCP_ORDER_NEW);
	assert_int_equal(trim, 0);
	tcp_order_deliver(&order, 20);
	assert_int_equal(order.next, 4);
	assert_int_equal(place(&order, 0xfffffff0, 20, 0, &trim), TCP_ORDER_AGAIN);
	assert_int_equal(place(&order, 0xfffffff8, 20, 0, &trim), TCP_ORDER_NEW);
	assert_int_equal(trim, 12);
	assert_int_equal(place(&order, 5, 20, 0, &trim), TCP_ORDER_AHEAD);
	assert_int_equal(place(&order, 0x70000000, 20, 0, &trim), TCP_ORDER_FAR);
}

static void a_keep_alive_is_no_retransmission(void **state)
{
	struct tcp_order order = order_from(100);
	uint32_t trim;

	(void)state;
	assert_int_equal(place(&order, 99, 1, 0, &trim), TCP_ORDER_PROBE);
	assert_int_equal(place(&order, 99, 0, 0, &trim), TCP_ORDER_PROBE);
	assert_int_equal(place(&order, 98, 2, 0, &trim), TCP_ORDER_AGAIN);
}

static void what_fills_a_hole_soon_was_only_late(void **state)
{
	struct tcp_order order = order_from(100);
	struct tcp_order_hole hole = {0};
	uint32_t trim;

	(void)state;
	assert_false(tcp_order_pass_over(&order, &hole, 50, after_us(0)));
	assert_int_equal(tcp_order_place(&order, &hole, 100, 20, after_us(1000), &trim),
		TCP_ORDER_LATE);
	assert_true(tcp_order_is_hole(&hole));
	assert_int_equal(tcp_order_place(&order, &hole, 120, 30, after_us(4000), &trim),
		TCP_ORDER_AGAIN);
	assert_false(tcp_order_is_hole(&hole));
	assert_false(tcp_order_acknowledge(&order, &hole, 150, after_us(90000)));
}

static void what_was_acknowledged_unseen_is_lost(void **state)
{
	struct tcp_order order = order_from(100);
	struct tcp_order_hole hole = {0};

	(void)state;
	(void)tcp_order_pass_over(&order, &hole, 50, after_us(0));
	assert_false(tcp_order_acknowledge(&order, &hole, 149, after_us(90000)));
	assert_false(tcp_order_acknowledge(&order, &hole, 150, after_us(1000)));
	assert_true(tcp_order_acknowledge(&order, &hole, 150, after_us(90000)));
	assert_false(tcp_order_acknowledge(&order, &hole, 150, after_us(90000)));
}

static void a_hole_is_given_up_after_its_grace(void **state)
{
	struct tcp_order order = order_from(100);

	(void)state;
	assert_false(tcp_order_acknowledge(&order, NULL, 150, after_us(0)));
	assert_int_equal(tcp_order_missing(&order, 150), 50);
	assert_false(tcp_order_gives_up(&order, after_us(4999)));
	assert_true(tcp_order_gives_up(&order, after_us(5000)));
	tcp_order_deliver(&order, 50);
	assert_false(tcp_order_gives_up(&order, after_us(9000)));
	assert_int_equal(tcp_order_missing(&order, 150), 0);
}

static bool park(struct buffer_pool *pool, struct tcp_order *order, uint32_t seq)
{
	static const uint8_t bytes[8000];
	struct parked segment = {.seq = seq, .len = 8000, .captured = 8000};

	return parking_put(pool, order, &segment, bytes);
}

static void the_parked_stand_in_order(void **state)
{
	struct tcp_order order = order_from(100);
	struct buffer_pool *pool;

	(void)state;
	assert_int_equal(buffer_pool_new(&pool, 8), 0);
	assert_true(park(pool, &order, 300));
	assert_true(park(pool, &order, 200));
	assert_true(park(pool, &order, 400));
	assert_true(park(pool, &order, 300)); /* stands there already */
	assert_int_equal(order.parked_count, 3);
	for (uint32_t seq = 200; seq <= 400; seq += 100) {
		assert_int_equal(parking_first(pool, &order)->seq, seq);
		assert_int_equal(parking_first(pool, &order)->len, 8000);
		assert_true(parking_first(pool, &order)->captured < BUFFER_POOL_SIZE);
		parking_drop_first(pool, &order);
	}
	assert_null(parking_first(pool, &order));
	buffer_pool_free(pool);
}

static void parking_stops_at_its_limits(void **state)
{
	struct tcp_order order = order_from(100), other = order_from(100);
	struct buffer_pool *pool;

	(void)state;
	assert_int_equal(buffer_pool_new(&pool, 2 * PARKING_MAX), 0);
	for (uint32_t i = 0; i < PARKING_MAX; i++)
		assert_true(park(pool, &order, 1000 * i));
	assert_false(park(pool, &order, 999000));
	assert_true(park(pool, &other, 1));
	parking_clear(pool, &order);
	assert_int_equal(order.parked_count, 0);
	assert_true(park(pool, &order, 999000));
	buffer_pool_free(pool);
}

static void where_buffers_are_scarce_few_are_parked(void **state)
{
	struct tcp_order order = order_from(100), other = order_from(100);
	struct buffer_pool *pool;

	(void)state;
	assert_int_equal(buffer_pool_new(&pool, 2 * PARKING_FEW + 4), 0);
	for (uint32_t i = 0; i < PARKING_FEW + 3; i++)
		assert_true(park(pool, &order, 1000 * i));
	assert_false(park(pool, &order, 999000));
	for (uint32_t i = 0; i < PARKING_FEW; i++)
		assert_true(park(pool, &other, 1000 * i));
	assert_false(park(pool, &other, 999000));
	assert_int_equal(buffer_pool_refusals(pool), 0);
	buffer_pool_free(pool);
}

static void no_buffer_is_no_place_to_park(void **state)
{
	struct tcp_order order = order_from(100);
	struct buffer_pool *pool;

	(void)state;
	assert_int_equal(buffer_pool_new(&pool, 1), 0);
	assert_true(park(pool, &order, 1));
	assert_false(park(pool, &order, 2));
	assert_int_equal(buffer_pool_refusals(pool), 1);
	buffer_pool_free(pool);
}

static void what_fills_a_hole_and_goes_on_fills_it(void **state)
{
	struct tcp_order order = order_from(100);
	struct tcp_order_hole hole = {0};
	uint32_t trim;

	(void)state;
	(void)tcp_order_pass_over(&order, &hole, 50, after_us(0));
	assert_int_equal(tcp_order_place(&order, &hole, 100, 80, after_us(9000), &trim),
		TCP_ORDER_NEW);
	assert_int_equal(trim, 50);
	assert_false(tcp_order_is_hole(&hole));
	assert_false(tcp_order_acknowledge(&order, &hole, 180, after_us(90000)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_counts_once),
		cmocka_unit_test(a_keep_alive_is_no_retransmission),
		cmocka_unit_test(what_fills_a_hole_soon_was_only_late),
		cmocka_unit_test(what_was_acknowledged_unseen_is_lost),
		cmocka_unit_test(a_hole_is_given_up_after_its_grace),
		cmocka_unit_test(the_parked_stand_in_order),
		cmocka_unit_test(parking_stops_at_its_limits),
		cmocka_unit_test(where_buffers_are_scarce_few_are_parked),
		cmocka_unit_test(no_buffer_is_no_place_to_park),
		cmocka_unit_test(what_fills_a_hole_and_goes_on_fills_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
