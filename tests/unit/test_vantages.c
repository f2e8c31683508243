#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vantages.h"

#define NOW_US INT64_C(1590851100000000)

struct crowd {
	struct vantages *vantages;
	struct obs *obs;
	struct moment now;
};

static struct crowd gather(void)
{
	struct crowd crowd = {.obs = calloc(1, sizeof(struct obs)), .now = {NOW_US}};
	assert_int_equal(vantages_new(&crowd.vantages), 0);
	return crowd;
}

static void leave(struct crowd *crowd)
{
	vantages_free(crowd->vantages);
	free(crowd->obs);
}

static struct vantage *see(struct crowd *crowd, const char *probe)
{
	struct wire_origin origin = {.rx = crowd->now};
	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	return vantages_see(crowd->vantages, &origin, crowd->obs);
}

static struct vantage *hello(struct crowd *crowd, const char *probe, enum obs_role role,
	const char *country, uint32_t asn)
{
	obs_init(crowd->obs, OBS_HELLO, crowd->now);
	crowd->obs->hello.role = role;
	crowd->obs->hello.label_count = 1;
	memcpy(crowd->obs->hello.labels[0].key, "site", 5);
	memcpy(crowd->obs->hello.labels[0].value, "tokyo", 6);
	crowd->obs->hello.networked = true;
	crowd->obs->hello.network_asn = asn;
	memcpy(crowd->obs->hello.network_country, country, 3);
	return see(crowd, probe);
}

static struct vantage *health(struct crowd *crowd, const char *probe, int64_t clock_us)
{
	obs_init(crowd->obs, OBS_HEALTH, moment_plus_us(crowd->now, clock_us));
	return see(crowd, probe);
}

static void a_traveller_roams_and_a_home_office_is_away(void **state)
{
	struct crowd crowd = gather();

	(void)state;
	(void)hello(&crowd, "gw", OBS_GATEWAY, "JP", 64496);
	assert_false(hello(&crowd, "laptop", OBS_ENDPOINT, "JP", 64496)->roaming);
	assert_true(hello(&crowd, "laptop", OBS_ENDPOINT, "NL", 64999)->roaming);
	assert_false(hello(&crowd, "laptop", OBS_ENDPOINT, "JP", 64777)->roaming);
	assert_true(hello(&crowd, "laptop", OBS_ENDPOINT, "JP", 64777)->away);
	assert_string_equal(vantages_site_country(crowd.vantages, 1), "JP");
	leave(&crowd);
}

static void who_has_not_said_hello_is_an_endpoint_of_the_default_site(void **state)
{
	struct crowd crowd = gather();
	const struct vantage *vantage = health(&crowd, "quiet", 0);

	(void)state;
	assert_false(vantage->introduced);
	assert_string_equal(vantages_site_name(crowd.vantages, vantage->site), "default");
	leave(&crowd);
}

static void a_clock_that_is_ahead_is_set_right(void **state)
{
	struct crowd crowd = gather();
	struct wire_origin origin;
	const struct vantage *vantage = NULL;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		crowd.now.us += MOMENT_MINUTE_US;
		vantage = health(&crowd, "fast", 10 * MOMENT_MINUTE_US);
	}
	origin = (struct wire_origin){.rx = crowd.now};
	assert_int_equal(vantages_moment(vantage, &origin, crowd.obs).us, crowd.now.us);
	leave(&crowd);
}

static void seconds_of_delay_are_transport(void **state)
{
	struct crowd crowd = gather();
	struct wire_origin origin;
	const struct vantage *vantage = NULL;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		crowd.now.us += MOMENT_MINUTE_US;
		vantage = health(&crowd, "fine", -5 * MOMENT_SECOND_US);
	}
	origin = (struct wire_origin){.rx = crowd.now};
	assert_int_equal(vantages_moment(vantage, &origin, crowd.obs).us,
		crowd.now.us - 5 * MOMENT_SECOND_US);
	leave(&crowd);
}

static void hours_off_only_the_arrival_counts(void **state)
{
	struct crowd crowd = gather();
	struct wire_origin origin;
	const struct vantage *vantage = NULL;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		crowd.now.us += MOMENT_MINUTE_US;
		vantage = health(&crowd, "lost", -9 * MOMENT_HOUR_US);
	}
	origin = (struct wire_origin){.rx = crowd.now};
	assert_true(vantage->clock_lost);
	assert_int_equal(vantages_moment(vantage, &origin, crowd.obs).us, crowd.now.us);
	leave(&crowd);
}

static void more_probes_than_there_is_room_for_are_counted(void **state)
{
	struct crowd crowd = gather();
	char probe[OBS_WORD];

	(void)state;
	for (unsigned i = 0; i <= VANTAGES_MAX; i++) {
		(void)snprintf(probe, sizeof(probe), "probe-%u", i);
		if (i < VANTAGES_MAX)
			assert_non_null(health(&crowd, probe, 0));
		else
			assert_null(health(&crowd, probe, 0));
	}
	assert_int_equal(vantages_refused(crowd.vantages), 1);
	assert_string_equal(health(&crowd, "probe-77", 0)->probe, "probe-77");
	leave(&crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traveller_roams_and_a_home_office_is_away),
		cmocka_unit_test(
			who_has_not_said_hello_is_an_endpoint_of_the_default_site),
		cmocka_unit_test(a_clock_that_is_ahead_is_set_right),
		cmocka_unit_test(seconds_of_delay_are_transport),
		cmocka_unit_test(hours_off_only_the_arrival_counts),
		cmocka_unit_test(more_probes_than_there_is_room_for_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
