#include "collector_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "api.h"
#include "astray/now.h"
#include "checkpoint.h"
#include "notify.h"
#include "pipeline.h"
#include "rebuild.h"
#include "store.h"

#define PROGRESS_US (5 * MOMENT_SECOND_US)
#define TURN_US (MOMENT_SECOND_US / 10)

static void tell_progress(struct collector *collector, unsigned percent)
{
	char state[128];

	log_info(collector->log, "collector", "the journal is judged again: %u %%",
		percent);
	(void)snprintf(state, sizeof(state),
		"STATUS=judging the journal again: %u %%\nEXTEND_TIMEOUT_USEC=%" PRId64
		"\nWATCHDOG=1",
		percent, 12 * PROGRESS_US);
	service_manager_tell(&collector->manager, state);
	collector_way_flush(collector);
}

static bool rebuild_turned(void *arg, unsigned percent)
{
	struct collector *collector = arg;
	struct tick now = now_tick();

	if (tick_since_us(now, collector->turned_at) < TURN_US)
		return true;
	collector->turned_at = now;
	if (tick_since_us(now, collector->progress_at) >= PROGRESS_US) {
		collector->progress_at = now;
		tell_progress(collector, percent);
	}
	(void)uv_run(&collector->loop, UV_RUN_NOWAIT); /* a signal may end it here */
	return !collector->stopping;
}

/* The state of the last snapshot; the journal goes on behind collector->fed. */
static int take_up_snapshot(struct collector *collector, struct fault *fault)
{
	char file[COLLECTOR_CONFIG_TEXT];
	struct checkpoint_bounds bounds = {.store = store_watermark(collector->store)};
	int rc = rebuild_newest(
		collector_config_file(collector->config, "journal.db", file),
		&bounds.journal, fault);

	if (rc)
		return rc;
	rc = checkpoint_read(
		collector->checkpoint, collector->pipeline, &bounds, &collector->fed);
	if (rc == -ENOENT)
		return 0;
	if (rc) {
		pipeline_free(collector->pipeline);
		collector->pipeline = NULL;
		return collector_way_open_pipeline(collector, &collector->pipeline);
	}
	pipeline_probes(collector->pipeline, collector_way_learn_role, collector);
	pipeline_recall(collector->pipeline);
	return 0;
}

int collector_resume(struct collector *collector, struct fault *fault)
{
	char file[COLLECTOR_CONFIG_TEXT];
	struct rebuild_result result;
	struct tick start = now_tick();
	char span[MOMENT_TEXT];
	int rc = take_up_snapshot(collector, fault);

	if (rc)
		return rc;
	collector->progress_at = start;
	rc = rebuild_run(
		&(struct rebuild_order){.file = collector_config_file(
						collector->config, "journal.db", file),
			.span_us = collector->config->journal_rebuild_us,
			.after = collector->fed,
			.log = collector->log,
			.feed = collector_way_feed_again,
			.turn = rebuild_turned,
			.arg = collector},
		&result, fault);
	if (rc || result.broken_off)
		return rc;
	collector->whole = collector->snapshot_due = true;
	notify_caught_up(collector->notify);
	api_caught_up(collector->api);
	collector_way_flush(collector);
	log_info(collector->log, "collector",
		"judged %" PRIu64 " observations of %" PRIu64 " batches again in %s",
		result.observations, result.batches,
		moment_span_text(tick_since_us(now_tick(), start), span));
	if (result.unreadable)
		log_warn(collector->log, "collector",
			"%" PRIu64
			" lines of the journal are not of this version, passed over",
			result.unreadable);
	return 0;
}
