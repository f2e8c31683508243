#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "light.h"

#define TOKYO 35.68, 139.69
#define AMSTERDAM 52.37, 4.90

static struct place place_at(double latitude, double longitude)
{
	return (struct place){
		.located = true, .latitude = latitude, .longitude = longitude};
}

static void tokyo_to_amsterdam_takes_93_ms(void **state)
{
	(void)state;
	assert_in_range((uint64_t)light_distance_km(TOKYO, AMSTERDAM), 9250, 9330);
	assert_in_range((uint64_t)light_least_rtt_us(TOKYO, AMSTERDAM), 92500, 93300);
}

static void a_place_is_no_way_from_itself(void **state)
{
	(void)state;
	assert_int_equal(light_least_rtt_us(TOKYO, TOKYO), 0);
}

static void the_other_side_of_the_world_is_half_its_girth_away(void **state)
{
	(void)state;
	assert_in_range((uint64_t)light_distance_km(90, 0, -90, 0), 20000, 20030);
	assert_in_range((uint64_t)light_distance_km(0, -90, 0, 90), 20000, 20030);
}

static void an_answer_before_light_could_return_makes_a_place_impossible(void **state)
{
	struct place here = place_at(TOKYO), there = place_at(AMSTERDAM);

	(void)state;
	assert_int_equal(light_verdict(&here, &there, 800), PLACE_IMPOSSIBLE);
	assert_int_equal(light_verdict(&here, &there, 92000), PLACE_IMPOSSIBLE);
	assert_int_equal(light_verdict(&here, &there, 95000), PLACE_POSSIBLE);
	assert_int_equal(light_verdict(&here, &there, 240000), PLACE_POSSIBLE);
}

static void a_city_has_half_a_millisecond_of_room(void **state)
{
	struct place here = place_at(TOKYO), suburb = place_at(35.7, 139.4);

	(void)state;
	assert_int_equal(light_verdict(&here, &suburb, 0), PLACE_POSSIBLE);
}

static void without_coordinates_or_a_time_nothing_is_judged(void **state)
{
	struct place here = place_at(TOKYO), there = place_at(AMSTERDAM);
	struct place nowhere = {0};

	(void)state;
	assert_int_equal(light_verdict(&nowhere, &there, 800), PLACE_UNKNOWN);
	assert_int_equal(light_verdict(&here, &nowhere, 800), PLACE_UNKNOWN);
	assert_int_equal(light_verdict(NULL, &there, 800), PLACE_UNKNOWN);
	assert_int_equal(light_verdict(&here, &there, -1), PLACE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokyo_to_amsterdam_takes_93_ms),
		cmocka_unit_test(a_place_is_no_way_from_itself),
		cmocka_unit_test(the_other_side_of_the_world_is_half_its_girth_away),
		cmocka_unit_test(
			an_answer_before_light_could_return_makes_a_place_impossible),
		cmocka_unit_test(a_city_has_half_a_millisecond_of_room),
		cmocka_unit_test(without_coordinates_or_a_time_nothing_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
