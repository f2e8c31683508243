/*
 * Windows that come when their slot has been judged: what is said is corrected, within
 * seconds, and nothing is learnt from them twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive.h"
#include "pipeline.h"

#define BEGIN_US INT64_C(1590854400000000) /* a multiple of five minutes */
#define SLOT_US (5 * MOMENT_MINUTE_US)

struct scene {
	struct service service;
	struct services services;
	struct pipeline *pipeline;
	struct obs *obs;
	unsigned pages, resolved;
	struct moment told; /* the last of either */
};

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct scene *scene = arg;

	if (change == INCIDENT_CHANGE_OPENED && incident->severity == SEVERITY_PAGE)
		scene->pages++;
	else if (change == INCIDENT_CHANGE_RESOLVED)
		scene->resolved++;
	else
		return;
	scene->told = incident->rx;
}

static struct wire_origin origin_of(const char *probe, struct moment rx)
{
	struct wire_origin origin = {.rx = rx, .boot = "b"};

	(void)snprintf(origin.probe, sizeof(origin.probe), "%s", probe);
	return origin;
}

static void introduce(struct scene *scene, const char *probe)
{
	struct wire_origin origin = origin_of(probe, (struct moment){BEGIN_US});

	obs_init(scene->obs, OBS_HELLO, origin.rx);
	scene->obs->hello.role = OBS_GATEWAY;
	scene->obs->hello.label_count = 1;
	(void)snprintf(scene->obs->hello.labels[0].key, OBS_WORD, "site");
	(void)snprintf(scene->obs->hello.labels[0].value, OBS_WORD, "tokyo");
	pipeline_feed(scene->pipeline, &origin, scene->obs);
}

static struct scene *new_scene(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const struct pipeline_hooks hooks = {.changed = changed, .arg = scene};

	assert_non_null(scene);
	(void)snprintf(scene->service.name, OBS_NAME, "mail");
	scene->services = (struct services){1, &scene->service};
	scene->obs = malloc(sizeof(*scene->obs));
	assert_non_null(scene->obs);
	assert_int_equal(
		pipeline_new(&scene->pipeline, &scene->services, NULL, NULL, &hooks), 0);
	introduce(scene, "gw-1");
	introduce(scene, "gw-2");
	return scene;
}

static void free_scene(struct scene *scene)
{
	pipeline_free(scene->pipeline);
	free(scene->obs);
	free(scene);
}

static struct moment end_of(int slot)
{
	return (struct moment){BEGIN_US + (slot + 1) * SLOT_US};
}

/* A window of that slot as it comes so many seconds after the slot's end. */
static void report(struct scene *scene, const char *probe, int slot, int after_s,
	int64_t requests, int64_t errors)
{
	struct wire_origin origin = origin_of(
		probe, moment_plus_us(end_of(slot), after_s * MOMENT_SECOND_US));
	struct obs_traffic *traffic = &scene->obs->traffic;

	obs_init(scene->obs, OBS_TRAFFIC, moment_plus_us(end_of(slot), -SLOT_US));
	traffic->window_us = SLOT_US;
	(void)snprintf(traffic->service, OBS_NAME, "mail");
	traffic->requests = traffic->responses = requests;
	traffic->errors = errors;
	for (int i = 0; i < 100; i++)
		sketch_add(&traffic->sketches[OBS_RESPONSE], 20000 + 97 * i);
	pipeline_feed(scene->pipeline, &origin, scene->obs);
}

static void quiet_slots(struct scene *scene, int from, int until)
{
	for (int slot = from; slot < until; slot++) {
		report(scene, "gw-1", slot, 4, 200 + slot % 7, 0);
		report(scene, "gw-2", slot, 5, 200 + slot % 5, 0);
	}
}

static void failures_that_come_late_page_within_a_minute(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	quiet_slots(scene, 0, 10);
	for (int slot = 10; slot < 13; slot++)
		report(scene, "gw-1", slot, 4, 200, 0);
	pipeline_advance(
		scene->pipeline, moment_plus_us(end_of(12), 90 * MOMENT_SECOND_US));
	assert_int_equal(scene->pages, 0);
	for (int slot = 10; slot < 13; slot++)
		report(scene, "gw-2", slot, 100 + (12 - slot) * 300, 200, 160);
	pipeline_advance(
		scene->pipeline, moment_plus_us(end_of(12), 160 * MOMENT_SECOND_US));
	assert_int_equal(scene->pages, 1);
	free_scene(scene);
}

/* What was an outage by what was known then was a few of many by what came later: it is
 * over without anything new. */
static void a_finding_is_corrected(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	quiet_slots(scene, 0, 10);
	report(scene, "gw-1", 10, 4, 100, 80);
	pipeline_advance(
		scene->pipeline, moment_plus_us(end_of(10), 90 * MOMENT_SECOND_US));
	assert_int_equal(scene->pages, 1);
	report(scene, "gw-2", 10, 100, 9000, 0);
	pipeline_advance(
		scene->pipeline, moment_plus_us(end_of(10), 40 * MOMENT_MINUTE_US));
	assert_int_equal(scene->resolved, 1);
	assert_true(moment_since_us(scene->told, end_of(10)) < 33 * MOMENT_MINUTE_US);
	free_scene(scene);
}

static void older_than_half_an_hour_opens_nothing(void **state)
{
	struct scene *scene = new_scene();

	(void)state;
	quiet_slots(scene, 0, 10);
	for (int slot = 10; slot < 20; slot++)
		report(scene, "gw-1", slot, 4, 200, 0);
	for (int slot = 10; slot < 12; slot++)
		report(scene, "gw-2", slot, 100 + (19 - slot) * 300, 200, 160);
	pipeline_advance(
		scene->pipeline, moment_plus_us(end_of(19), 200 * MOMENT_SECOND_US));
	assert_int_equal(scene->pages, 0);
	free_scene(scene);
}

static void beyond_the_limit_it_is_counted(void **state)
{
	struct scene *scene = new_scene();
	struct pipeline_counters before, after;

	(void)state;
	quiet_slots(scene, 0, 40);
	pipeline_read_counters(scene->pipeline, &before);
	report(scene, "gw-2", 3, 37 * 300, 200, 160);
	pipeline_read_counters(scene->pipeline, &after);
	assert_int_equal(before.late, 0);
	assert_int_equal(after.late, 1);
	free_scene(scene);
}

/* The same windows, judged again as often as `apart_s` lets them. */
static struct archive *lesson(int apart_s, uint64_t *judged_again)
{
	struct scene *scene = new_scene();
	struct pipeline_counters counters;
	struct archive *archive;

	quiet_slots(scene, 0, 30);
	for (int slot = 30; slot < 33; slot++)
		report(scene, "gw-1", slot, 4, 200, 0);
	for (int slot = 30; slot < 33; slot++)
		report(scene, "gw-2", slot,
			100 + (32 - slot) * 300 + (slot - 30) * apart_s, 200, 0);
	quiet_slots(scene, 33, 60);
	pipeline_read_counters(scene->pipeline, &counters);
	assert_int_equal(scene->pages, 0);
	*judged_again = counters.judged_again;
	assert_int_equal(archive_new(&archive), 0);
	pipeline_keep(archive, scene->pipeline);
	assert_int_equal(archive_rc(archive), 0);
	free_scene(scene);
	return archive;
}

static void nothing_is_learnt_twice(void **state)
{
	uint64_t few, many;
	struct archive *once = lesson(1, &few), *often = lesson(20, &many);
	const void *bytes[2];
	size_t len[2];

	(void)state;
	bytes[0] = archive_bytes(once, &len[0]);
	bytes[1] = archive_bytes(often, &len[1]);
	assert_true(few > 0 && many > few);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(bytes[0], bytes[1], len[0]);
	archive_free(once);
	archive_free(often);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_that_come_late_page_within_a_minute),
		cmocka_unit_test(a_finding_is_corrected),
		cmocka_unit_test(older_than_half_an_hour_opens_nothing),
		cmocka_unit_test(beyond_the_limit_it_is_counted),
		cmocka_unit_test(nothing_is_learnt_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
