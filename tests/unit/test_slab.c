#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slab.h"

#define CELLS 5
#define CELL_BYTES 24

static void each_taker_has_a_cell_of_its_own(void **state)
{
	struct slab *slab;
	uint32_t numbers[CELLS];

	(void)state;
	assert_int_equal(slab_new(&slab, CELLS, CELL_BYTES), 0);
	for (unsigned i = 0; i < CELLS; i++) {
		numbers[i] = slab_take(slab);
		assert_int_not_equal(numbers[i], SLAB_NONE);
		memset(slab_cell(slab, numbers[i]), (int)i, CELL_BYTES);
	}
	for (unsigned i = 0; i < CELLS; i++)
		for (unsigned at = 0; at < CELL_BYTES; at++)
			assert_int_equal(((uint8_t *)slab_cell(slab, numbers[i]))[at], i);
	slab_free(slab);
}

static void who_finds_none_is_counted_and_goes_without(void **state)
{
	struct slab *slab;

	(void)state;
	assert_int_equal(slab_new(&slab, 1, CELL_BYTES), 0);
	assert_int_not_equal(slab_take(slab), SLAB_NONE);
	assert_int_equal(slab_refusals(slab), 0);
	assert_int_equal(slab_take(slab), SLAB_NONE);
	assert_int_equal(slab_take(slab), SLAB_NONE);
	assert_int_equal(slab_refusals(slab), 2);
	slab_free(slab);
}

static void what_is_given_back_is_taken_before_what_was_never_touched(void **state)
{
	struct slab *slab;
	uint32_t first, second;

	(void)state;
	assert_int_equal(slab_new(&slab, CELLS, CELL_BYTES), 0);
	first = slab_take(slab);
	second = slab_take(slab);
	slab_give(slab, first);
	slab_give(slab, second);
	slab_give(slab, SLAB_NONE);
	assert_int_equal(slab_take(slab), second);
	assert_int_equal(slab_take(slab), first);
	for (unsigned i = 2; i < CELLS; i++)
		assert_int_not_equal(slab_take(slab), SLAB_NONE);
	assert_int_equal(slab_take(slab), SLAB_NONE);
	slab_free(slab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_taker_has_a_cell_of_its_own),
		cmocka_unit_test(who_finds_none_is_counted_and_goes_without),
		cmocka_unit_test(
			what_is_given_back_is_taken_before_what_was_never_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
