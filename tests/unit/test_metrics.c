#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_world.h"
#include "metrics.h"

static struct moment at_start(void)
{
	return (struct moment){STORE_WORLD_START};
}

static struct service service_row; /* large */

/* Paths are still being learnt, all else is. */
static bool half_learnt(
	void *arg, const char *service, struct learning out[static LEARNING_ABILITIES])
{
	(void)arg;
	(void)service;
	for (unsigned i = 0; i < LEARNING_ABILITIES; i++)
		out[i] = (struct learning){LEARNING_READY, {1000}, {2000}};
	out[LEARNING_PATHS].state = LEARNING_YOUNG;
	out[LEARNING_REGISTRY] = (struct learning){0};
	return true;
}

static struct metrics *make(struct store_world *world, struct services *services)
{
	struct metrics_settings settings = {.store = world->store,
		.services = services,
		.now = at_start,
		.learning = half_learnt};
	struct metrics *metrics;

	(void)strcpy(service_row.name, "exchange");
	*services = (struct services){.count = 1, .list = &service_row};
	assert_int_equal(metrics_new(&metrics, &settings), 0);
	return metrics;
}

static void observe(struct store_world *world, struct metrics *metrics)
{
	const struct wire_origin origin = {.rx = {world->rx_us}, .probe = "tyo-gw-1"};

	metrics_observed(metrics, &origin, &world->obs);
}

static char *scrape(struct metrics *metrics, bool openmetrics)
{
	size_t len;
	char *text = metrics_text(metrics, openmetrics, &len);

	assert_non_null(text);
	return text;
}

static void expect(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("%s is missing in\n%s", line, text);
}

static void totals_grow_with_what_is_observed(void **state)
{
	struct store_world *world = *state;
	struct services services;
	struct metrics *metrics = make(world, &services);
	char *text;

	store_world_hello(world, "tyo-gw-1", "tokyo");
	store_world_traffic(world, "tyo-gw-1", 100, 20000);
	observe(world, metrics);
	store_world_traffic(world, "tyo-gw-1", 50, 700000);
	observe(world, metrics);
	store_world_check(world, "tyo-gw-1", OBS_CHECK_TIMEOUT, OBS_ABSENT);
	observe(world, metrics);
	store_world_flush(world);
	text = scrape(metrics, false);
	expect(text, "\nastray_service_requests_total{service=\"exchange\",site="
		     "\"tokyo\"} 150\n");
	expect(text, "\nastray_service_check_failures_total{service=\"exchange\",site="
		     "\"tokyo\"} 1\n");
	expect(text, "_seconds_bucket{service=\"exchange\",site=\"tokyo\",le=\"0.025\"} "
		     "100\n");
	expect(text,
		"_seconds_bucket{service=\"exchange\",site=\"tokyo\",le=\"1.0\"} 150\n");
	expect(text, "\nastray_service_response_seconds_count{service=\"exchange\",site="
		     "\"tokyo\"} 150\n");
	expect(text, "\nastray_service_response_seconds_sum{service=\"exchange\",site="
		     "\"tokyo\"} 37\n");
	expect(text, "\nastray_probes{site=\"tokyo\",state=\"live\"} 1\n");
	expect(text, "\nastray_service_last_seen_timestamp_seconds{service=\"exchange\","
		     "site=\"tokyo\"} 1590850800\n");
	free(text);
	metrics_free(metrics);
}

static void what_came_before_the_start_is_not_counted(void **state)
{
	struct store_world *world = *state;
	struct services services;
	struct metrics *metrics = make(world, &services);
	char *text;

	world->rx_us -= MOMENT_HOUR_US;
	store_world_traffic(world, "tyo-gw-1", 100, 20000);
	observe(world, metrics);
	text = scrape(metrics, false);
	assert_null(strstr(text, "astray_service_requests_total{"));
	free(text);
	metrics_free(metrics);
}

static void an_open_incident_is_a_state_of_its_service(void **state)
{
	struct store_world *world = *state;
	struct incident *incident = calloc(1, sizeof(*incident));
	struct services services;
	struct metrics *metrics = make(world, &services);
	char *text;

	incident->rx.us = incident->opened.us = incident->since.us = world->rx_us;
	(void)strcpy(incident->id, "i-1");
	incident->severity = SEVERITY_PAGE;
	incident->change_number = incident->service_count = 1;
	(void)strcpy(incident->services[0], "exchange");
	text = scrape(metrics, false);
	expect(text,
		"\nastray_service_incident{service=\"exchange\",severity=\"page\"} 0\n");
	free(text);
	store_changed(world->store, INCIDENT_CHANGE_OPENED, incident);
	metrics_changed(metrics, INCIDENT_CHANGE_OPENED, incident);
	text = scrape(metrics, false);
	expect(text,
		"\nastray_service_incident{service=\"exchange\",severity=\"page\"} 1\n");
	expect(text, "\nastray_incidents_open{severity=\"page\"} 1\n");
	expect(text, "\nastray_incident_changes_total{change=\"opened\"} 1\n");
	free(text);
	(void)strcpy(incident->services[0],
		"exchange-2"); /* another's name that begins alike */
	store_changed(world->store, INCIDENT_CHANGE_UPDATED, incident);
	text = scrape(metrics, false);
	expect(text,
		"\nastray_service_incident{service=\"exchange\",severity=\"page\"} 0\n");
	free(text);
	free(incident);
	metrics_free(metrics);
}

static int alphabetical(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Neither a series nor a family may stand twice; no checker of others says so. */
static void what_is_learnt_is_a_state_of_its_service(void **state)
{
	struct store_world *world = *state;
	struct services services;
	struct metrics *metrics = make(world, &services);
	char *text = scrape(metrics, false);

	expect(text,
		"astray_service_learnt{service=\"exchange\",ability=\"failures\"} 1\n");
	expect(text, "astray_service_learnt{service=\"exchange\",ability=\"paths\"} 0\n");
	assert_null(strstr(text, "ability=\"registry\""));
	free(text);
	metrics_free(metrics);
}

static void no_series_stands_twice(void **state)
{
	struct store_world *world = *state;
	struct services services;
	struct metrics *metrics = make(world, &services);
	static char *lines[4096];
	size_t count = 0;
	char *text, *rest;

	for (int i = 0; i < 4; i++) {
		char probe[16], site[16];

		(void)snprintf(probe, sizeof(probe), "probe-%d", i);
		(void)snprintf(site, sizeof(site), "site-%d", i / 2);
		store_world_hello(world, probe, site);
		store_world_traffic(world, probe, 5, 20000);
		observe(world, metrics);
	}
	store_world_flush(world);
	text = scrape(metrics, true);
	rest = text;
	for (char *line; (line = strsep(&rest, "\n")) && count < 4096;) {
		if (strncmp(line, "# TYPE", 6) != 0 && line[0] != '#' &&
			strrchr(line, ' '))
			*strrchr(line, ' ') = '\0';
		if (line[0])
			lines[count++] = line;
	}
	assert_in_range(count, 50, 4000);
	qsort(lines, count, sizeof(lines[0]), alphabetical);
	for (size_t i = 1; i < count; i++)
		assert_string_not_equal(lines[i - 1], lines[i]);
	free(text);
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_world_test(totals_grow_with_what_is_observed),
		store_world_test(what_came_before_the_start_is_not_counted),
		store_world_test(an_open_incident_is_a_state_of_its_service),
		store_world_test(what_is_learnt_is_a_state_of_its_service),
		store_world_test(no_series_stands_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
