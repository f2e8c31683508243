#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blindness.h"

#define START_US INT64_C(1588550400000000)
#define STEP_US (5 * MOMENT_MINUTE_US)
#define STEPS_A_DAY 288

struct world {
	struct vantages *vantages;
	struct blindness blindness;
	struct obs *obs;
	struct moment now;
	bool announced;
	unsigned said, ended;
	struct finding last;
};

static void take(void *arg, const struct finding *finding)
{
	struct world *world = arg;

	if (finding->state == FINDING_ENDED)
		world->ended++;
	else
		world->said++;
	world->last = *finding;
}

static bool is_announced(void *arg, const char *site)
{
	const struct world *world = arg;

	(void)site;
	return world->announced;
}

static void open_world(struct world *world)
{
	*world = (struct world){.now = {START_US}};
	assert_int_equal(vantages_new(&world->vantages), 0);
	world->obs = malloc(sizeof(*world->obs));
	assert_non_null(world->obs);
}

static void close_world(struct world *world)
{
	vantages_free(world->vantages);
	free(world->obs);
}

static void hear(
	struct world *world, const char *probe, const char *site, enum obs_role role)
{
	struct wire_origin origin = {.rx = world->now, .boot = "b"};

	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	obs_init(world->obs, OBS_HELLO, world->now);
	world->obs->hello.role = role;
	world->obs->hello.label_count = 1;
	(void)snprintf(world->obs->hello.labels[0].key,
		sizeof(world->obs->hello.labels[0].key), "site");
	(void)snprintf(world->obs->hello.labels[0].value,
		sizeof(world->obs->hello.labels[0].value), "%s", site);
	(void)vantages_see(world->vantages, &origin, world->obs);
}

/* So many times five minutes in which those of the two gateways and the laptop are heard.
 */
static void pass(
	struct world *world, unsigned steps, bool first, bool second, bool laptop)
{
	const struct blindness_watch watch = {.vantages = world->vantages,
		.severity = SEVERITY_WARN,
		.is_announced = is_announced,
		.emit = take,
		.arg = world};

	for (unsigned i = 0; i < steps; i++) {
		if (first)
			hear(world, "gw-1", "tokyo", OBS_GATEWAY);
		if (second)
			hear(world, "gw-2", "tokyo", OBS_GATEWAY);
		if (laptop)
			hear(world, "laptop", "tokyo", OBS_ENDPOINT);
		hear(world, "gw-o", "osaka", OBS_GATEWAY);
		world->now.us += STEP_US;
		blindness_look(&world->blindness, &watch, world->now);
	}
}

static void a_site_whose_gateways_all_fall_silent_is_blind(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	pass(&world, STEPS_A_DAY + 1, true, true, true);
	assert_int_equal(world.said, 0);
	pass(&world, 1, false, false, true);
	assert_int_equal(world.said, 0);
	pass(&world, 1, false, false, true);
	assert_int_equal(world.said, 1);
	assert_int_equal(world.last.cause, CAUSE_TELEMETRY);
	assert_string_equal(world.last.site, "tokyo");
	assert_string_equal(world.last.service, "");
	assert_int_equal(world.last.since.us, START_US + STEPS_A_DAY * STEP_US);
	pass(&world, 1, true, false, true);
	assert_int_equal(world.ended, 1);
	close_world(&world);
}

static void one_of_two_gateways_silent_is_not(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	pass(&world, STEPS_A_DAY + 1, true, true, true);
	pass(&world, STEPS_A_DAY / 2, false, true, true);
	assert_int_equal(world.said, 0);
	close_world(&world);
}

static void a_late_batch_laptops_that_sleep_and_young_gateways_are_not(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	pass(&world, STEPS_A_DAY / 2, true, true, true);
	pass(&world, 12, false, false, true);
	pass(&world, STEPS_A_DAY, true, true, true);
	pass(&world, 1, false, false, true);
	pass(&world, STEPS_A_DAY / 2, true, true, false);
	assert_int_equal(world.said, 0);
	close_world(&world);
}

static void what_stays_away_for_a_day_is_no_longer_waited_for(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	pass(&world, STEPS_A_DAY + 1, true, true, false);
	pass(&world, STEPS_A_DAY + 1, false, false, false);
	assert_true(world.said > 0);
	assert_int_equal(world.ended, 1);
	close_world(&world);
}

static void announced_silence_is_not_said(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	pass(&world, STEPS_A_DAY + 1, true, true, true);
	world.announced = true;
	pass(&world, 12, false, false, true);
	assert_int_equal(world.said, 0);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_whose_gateways_all_fall_silent_is_blind),
		cmocka_unit_test(one_of_two_gateways_silent_is_not),
		cmocka_unit_test(
			a_late_batch_laptops_that_sleep_and_young_gateways_are_not),
		cmocka_unit_test(what_stays_away_for_a_day_is_no_longer_waited_for),
		cmocka_unit_test(announced_silence_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
