#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_world.h"
#include "astray/status.h"
#include "store_read.h"

struct seen {
	int count;
	int64_t number;
	char text[4096];
};

static void note(struct seen *seen, const char *text)
{
	seen->count++;
	(void)snprintf(seen->text + strlen(seen->text),
		sizeof(seen->text) - strlen(seen->text), "%s ", text);
}

static void keep_sighting(void *arg, const struct store_sighting *row)
{
	struct seen *seen = arg;

	note(seen, row->service);
	note(seen, row->site);
	seen->number += row->probes;
}

static void keep_probe(void *arg, const struct store_probe *row)
{
	struct seen *seen = arg;

	note(seen, row->name);
	note(seen, row->site);
	note(seen, row->hello);
	note(seen, row->health);
	seen->number = row->behind_us;
}

static void keep_incident(void *arg, const struct store_incident *row)
{
	struct seen *seen = arg;

	note(seen, row->id);
	note(seen, row->state);
	seen->number = row->rx_us;
}

static void keep_note(void *arg, const struct store_note *row)
{
	note(arg, row->by);
	note(arg, row->note);
}

static void keep_work(void *arg, const struct store_work *row)
{
	note(arg, row->service);
	note(arg, row->note);
}

static void services_are_known_by_site_with_their_probes(void **state)
{
	struct store_world *world = *state;
	struct seen seen = {0};

	store_world_hello(world, "tyo-1", "tokyo");
	store_world_hello(world, "tyo-2", "tokyo");
	store_world_hello(world, "ams-1", "amsterdam");
	store_world_traffic(world, "tyo-1", 1, 1);
	store_world_traffic(world, "tyo-2", 1, 1);
	store_world_traffic(world, "ams-1", 1, 1);
	store_world_flush(world);
	assert_int_equal(
		store_read_sightings(world->store, NULL, keep_sighting, &seen), 0);
	assert_string_equal(seen.text, "exchange amsterdam exchange tokyo ");
	assert_int_equal(seen.number, 3);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(
		store_read_sightings(world->store, "mail", keep_sighting, &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void a_probe_keeps_its_site_and_words_over_a_restart(void **state)
{
	struct store_world *world = *state;
	struct seen seen = {0};

	store_world_hello(world, "tyo-1", "tokyo");
	store_world_begin(world, OBS_HEALTH)->at.us -= 7;
	world->obs.health.dropped_observations = 12;
	store_world_send(world, "tyo-1");
	store_world_reopen(world);
	assert_int_equal(store_read_probes(world->store, keep_probe, &seen), 0);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.number, 7);
	assert_non_null(strstr(seen.text, "tyo-1 tokyo {\"kind\":\"hello\""));
	assert_non_null(strstr(seen.text, "\"dropped_observations\":12"));
	world->rx_us += MOMENT_MINUTE_US;
	store_world_traffic(
		world, "tyo-1", 1, 1); /* no hello since: the site is known still */
	store_world_flush(world);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(
		store_read_sightings(world->store, "exchange", keep_sighting, &seen), 0);
	assert_string_equal(seen.text, "exchange tokyo ");
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(store_read_probes(world->store, keep_probe, &seen), 0);
	assert_non_null(strstr(seen.text, "\"kind\":\"hello\""));
}

static struct incident make_incident(const char *id, int64_t rx_us)
{
	struct incident incident = {.rx = {rx_us},
		.change_number = 1,
		.since = {rx_us - MOMENT_MINUTE_US},
		.opened = {rx_us},
		.service_count = 1};

	(void)snprintf(incident.id, sizeof(incident.id), "%s", id);
	(void)strcpy(incident.services[0], "exchange");
	return incident;
}

static struct seen incidents(
	struct store_world *world, const char *service, const char *which)
{
	const struct store_incident_filter filter = {
		.service = service, .state = which, .limit = 10};
	struct seen seen = {0};

	assert_int_equal(
		store_read_incidents(world->store, &filter, keep_incident, &seen), 0);
	return seen;
}

static void an_incident_is_kept_in_all_its_forms(void **state)
{
	struct store_world *world = *state;
	struct incident *incident = malloc(sizeof(*incident));
	struct seen seen = {0};

	*incident = make_incident("i-1", world->rx_us);
	store_changed(world->store, INCIDENT_CHANGE_OPENED, incident);
	incident->rx.us += 5;
	store_changed(world->store, INCIDENT_CHANGE_UPDATED, incident);
	incident->rx.us += 5;
	incident->change_number = 2;
	incident->state = INCIDENT_RESOLVED;
	store_changed(world->store, INCIDENT_CHANGE_RESOLVED, incident);
	store_changed(world->store, INCIDENT_CHANGE_RESOLVED,
		incident); /* said twice by a replay */
	assert_int_equal(
		store_read_incident_forms(world->store, "i-1", keep_incident, &seen), 0);
	assert_string_equal(seen.text, "i-1 opened i-1 resolved ");
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(
		store_read_incident(world->store, "i-1", keep_incident, &seen), 0);
	assert_string_equal(seen.text, "i-1 resolved ");
	assert_int_equal(seen.number, world->rx_us + 10);
	assert_int_equal(
		store_read_incident(world->store, "' OR 1=1 --", keep_incident, &seen),
		STATUS_MISSING);
	free(incident);
}

static void incidents_are_found_by_service_and_state(void **state)
{
	struct store_world *world = *state;
	struct incident *incident = malloc(sizeof(*incident));

	*incident = make_incident("i-1", world->rx_us);
	incident->state = INCIDENT_RESOLVED;
	store_changed(world->store, INCIDENT_CHANGE_RESOLVED, incident);
	*incident = make_incident("i-2", world->rx_us + 1);
	(void)strcpy(incident->services[0], "mail");
	incident->state = INCIDENT_ACKNOWLEDGED;
	store_changed(world->store, INCIDENT_CHANGE_ACKNOWLEDGED, incident);
	free(incident);
	assert_string_equal(
		incidents(world, NULL, NULL).text, "i-2 acknowledged i-1 resolved ");
	assert_string_equal(incidents(world, NULL, "open").text, "i-2 acknowledged ");
	assert_string_equal(incidents(world, NULL, "resolved").text, "i-1 resolved ");
	assert_string_equal(incidents(world, "exchange", NULL).text, "i-1 resolved ");
	assert_int_equal(incidents(world, "exch", NULL).count, 0);
}

static void what_people_say_is_kept(void **state)
{
	struct store_world *world = *state;
	struct obs *obs = store_world_begin(world, OBS_ACKNOWLEDGE);
	struct seen seen = {0};

	(void)strcpy(obs->acknowledge.incident, "i-1");
	(void)strcpy(obs->acknowledge.by, "ann");
	(void)strcpy(obs->acknowledge.note, "asking the registrar");
	store_world_send(world, "operator");
	obs = store_world_begin(world, OBS_MAINTENANCE);
	(void)strcpy(obs->maintenance.service, "*");
	(void)strcpy(obs->maintenance.note, "a new switch");
	obs->maintenance.from.us = world->rx_us;
	obs->maintenance.until.us = world->rx_us + MOMENT_HOUR_US;
	store_world_send(world, "operator");
	assert_int_equal(
		store_read_incident_notes(world->store, "i-1", keep_note, &seen), 0);
	assert_string_equal(seen.text, "ann asking the registrar ");
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(store_read_maintenance(world->store, world->rx_us,
				 world->rx_us + 1, keep_work, &seen),
		0);
	assert_string_equal(seen.text, "* a new switch ");
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(store_read_maintenance(
				 world->store, 0, world->rx_us - 1, keep_work, &seen),
		0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(store_read_probes(world->store, keep_probe, &seen), 0);
	assert_int_equal(seen.count, 0); /* an operator is no probe */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_world_test(services_are_known_by_site_with_their_probes),
		store_world_test(a_probe_keeps_its_site_and_words_over_a_restart),
		store_world_test(an_incident_is_kept_in_all_its_forms),
		store_world_test(incidents_are_found_by_service_and_state),
		store_world_test(what_people_say_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
