#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lean.h"

static struct obs *window(void)
{
	struct obs *obs = malloc(sizeof(*obs));

	assert_non_null(obs);
	obs_init(obs, OBS_TRAFFIC, (struct moment){1});
	return obs;
}

static void what_is_judged_stays(void **state)
{
	struct obs *obs = window();

	(void)state;
	for (unsigned i = 0; i < OBS_SKETCHES; i++)
		(void)sketch_add(&obs->traffic.sketches[i], 1000);
	assert_true(lean_is_wanted(obs));
	lean_strip(obs);
	assert_true(sketch_is_empty(&obs->traffic.sketches[OBS_LAST_BYTE]));
	assert_true(sketch_is_empty(&obs->traffic.sketches[OBS_CLIENT_CONNECT]));
	assert_false(sketch_is_empty(&obs->traffic.sketches[OBS_RESPONSE]));
	assert_false(sketch_is_empty(&obs->traffic.sketches[OBS_CONNECT]));
	assert_false(sketch_is_empty(&obs->traffic.sketches[OBS_RTT]));
	assert_false(lean_is_wanted(obs));
	free(obs);
}

static void what_has_nothing_to_spare_is_left_alone(void **state)
{
	struct obs *obs = window();

	(void)state;
	assert_false(lean_is_wanted(obs));
	obs_init(obs, OBS_CHECK, (struct moment){1});
	assert_false(lean_is_wanted(obs));
	free(obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_judged_stays),
		cmocka_unit_test(what_has_nothing_to_spare_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
