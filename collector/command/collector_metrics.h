/*
 * The collector's counters about itself, as metrics.
 */
#ifndef ASTRAY_COLLECTOR_METRICS_H
#define ASTRAY_COLLECTOR_METRICS_H

#include "http_server.h"
#include "ingest.h"
#include "journal.h"
#include "metric_text.h"
#include "notify.h"
#include "pipeline.h"

struct collector_sample {
	struct http_counters probes, web;
	struct ingest_counters ingest;
	struct journal_counters journal;
	struct pipeline_counters pipeline;
	struct notify_counters notify;
	int64_t behind_us; /* how old the oldest batch is that waits to be judged */
};

void collector_metrics_write(
	struct metric_text *text, const struct collector_sample *sample);

#endif
