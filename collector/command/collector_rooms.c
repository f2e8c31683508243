#include "collector_inside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "astray/now.h"
#include "astray/status.h"
#include "checkpoint.h"
#include "collector_metrics.h"
#include "dashboard.h"
#include "geo.h"
#include "http_server.h"
#include "ingest.h"
#include "journal.h"
#include "metrics.h"
#include "notify.h"
#include "pipeline.h"
#include "store.h"

static int operate(void *arg, const char *line, size_t len,
	void (*done)(void *done_arg, int rc), void *done_arg)
{
	struct collector *collector = arg;

	return ingest_say(collector->ingest, line, len, done, done_arg, NULL);
}

static void write_own_metrics(void *arg, struct metric_text *text)
{
	struct collector *collector = arg;
	struct collector_sample sample = {
		.behind_us = moment_since_us(journal_now(collector->journal),
			ingest_settled(collector->ingest))};

	if (collector->probes)
		http_server_read_counters(collector->probes, &sample.probes);
	if (collector->web)
		http_server_read_counters(collector->web, &sample.web);
	ingest_read_counters(collector->ingest, &sample.ingest);
	journal_read_counters(collector->journal, &sample.journal);
	pipeline_read_counters(collector->pipeline, &sample.pipeline);
	notify_read_counters(collector->notify, &sample.notify);
	collector_metrics_write(text, &sample);
}

void collector_rooms_asked(void *arg, struct http_exchange *exchange)
{
	struct collector *collector = arg;

	if (collector->stopping)
		http_server_refuse(exchange, 503, "the collector is ending");
	else if (api_handle(collector->api, exchange))
		return;
	else if (strcmp(http_server_request(exchange)->path, "/metrics") == 0)
		metrics_answer(collector->metrics, exchange);
	else if (!dashboard_answer(exchange))
		http_server_refuse(exchange, 404, "there is nothing here");
}

static bool what_is_learnt(
	void *arg, const char *service, struct learning out[static LEARNING_ABILITIES])
{
	struct collector *collector = arg;

	return collector->pipeline &&
	       pipeline_learning(collector->pipeline, service, out);
}

static int open_store(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];
	const struct store_settings settings = {
		.file = collector_config_file(config, "store.db", file),
		.keep_us = config->store_keep_us};
	const struct metrics_settings metrics = {.services = &config->services,
		.now = now_moment,
		.learning = what_is_learnt,
		.learning_arg = collector,
		.own = write_own_metrics,
		.own_arg = collector};
	int rc = store_open(&collector->store, &settings, fault);

	if (rc == 0) {
		struct metrics_settings mine = metrics;

		mine.store = collector->store;
		rc = metrics_new(&collector->metrics, &mine);
	}
	return rc;
}

static int open_api(struct collector *collector)
{
	const struct collector_config *config = collector->config;

	return api_new(&collector->api,
		&(struct api_settings){.store = collector->store,
			.services = &config->services,
			.now = now_moment,
			.token = config->web_token_given ? &config->web_token : NULL,
			.url = config->web_url,
			.geo = geo_credit(collector->geo),
			.learning = what_is_learnt,
			.learning_arg = collector,
			.operate = operate,
			.operate_arg = collector});
}

static int open_notify(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];

	return notify_open(&collector->notify, &collector->loop,
		&(struct notify_settings){
			.file = collector_config_file(config, "notify.db", file),
			.dashboard = config->web_url,
			.config = &config->notify,
			.log = collector->log},
		fault);
}

static int open_checkpoint(struct collector *collector)
{
	char file[COLLECTOR_CONFIG_TEXT];

	return checkpoint_new(&collector->checkpoint, &collector->loop,
		collector_config_file(collector->config, COLLECTOR_SNAPSHOT, file),
		collector->log);
}

static int open_journal(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	char file[COLLECTOR_CONFIG_TEXT];
	const struct journal_settings settings = {
		.file = collector_config_file(config, "journal.db", file),
		.keep_us = config->journal_keep_us,
		.keep_bytes = config->journal_keep_bytes};
	struct ingest_rules rules = collector_config_rules(config);
	int rc = journal_open(
		&collector->journal, &collector->loop, &settings, collector->log, fault);

	return rc ? rc
		  : ingest_open(&collector->ingest, &collector->loop, collector->journal,
			    &rules, collector->log, collector_way_feed, collector);
}

int collector_rooms_open(struct collector *collector, struct fault *fault)
{
	const struct collector_config *config = collector->config;
	int rc = geo_open(&collector->geo, config->geo_city, config->geo_asn, fault);

	if (rc == 0)
		rc = open_store(collector, fault);
	if (rc == 0)
		rc = open_notify(collector, fault);
	if (rc == 0)
		rc = open_api(collector);
	if (rc == 0)
		rc = collector_way_open_pipeline(collector, &collector->pipeline);
	if (rc == 0)
		rc = open_checkpoint(collector);
	if (rc == 0)
		rc = open_journal(collector, fault);
	if (rc && !fault->why[0])
		(void)fault_at(fault, rc, "", "%s", status_text(rc));
	return rc;
}

void collector_rooms_free(struct collector *collector)
{
	struct fault fault = {0};

	pipeline_free(collector->pipeline);
	api_free(collector->api);
	metrics_free(collector->metrics);
	store_close(collector->store);
	geo_close(collector->geo);
	if (collector->lock_fd >= 0)
		(void)close(collector->lock_fd);
	if (uv_loop_close(&collector->loop)) {
		(void)fault_at(&fault, -EBUSY, "", "the loop did not end well");
		(void)collector_fail(collector, 0, &fault);
	}
	service_manager_leave(&collector->manager);
	collector_config_free(collector->config);
}
