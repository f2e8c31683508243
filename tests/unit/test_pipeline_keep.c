/*
 * One judgement, whatever happens to the process: a fleet's stream gives the very same
 * incidents, byte for byte, judged in one go, stopped at any point and taken up again
 * from a snapshot, or judged live while time passes between observations.
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
#include "astray/json.h"
#include "astray/status.h"
#include "fleet.h"
#include "fleet_truth.h"
#include "pipeline.h"

#define SNAPSHOTS 60 /* or so, at chance places */
#define OBSERVATIONS 47000

/* One way of judging and all that it said. */
struct judge {
	struct pipeline *pipeline;
	char *said;
	size_t len, cap;
	unsigned changes;
};

struct trial {
	struct services services;
	struct judge whole, resumed, live;
	uint64_t chance;
	unsigned observations, snapshots;
	size_t snapshot_bytes;
	struct moment rx;
};

static uint64_t draw(struct trial *trial)
{
	trial->chance =
		trial->chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return trial->chance >> 33;
}

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct judge *judge = arg;

	if (judge->cap - judge->len < INCIDENT_LINE_MAX + 1) {
		judge->cap = judge->cap ? 2 * judge->cap : 4 * (size_t)INCIDENT_LINE_MAX;
		judge->said = realloc(judge->said, judge->cap);
		assert_non_null(judge->said);
	}
	judge->said[judge->len++] = (char)('0' + change);
	judge->len += (size_t)incident_encode(
		judge->said + judge->len, INCIDENT_LINE_MAX, incident);
	judge->changes++;
}

static struct pipeline *new_pipeline(const struct services *services, struct judge *judge)
{
	const struct pipeline_hooks hooks = {.changed = changed, .arg = judge};
	struct pipeline *pipeline;

	assert_int_equal(pipeline_new(&pipeline, services, NULL, NULL, &hooks), 0);
	return pipeline;
}

static struct archive *snapshot_of(struct pipeline *pipeline)
{
	struct archive *archive;

	assert_int_equal(archive_new(&archive), 0);
	pipeline_keep(archive, pipeline);
	assert_int_equal(archive_rc(archive), 0);
	return archive;
}

static struct archive *reader_of(const struct archive *snapshot)
{
	struct archive *reader;
	size_t len;
	const void *bytes = archive_bytes(snapshot, &len);

	assert_int_equal(archive_open(&reader, bytes, len), 0);
	return reader;
}

static void stop_and_take_up(struct trial *trial)
{
	struct archive *snapshot = snapshot_of(trial->resumed.pipeline), *again,
		       *reader = reader_of(snapshot);
	const void *bytes[2];
	size_t len[2];

	pipeline_free(trial->resumed.pipeline);
	trial->resumed.pipeline = new_pipeline(&trial->services, &trial->resumed);
	pipeline_keep(reader, trial->resumed.pipeline);
	assert_int_equal(archive_rc(reader), 0);
	assert_true(archive_is_through(reader));
	again = snapshot_of(trial->resumed.pipeline);
	bytes[0] = archive_bytes(snapshot, &len[0]);
	bytes[1] = archive_bytes(again, &len[1]);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(bytes[0], bytes[1], len[0]);
	trial->snapshots++;
	trial->snapshot_bytes = len[0];
	archive_free(again);
	archive_free(reader);
	archive_free(snapshot);
}

static int feed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct trial *trial = arg;

	if (draw(trial) % (OBSERVATIONS / SNAPSHOTS) == 0)
		stop_and_take_up(trial);
	if (trial->rx.us && draw(trial) % 4 == 0) {
		int64_t between_us = moment_since_us(origin->rx, trial->rx);
		int64_t later_us = between_us > 0
					   ? (int64_t)(draw(trial) % (uint64_t)between_us)
					   : 0;

		pipeline_advance(
			trial->live.pipeline, moment_plus_us(trial->rx, later_us));
	}
	pipeline_feed(trial->whole.pipeline, origin, obs);
	pipeline_feed(trial->resumed.pipeline, origin, obs);
	pipeline_feed(trial->live.pipeline, origin, obs);
	trial->rx = origin->rx;
	trial->observations++;
	return 0;
}

static void read_services(const struct fleet_world *world, struct services *out)
{
	struct json *config = json_new_object();
	struct json_doc *doc;
	char *text;

	fleet_truth_config(world, config);
	text = json_print_new(config);
	assert_non_null(text);
	assert_int_equal(json_parse(&doc, text, strlen(text), 0, NULL), 0);
	assert_int_equal(
		services_read(out, doc, json_member(json_root(doc), "services"), NULL),
		0);
	json_doc_free(doc);
	json_free(config);
	free(text);
}

static void is_the_same(const struct judge *judge, const struct judge *as)
{
	assert_int_equal(judge->changes, as->changes);
	assert_int_equal(judge->len, as->len);
	assert_memory_equal(judge->said, as->said, as->len);
}

static void free_judge(struct judge *judge)
{
	pipeline_free(judge->pipeline);
	free(judge->said);
}

static void incidents_are_the_same_whole_resumed_and_live(void **state)
{
	const struct fleet_options options = {.seed = 3,
		.sites = 2,
		.services = 4,
		.endpoints_a_site = 2,
		.history_days = 2,
		.days = 2,
		.incidents = true};
	struct fleet_world *world = calloc(1, sizeof(*world));
	struct fleet_troubles *troubles = calloc(1, sizeof(*troubles));
	struct trial trial = {.chance = 42};
	struct judge *judges[] = {&trial.whole, &trial.resumed, &trial.live};

	(void)state;
	assert_non_null(world);
	assert_non_null(troubles);
	assert_int_equal(fleet_world_init(world, &options), 0);
	fleet_trouble_plan(troubles, world);
	read_services(world, &trial.services);
	for (unsigned i = 0; i < 3; i++)
		judges[i]->pipeline = new_pipeline(&trial.services, judges[i]);
	assert_int_equal(fleet_run(world, troubles, feed, &trial), 0);
	for (unsigned i = 0; i < 3; i++)
		pipeline_advance(
			judges[i]->pipeline, moment_plus_us(trial.rx, MOMENT_DAY_US));
	assert_true(trial.whole.changes >= 8);
	assert_true(trial.snapshots >= SNAPSHOTS / 2);
	is_the_same(&trial.resumed, &trial.whole);
	is_the_same(&trial.live, &trial.whole);
	print_message("%u observations, %u changes of incidents, %u snapshots of %zu "
		      "bytes\n",
		trial.observations, trial.whole.changes, trial.snapshots,
		trial.snapshot_bytes);
	for (unsigned i = 0; i < 3; i++)
		free_judge(judges[i]);
	services_free(&trial.services);
	free(troubles);
	free(world);
}

/* A little state: two services, one of them with traffic. */
static struct pipeline *some_pipeline(struct services *services, struct judge *judge)
{
	struct pipeline *pipeline;
	struct wire_origin origin = {
		.probe = "gw-1", .boot = "b", .rx = {1590854700000000}};
	struct obs *obs = calloc(1, sizeof(*obs));

	assert_non_null(obs);
	pipeline = new_pipeline(services, judge);
	for (int i = 0; i < 20; i++, origin.rx.us += 10 * MOMENT_SECOND_US) {
		obs_init(obs, OBS_TRAFFIC,
			moment_plus_us(origin.rx, -10 * MOMENT_SECOND_US));
		obs->traffic.window_us = 10 * MOMENT_SECOND_US;
		(void)snprintf(obs->traffic.service, OBS_NAME, "mail");
		obs->traffic.requests = obs->traffic.responses = 100;
		pipeline_feed(pipeline, &origin, obs);
	}
	free(obs);
	return pipeline;
}

static void short_prefixes_are_refused(void **state)
{
	struct service list[2] = {{.name = "mail"}, {.name = "wiki"}};
	struct services services = {2, list};
	struct judge judge = {0};
	struct pipeline *pipeline = some_pipeline(&services, &judge);
	struct archive *snapshot = snapshot_of(pipeline);
	size_t len;
	const char *bytes = archive_bytes(snapshot, &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut += 1 + cut / 64) {
		struct pipeline *other = new_pipeline(&services, &judge);
		char *copy = malloc(cut ? cut : 1);
		struct archive *reader;

		assert_non_null(copy);
		memcpy(copy, bytes, cut);
		assert_int_equal(archive_open(&reader, copy, cut), 0);
		pipeline_keep(reader, other);
		assert_int_equal(archive_rc(reader), STATUS_SHORT);
		archive_free(reader);
		free(copy);
		pipeline_free(other);
	}
	archive_free(snapshot);
	pipeline_free(pipeline);
}

static void services_are_found_by_name(void **state)
{
	struct service two[2] = {{.name = "mail"}, {.name = "wiki"}};
	struct service other[2] = {{.name = "shop"}, {.name = "mail"}};
	struct services services = {2, two}, later = {2, other};
	struct judge judge = {0};
	struct pipeline *pipeline = some_pipeline(&services, &judge), *moved;
	struct archive *snapshot = snapshot_of(pipeline), *reader = reader_of(snapshot);
	struct pipeline_counters counters;

	(void)state;
	moved = new_pipeline(&later, &judge);
	pipeline_keep(reader, moved);
	assert_int_equal(archive_rc(reader), 0);
	assert_true(archive_is_through(reader));
	pipeline_read_counters(moved, &counters);
	assert_int_equal(counters.keys, 1);
	archive_free(reader);
	archive_free(snapshot);
	pipeline_free(moved);
	pipeline_free(pipeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incidents_are_the_same_whole_resumed_and_live),
		cmocka_unit_test(short_prefixes_are_refused),
		cmocka_unit_test(services_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
