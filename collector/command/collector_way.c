#include "collector_inside.h"

#include "api.h"
#include "checkpoint.h"
#include "geo.h"
#include "ingest.h"
#include "metrics.h"
#include "notify.h"
#include "pipeline.h"
#include "store.h"

#define GEO_SECONDS 10

static void observed(void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct collector *collector = arg;

	store_observed(collector->store, origin, obs);
	metrics_observed(collector->metrics, origin, obs);
}

static void changed(
	void *arg, enum incident_change change, const struct incident *incident)
{
	struct collector *collector = arg;

	store_changed(collector->store, change, incident);
	metrics_changed(collector->metrics, change, incident);
	(void)notify_change(collector->notify, change, incident);
	api_changed(collector->api, change, incident);
}

void collector_way_flush(struct collector *collector)
{
	struct fault fault = {0};
	bool failed = store_flush(collector->store, &fault) != 0;

	if (failed && !collector->store_failing)
		(void)collector_fail(collector, 0, &fault);
	if (!failed && collector->store_failing)
		log_info(collector->log, "collector", "the store is written again");
	collector->store_failing = failed;
}

/* What has been fed to the end of a batch: the store first, for the journal will not
 * give it again. */
void collector_way_take_snapshot(struct collector *collector)
{
	collector->snapshot_due = false;
	collector_way_flush(collector);
	if (!collector->store_failing)
		checkpoint_take(
			collector->checkpoint, collector->pipeline, collector->fed);
}

void collector_way_feed(
	void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct collector *collector = arg;

	if (collector->snapshot_due && moment_before(collector->fed, origin->rx))
		collector_way_take_snapshot(collector);
	collector->fed = origin->rx;
	pipeline_feed(collector->pipeline, origin, obs);
}

void collector_way_learn_role(void *arg, const char *probe, enum obs_role role)
{
	struct collector *collector = arg;

	ingest_learn(collector->ingest, probe, role);
}

void collector_way_feed_again(
	void *arg, const struct wire_origin *origin, const struct obs *obs)
{
	struct collector *collector = arg;

	if (obs->kind == OBS_HELLO)
		collector_way_learn_role(collector, origin->probe, obs->hello.role);
	collector->fed = origin->rx;
	pipeline_feed(collector->pipeline, origin, obs);
}

static struct moment whole_second(struct moment at)
{
	return (struct moment){at.us - at.us % MOMENT_SECOND_US};
}

static void let_time_pass(struct collector *collector)
{
	struct moment second = whole_second(ingest_settled(collector->ingest));

	if (!moment_before(collector->passed, second))
		return;
	collector->passed = second;
	pipeline_advance(collector->pipeline, second);
}

/* While batches come one behind the other, feed finds the place between two of them. */
static void snapshot_if_due(struct collector *collector)
{
	int64_t every = collector->config->journal_snapshot_us / MOMENT_SECOND_US;

	collector->snapshot_due |= collector->seconds % every == 0;
	if (collector->snapshot_due && collector->fed.us &&
		moment_before(collector->fed, ingest_settled(collector->ingest)))
		collector_way_take_snapshot(collector);
}

void collector_way_pass_second(struct collector *collector)
{
	struct fault fault = {0};

	let_time_pass(collector);
	collector_way_flush(collector);
	api_tick(collector->api);
	service_manager_tell(&collector->manager, "WATCHDOG=1");
	++collector->seconds;
	snapshot_if_due(collector);
	if (collector->seconds % GEO_SECONDS == 0 &&
		geo_refresh(collector->geo, &fault) < 0)
		(void)collector_fail(collector, 0, &fault);
}

int collector_way_open_pipeline(struct collector *collector, struct pipeline **out)
{
	const struct collector_config *config = collector->config;
	const struct pipeline_hooks hooks = {
		.observed = observed, .changed = changed, .arg = collector};

	return pipeline_new(
		out, &config->services, &config->judgement, collector->geo, &hooks);
}
