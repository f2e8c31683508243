#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "astray/now.h"

static void the_wall_clock_is_the_systems(void **state)
{
	int64_t before_s = time(NULL) - 1;
	struct moment now = now_moment();

	(void)state;
	assert_true(now.us >= before_s * MOMENT_SECOND_US);
	assert_true(now.us <= (time(NULL) + 2) * MOMENT_SECOND_US);
}

static void ticks_never_go_back(void **state)
{
	struct tick last = now_tick();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct tick next = now_tick();

		assert_true(tick_since_us(next, last) >= 0);
		last = next;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wall_clock_is_the_systems),
		cmocka_unit_test(ticks_never_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
