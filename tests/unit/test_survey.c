#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "survey.h"

#define DAY MOMENT_DAY_US

/* Two services; probes at two sites. */
struct world {
	struct service list[2];
	struct services services;
	struct announcements announcements;
	struct cells *cells;
	struct vantages *vantages;
	struct survey survey;
	struct incident incident;
	struct surroundings around;
};

static struct world *begin(void)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	(void)snprintf(world->list[0].name, sizeof(world->list[0].name), "exchange");
	(void)snprintf(world->list[1].name, sizeof(world->list[1].name), "wallet");
	world->services.list = world->list;
	world->services.count = 2;
	assert_int_equal(
		cells_new(&world->cells, 2, 8, 0, sizeof(struct coverage), 16), 0);
	assert_int_equal(vantages_new(&world->vantages), 0);
	world->survey = (struct survey){.services = &world->services,
		.cells = world->cells,
		.vantages = world->vantages,
		.announcements = &world->announcements,
		.terms = {.paths_us = DAY, .names_us = DAY, .counts_us = DAY},
		.now = {INT64_C(1590926400000000)}};
	return world;
}

static void finish(struct world *world)
{
	cells_free(world->cells);
	vantages_free(world->vantages);
	free(world);
}

static unsigned join(struct world *world, const char *probe, const char *site)
{
	struct wire_origin origin = {.rx = world->survey.now};
	struct obs *obs = calloc(1, sizeof(*obs));
	unsigned number;

	assert_non_null(obs);
	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	obs_init(obs, OBS_HELLO, world->survey.now);
	obs->hello.label_count = 1;
	(void)snprintf(obs->hello.labels[0].key, OBS_WORD, "site");
	(void)snprintf(obs->hello.labels[0].value, OBS_WORD, "%s", site);
	number = vantages_see(world->vantages, &origin, obs)->site;
	free(obs);
	return number;
}

static void look(
	struct world *world, unsigned service, unsigned site, enum coverage_sense sense)
{
	struct coverage *coverage = cells_take(world->cells, service, site);

	assert_non_null(coverage);
	if (!coverage->senses[sense].first.us)
		coverage->senses[sense].first = world->survey.now;
	coverage->senses[sense].last = world->survey.now;
}

static void concern(struct world *world, const char *service, const char *site)
{
	struct incident *incident = &world->incident;

	if (*service)
		(void)snprintf(incident->services[incident->service_count++], OBS_NAME,
			"%s", service);
	(void)snprintf(incident->sites[incident->site_count++], OBS_WORD, "%s", site);
}

static void sites_that_look_are_told_with_their_probes(void **state)
{
	struct world *world = begin();
	unsigned tokyo = join(world, "tyo-1", "tokyo"), osaka;

	(void)state;
	(void)join(world, "tyo-2", "tokyo");
	osaka = join(world, "osa-1", "osaka");
	(void)join(world, "nag-1", "nagoya"); /* looks at nothing */
	look(world, 0, tokyo, COVERAGE_PATH);
	look(world, 0, osaka, COVERAGE_CHECK);
	concern(world, "exchange", "tokyo");
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_int_equal(world->around.site_count, 2);
	assert_string_equal(world->around.sites[0].name, "tokyo");
	assert_int_equal(world->around.sites[0].probes, 2);
	assert_string_equal(world->around.sites[1].name, "osaka");
	assert_true(coverage_is_fresh(
		&world->around.coverage, COVERAGE_PATH, world->survey.now));
	assert_false(coverage_is_fresh(
		&world->around.coverage, COVERAGE_REGISTRY, world->survey.now));
	finish(world);
}

static void a_probe_that_fell_silent_is_not_there(void **state)
{
	struct world *world = begin();
	unsigned tokyo = join(world, "tyo-1", "tokyo");

	(void)state;
	world->survey.now = moment_plus_us(world->survey.now, MOMENT_HOUR_US);
	(void)join(world, "tyo-2", "tokyo");
	look(world, 0, tokyo, COVERAGE_PATH);
	concern(world, "exchange", "tokyo");
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_int_equal(world->around.sites[0].probes, 1);
	finish(world);
}

static void other_services_count_where_the_incident_is(void **state)
{
	struct world *world = begin();
	unsigned tokyo = join(world, "tyo-1", "tokyo"),
		 osaka = join(world, "osa-1", "osaka");

	(void)state;
	look(world, 0, tokyo, COVERAGE_PATH);
	look(world, 1, osaka, COVERAGE_PATH);
	concern(world, "exchange", "tokyo");
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_int_equal(world->around.service_count, 0);
	look(world, 1, tokyo, COVERAGE_TRAFFIC);
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_int_equal(world->around.service_count, 1);
	assert_string_equal(world->around.services[0].name, "wallet");
	finish(world);
}

static void policy_needs_no_learning(void **state)
{
	struct world *world = begin();
	unsigned tokyo = join(world, "tyo-1", "tokyo");

	(void)state;
	look(world, 0, tokyo, COVERAGE_PATH);
	look(world, 0, tokyo, COVERAGE_DELEGATION);
	world->list[0].expect.countries_given = true;
	concern(world, "exchange", "tokyo");
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_true(world->around.learnt & 1u << COVERAGE_PATH);
	assert_false(world->around.learnt & 1u << COVERAGE_DELEGATION);
	world->survey.now = moment_plus_us(world->survey.now, DAY);
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_true(world->around.learnt & 1u << COVERAGE_DELEGATION);
	finish(world);
}

static void a_service_is_learnt_ability_by_ability(void **state)
{
	struct world *world = begin();
	unsigned tokyo = join(world, "tyo-1", "tokyo"),
		 osaka = join(world, "osa-1", "osaka");
	struct learning learning[LEARNING_ABILITIES];

	(void)state;
	world->list[0].expect.issuers_given = true;
	look(world, 0, tokyo, COVERAGE_PATH);
	look(world, 0, tokyo, COVERAGE_CERTIFICATE);
	world->survey.now = moment_plus_us(world->survey.now, DAY);
	look(world, 0, osaka, COVERAGE_PATH);
	survey_learning(&world->survey, 0, learning);
	assert_int_equal(learning[LEARNING_CERTIFICATES].state, LEARNING_READY);
	assert_int_equal(learning[LEARNING_WEEK].state, LEARNING_BLIND);
	/* Osaka has just begun to look. */
	assert_int_equal(learning[LEARNING_PATHS].state, LEARNING_YOUNG);
	assert_int_equal(learning[LEARNING_PATHS].ready.us, world->survey.now.us + DAY);
	finish(world);
}

static void announced_work_is_told(void **state)
{
	struct world *world = begin();
	struct obs_maintenance work = {.service = "exchange",
		.from = world->survey.now,
		.until = moment_plus_us(world->survey.now, MOMENT_HOUR_US)};

	(void)state;
	concern(world, "exchange", "tokyo");
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_false(world->around.announced);
	announcements_add(&world->announcements, &work);
	survey_surroundings(&world->survey, &world->incident, &world->around);
	assert_true(world->around.announced);
	finish(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sites_that_look_are_told_with_their_probes),
		cmocka_unit_test(a_probe_that_fell_silent_is_not_there),
		cmocka_unit_test(other_services_count_where_the_incident_is),
		cmocka_unit_test(policy_needs_no_learning),
		cmocka_unit_test(a_service_is_learnt_ability_by_ability),
		cmocka_unit_test(announced_work_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
