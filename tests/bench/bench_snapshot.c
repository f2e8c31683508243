/*
 * What a snapshot of the judgement costs: bytes a (service, site) key, and the time in
 * which it is taken (while the loop stands still) and read (at the start). The state is
 * that of a simulated fleet after three weeks, when its seasons are full.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "astray/json.h"
#include "astray/now.h"
#include "fleet.h"
#include "fleet_truth.h"
#include "pipeline.h"

#define RUNS 20

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	(void)change;
	(void)incident;
	++*(unsigned *)arg;
}

/* Traffic alone fills the seasons; the rest of the last days fills what else there is. */
struct feeder {
	struct pipeline *pipeline;
	struct moment all_from;
};

static int feed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct feeder *feeder = arg;

	if (obs->kind == OBS_TRAFFIC || obs->kind == OBS_HELLO ||
		!moment_before(origin->rx, feeder->all_from))
		pipeline_feed(feeder->pipeline, origin, obs);
	return 0;
}

static void read_services(const struct fleet_world *world, struct services *out)
{
	struct json *config = json_new_object();
	struct json_doc *doc = NULL;
	char *text;

	fleet_truth_config(world, config);
	text = json_print_new(config);
	if (!text || json_parse(&doc, text, strlen(text), 0, NULL) ||
		services_read(out, doc, json_member(json_root(doc), "services"), NULL))
		abort();
	json_doc_free(doc);
	json_free(config);
	free(text);
}

static struct pipeline *new_pipeline(const struct services *services, unsigned *changes)
{
	const struct pipeline_hooks hooks = {.changed = changed, .arg = changes};
	struct pipeline *pipeline;

	if (pipeline_new(&pipeline, services, NULL, NULL, &hooks))
		abort();
	return pipeline;
}

static double milliseconds_since(struct tick began)
{
	return (double)tick_since_us(now_tick(), began) / 1000;
}

static double write_once(struct pipeline *pipeline, struct archive **out)
{
	struct tick began = now_tick();

	if (archive_new(out))
		abort();
	pipeline_keep(*out, pipeline);
	return milliseconds_since(began);
}

static double read_once(
	const struct services *services, const void *bytes, size_t len, unsigned *changes)
{
	struct pipeline *pipeline = new_pipeline(services, changes);
	struct tick began = now_tick();
	struct archive *archive;
	double took;

	if (archive_open(&archive, bytes, len))
		abort();
	pipeline_keep(archive, pipeline);
	took = milliseconds_since(began);
	if (archive_rc(archive) || !archive_is_through(archive))
		abort();
	archive_free(archive);
	pipeline_free(pipeline);
	return took;
}

static void measure(
	struct pipeline *pipeline, const struct services *services, unsigned *changes)
{
	double written = 1e9, read = 1e9;
	struct pipeline_counters counters;
	struct archive *archive;
	size_t len = 0;

	pipeline_read_counters(pipeline, &counters);
	for (int run = 0; run < RUNS; run++) {
		double took = write_once(pipeline, &archive);
		const void *bytes = archive_bytes(archive, &len);

		written = took < written ? took : written;
		took = read_once(services, bytes, len, changes);
		read = took < read ? took : read;
		archive_free(archive);
	}
	printf("snapshot %zu bytes for %" PRIu64
	       " (service, site) keys: %.0f bytes a key\n"
	       "         taken in %.2f ms, read in %.2f ms (best of %d)\n",
		len, counters.keys, (double)len / (double)counters.keys, written, read,
		RUNS);
}

int main(void)
{
	const struct fleet_options options = {.seed = 7,
		.sites = 5,
		.services = 24,
		.endpoints_a_site = 4,
		.history_days = 20,
		.days = 1};
	struct fleet_world *world = calloc(1, sizeof(*world));
	struct fleet_troubles *troubles = calloc(1, sizeof(*troubles));
	struct services services;
	struct feeder feeder;
	unsigned changes = 0;

	if (!world || !troubles || fleet_world_init(world, &options))
		abort();
	fleet_trouble_plan(troubles, world);
	read_services(world, &services);
	feeder = (struct feeder){.pipeline = new_pipeline(&services, &changes),
		.all_from = {FLEET_BEGIN_US + 19 * MOMENT_DAY_US}};
	if (fleet_run(world, troubles, feed, &feeder))
		abort();
	measure(feeder.pipeline, &services, &changes);
	pipeline_free(feeder.pipeline);
	services_free(&services);
	free(troubles);
	free(world);
	return 0;
}
