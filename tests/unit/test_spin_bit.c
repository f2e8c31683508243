#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spin_bit.h"

static struct moment at(int64_t ms)
{
	return (struct moment){INT64_C(1590854700000000) + ms * 1000};
}

static void a_turn_that_comes_back_is_a_round_trip(void **state)
{
	struct spin_bit spin = {0};

	(void)state;
	spin_bit_client(&spin, false, at(0));
	assert_true(spin_bit_server(&spin, false, -1, at(20)) < 0);
	spin_bit_client(&spin, true, at(21));
	spin_bit_client(&spin, true, at(25));
	assert_true(spin_bit_server(&spin, false, 20000, at(30)) < 0);
	assert_int_equal(spin_bit_server(&spin, true, 20000, at(45)), 24000);
	assert_true(spin_bit_server(&spin, true, 20000, at(46)) < 0);
	spin_bit_client(&spin, false, at(50));
	assert_int_equal(spin_bit_server(&spin, false, 20000, at(71)), 21000);
}

static void a_bit_that_does_not_spin_tells_nothing(void **state)
{
	struct spin_bit spin = {0};

	(void)state;
	for (int64_t ms = 0; ms < 1000; ms += 10) {
		spin_bit_client(&spin, true, at(ms));
		assert_true(spin_bit_server(&spin, true, 20000, at(ms + 5)) < 0);
	}
}

static void bits_thrown_by_chance_are_silenced(void **state)
{
	struct spin_bit spin = {0};
	uint32_t chance = 12345;
	unsigned samples = 0;

	(void)state;
	for (int64_t ms = 0; ms < 10000; ms++) {
		chance = chance * 1103515245u + 12345u;
		if (chance >> 16 & 1)
			spin_bit_client(&spin, chance >> 17 & 1, at(ms));
		else
			samples += spin_bit_server(
					   &spin, chance >> 17 & 1, 20000, at(ms)) >= 0;
	}
	assert_true(spin.silent);
	assert_true(samples <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_that_comes_back_is_a_round_trip),
		cmocka_unit_test(a_bit_that_does_not_spin_tells_nothing),
		cmocka_unit_test(bits_thrown_by_chance_are_silenced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
