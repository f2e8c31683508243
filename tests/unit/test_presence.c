#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "presence.h"
#include "vantages.h"

#define MONDAY_US INT64_C(1588550400000000) /* 2020-05-04 */
#define STEP_US (5 * MOMENT_MINUTE_US)
#define STAFF 20

struct office {
	struct vantages *vantages;
	struct presence *presence;
	struct obs *obs;
	struct moment now;
};

static void hear(struct office *office, const char *probe, enum obs_role role)
{
	struct wire_origin origin = {.rx = office->now, .boot = "b"};

	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	obs_init(office->obs, OBS_HELLO, office->now);
	office->obs->hello.role = role;
	(void)vantages_see(office->vantages, &origin, office->obs);
	presence_hear(office->presence, office->now);
}

static struct office new_office(void)
{
	struct office office = {.now = {MONDAY_US}};

	assert_int_equal(vantages_new(&office.vantages), 0);
	assert_int_equal(presence_new(&office.presence), 0);
	office.obs = malloc(sizeof(*office.obs));
	assert_non_null(office.obs);
	return office;
}

static void close_office(struct office *office)
{
	vantages_free(office->vantages);
	presence_free(office->presence);
	free(office->obs);
}

/* Five minutes in which the gateway and so many of the staff are heard. */
static void pass(struct office *office, unsigned on)
{
	char name[32];

	hear(office, "gw", OBS_GATEWAY);
	for (unsigned i = 0; i < on; i++) {
		(void)snprintf(name, sizeof(name), "laptop-%u", i);
		hear(office, name, OBS_ENDPOINT);
	}
	office->now = moment_plus_us(office->now, STEP_US);
	presence_look(office->presence, office->vantages, office->now);
}

static unsigned usual_at(struct moment at)
{
	int64_t minute = at.us / MOMENT_MINUTE_US % (24 * 60);
	int64_t day = (at.us - MONDAY_US) / MOMENT_DAY_US % 7;

	return day < 5 && minute >= 9 * 60 && minute < 18 * 60 ? STAFF : 0;
}

/* Two ordinary weeks, then the third Monday up to eleven. */
static struct office known_office(void)
{
	struct office office = new_office();

	while (office.now.us < MONDAY_US + 14 * MOMENT_DAY_US + 11 * MOMENT_HOUR_US)
		pass(&office, usual_at(office.now));
	return office;
}

static void usual_days_are_whole(void **state)
{
	struct office office = new_office();

	(void)state;
	while (office.now.us < MONDAY_US + 16 * MOMENT_DAY_US) {
		pass(&office, usual_at(office.now));
		assert_true(presence_share(office.presence, 0) >= .99);
	}
	assert_true(presence_share(NULL, 0) >= .99);
	close_office(&office);
}

static void a_closed_office_is_seen_within_half_an_hour(void **state)
{
	struct office office = known_office();

	(void)state;
	for (int i = 0; i < 6; i++)
		pass(&office, 2);
	assert_true(presence_share(office.presence, 0) < .1);
	close_office(&office);
}

static void a_few_people_less_are_chance(void **state)
{
	struct office office = known_office();

	(void)state;
	for (int i = 0; i < 6; i++)
		pass(&office, STAFF - 4);
	assert_true(presence_share(office.presence, 0) >= .99);
	close_office(&office);
}

static void a_site_of_which_nothing_is_heard_is_not_known(void **state)
{
	struct office office = known_office();

	(void)state;
	for (int i = 0; i < 6; i++) {
		office.now = moment_plus_us(office.now, STEP_US);
		presence_look(office.presence, office.vantages, office.now);
	}
	assert_true(presence_share(office.presence, 0) >= .99);
	close_office(&office);
}

static void after_an_hour_of_silence_nobody_is_counted(void **state)
{
	struct office office = known_office();

	(void)state;
	assert_int_equal(
		presence_due(office.presence, office.now).us, office.now.us + STEP_US);
	for (int i = 0; i < 12; i++) {
		office.now = moment_plus_us(office.now, STEP_US);
		presence_look(office.presence, office.vantages, office.now);
	}
	assert_int_equal(presence_due(office.presence, office.now).us, 0);
	close_office(&office);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_days_are_whole),
		cmocka_unit_test(a_closed_office_is_seen_within_half_an_hour),
		cmocka_unit_test(a_few_people_less_are_chance),
		cmocka_unit_test(a_site_of_which_nothing_is_heard_is_not_known),
		cmocka_unit_test(after_an_hour_of_silence_nobody_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
