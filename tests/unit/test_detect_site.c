#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define HEARING_SERVICES 12
#include "detect_site.h"
#include "hearing.h"

static const char *const gateways[] = {"tyo-gw-1", "osa-gw-1", "ngo-gw-1"};
static const char *const sites[] = {"tokyo", "osaka", "nagoya"};
#define SITES 3

/* Of the first so many services half fails there. */
static void pass(struct hearing *hearing, const unsigned failing[static SITES])
{
	for (unsigned site = 0; site < SITES; site++)
		for (unsigned i = 0; i < HEARING_SERVICES; i++) {
			hearing->service_number = i;
			obs_init(hearing->obs, OBS_TRAFFIC, hearing->now);
			hearing->obs->traffic.window_us = DETECTOR_SLOW_US;
			hearing->obs->traffic.requests = 100;
			hearing->obs->traffic.responses = 100;
			hearing->obs->traffic.errors = i < failing[site] ? 50 : 0;
			hearing_traffic(hearing, gateways[site], DETECTOR_SLOW);
		}
	for (unsigned i = 0; i < HEARING_SERVICES; i++) {
		hearing->service_number = i;
		hearing_judge(hearing, DETECTOR_SLOW, hearing->now);
	}
	hearing_pass(hearing, DETECTOR_SLOW_US);
}

static void live(
	struct hearing *hearing, unsigned slots, const unsigned failing[static SITES])
{
	for (unsigned i = 0; i < slots; i++)
		pass(hearing, failing);
}

static void prepare(struct hearing *hearing)
{
	const unsigned none[SITES] = {0};

	hearing_open(hearing, &detect_site);
	for (unsigned site = 0; site < SITES; site++)
		hearing_introduce(
			hearing, gateways[site], OBS_GATEWAY, sites[site], "JP", 64496);
	live(hearing, 12, none);
	assert_int_equal(hearing_pages(hearing), 0);
}

static void half_of_the_services_failing_at_one_site_are_the_site(void **state)
{
	const unsigned failing[SITES] = {6, 0, 0};
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	live(&hearing, 3, failing);
	assert_true(hearing_pages(&hearing) > 0);
	assert_string_equal(hearing.findings[0].site, "tokyo");
	hearing_close(&hearing);
}

/* A provider's edge, say: here two more failed by themselves. */
static void what_a_third_of_the_services_show_elsewhere_is_not_the_site(void **state)
{
	const unsigned failing[SITES] = {6, 4, 4};
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	live(&hearing, 6, failing);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void a_third_of_the_services_are_not_the_site(void **state)
{
	const unsigned failing[SITES] = {4, 0, 0};
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	live(&hearing, 6, failing);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void it_ends_when_the_services_are_well_again(void **state)
{
	const unsigned failing[SITES] = {12, 0, 0}, none[SITES] = {0};
	struct hearing hearing;

	(void)state;
	prepare(&hearing);
	live(&hearing, 3, failing);
	assert_true(hearing_pages(&hearing) > 0);
	assert_int_equal(hearing_ends(&hearing), 0);
	live(&hearing, 4, none);
	assert_true(hearing_ends(&hearing) > 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_the_services_failing_at_one_site_are_the_site),
		cmocka_unit_test(
			what_a_third_of_the_services_show_elsewhere_is_not_the_site),
		cmocka_unit_test(a_third_of_the_services_are_not_the_site),
		cmocka_unit_test(it_ends_when_the_services_are_well_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
