#include "collector_metrics.h"

#include <stddef.h>

#define PREFIX "astray_collector_"
#define US_PER_SECOND 1e6

struct row {
	const char *name;
	enum metric_type type;
	size_t offset; /* of a uint64_t in the sample */
	const char *help;
};

#define ROW(name, type, member, help)                                              \
	{                                                                          \
		PREFIX name, type, offsetof(struct collector_sample, member), help \
	}

static const struct row rows[] = {
	ROW("batches_total", METRIC_COUNTER, journal.batches, "Batches made durable."),
	ROW("observations_total", METRIC_COUNTER, journal.observations,
		"Observations made durable."),
	ROW("journal_bytes_total", METRIC_COUNTER, journal.bytes,
		"Bytes of batches made durable."),
	ROW("journal_commits_total", METRIC_COUNTER, journal.commits,
		"Commits of the journal."),
	ROW("journal_failures_total", METRIC_COUNTER, journal.failures,
		"Batches that could not be made durable, and were not acknowledged."),
	ROW("journal_forgotten_batches_total", METRIC_COUNTER, journal.forgotten_batches,
		"Batches that went by age or size."),
	ROW("journal_waiting_batches", METRIC_GAUGE, journal.waiting_batches,
		"Batches that wait for a commit."),
	ROW("duplicate_batches_total", METRIC_COUNTER, journal.duplicates,
		"Batches that were there already."),
	ROW("refused_batches_total", METRIC_COUNTER, ingest.refused_batches,
		"Batches that were not what the wire contract says."),
	ROW("unauthorized_requests_total", METRIC_COUNTER, ingest.unauthorized,
		"Requests of nobody we know."),
	ROW("put_off_batches_total", METRIC_COUNTER, ingest.put_off,
		"Batches that are to be sent again: quota, overload, or a disk that "
		"fails."),
	ROW("received_bytes_total", METRIC_COUNTER, ingest.received_bytes,
		"Bytes of batches as sent."),
	ROW("expanded_bytes_total", METRIC_COUNTER, ingest.expanded_bytes,
		"Bytes of batches as expanded."),
	ROW("waiting_observations", METRIC_GAUGE, ingest.waiting_observations,
		"Durable and acknowledged, not yet judged."),
	ROW("waiting_bytes", METRIC_GAUGE, ingest.waiting_bytes,
		"Memory of what waits for the journal or to be judged."),
	ROW("known_probes", METRIC_GAUGE, ingest.probes, "Probes that have spoken."),
	ROW("judged_observations_total", METRIC_COUNTER, pipeline.observations,
		"Observations judged, those of the journal at the start included."),
	ROW("unknown_service_observations_total", METRIC_COUNTER,
		pipeline.unknown_service,
		"Observations of services that are not configured."),
	ROW("late_observations_total", METRIC_COUNTER, pipeline.late,
		"Observations too old to be judged."),
	ROW("slots_judged_again_total", METRIC_COUNTER, pipeline.judged_again,
		"Slots of traffic judged again because windows came late."),
	ROW("roaming_observations_total", METRIC_COUNTER, pipeline.roaming,
		"Observations of probes away from their site."),
	ROW("refused_keys_total", METRIC_COUNTER, pipeline.refused_keys,
		"States that found no room."),
	ROW("keys", METRIC_GAUGE, pipeline.keys,
		"States of a service at a site that are held."),
	ROW("findings_total", METRIC_COUNTER, pipeline.findings, "Detectors' findings."),
	ROW("messages_told_total", METRIC_COUNTER, notify.told,
		"Messages that were taken."),
	ROW("message_attempts_failed_total", METRIC_COUNTER, notify.failed_attempts,
		"Attempts to tell somebody that failed."),
	ROW("messages_refused_total", METRIC_COUNTER, notify.refused,
		"Messages that the other side refused for good."),
	ROW("messages_dropped_total", METRIC_COUNTER, notify.dropped,
		"Messages dropped for want of room."),
	ROW("messages_waiting", METRIC_GAUGE, notify.waiting, "Messages that wait."),
	{0},
};

struct http_row {
	const char *name;
	enum metric_type type;
	size_t offset; /* in struct http_counters */
	const char *help;
};

#define HTTP_ROW(name, type, member, help)                                      \
	{                                                                       \
		PREFIX name, type, offsetof(struct http_counters, member), help \
	}

static const struct http_row http_rows[] = {
	HTTP_ROW("http_connections_total", METRIC_COUNTER, connections,
		"Connections taken."),
	HTTP_ROW("http_open_connections", METRIC_GAUGE, open_connections,
		"Connections now."),
	HTTP_ROW("http_requests_total", METRIC_COUNTER, requests,
		"Requests that were whole."),
	HTTP_ROW("http_refused_connections_total", METRIC_COUNTER, refused_connections,
		"Connections beyond a limit."),
	HTTP_ROW("http_bad_requests_total", METRIC_COUNTER, bad_requests,
		"Requests that broke the rules."),
	HTTP_ROW("http_timeouts_total", METRIC_COUNTER, timeouts,
		"Peers that were too slow."),
	HTTP_ROW("http_tls_failures_total", METRIC_COUNTER, tls_failures,
		"TLS connections that failed."),
	{0},
};

static double number_at(const void *base, size_t offset)
{
	return (double)*(const uint64_t *)((const char *)base + offset);
}

static void write_http(struct metric_text *text, const struct collector_sample *sample)
{
	static const struct metric_label probes[] = {{"listener", "probes"}, {0}};
	static const struct metric_label web[] = {{"listener", "web"}, {0}};

	for (const struct http_row *row = http_rows; row->name; row++) {
		metric_text_family(text, row->name, row->type, row->help);
		metric_text_sample(text, probes, number_at(&sample->probes, row->offset));
		metric_text_sample(text, web, number_at(&sample->web, row->offset));
	}
}

void collector_metrics_write(
	struct metric_text *text, const struct collector_sample *sample)
{
	for (const struct row *row = rows; row->name; row++)
		metric_text_number(text, row->name, row->type, row->help,
			number_at(sample, row->offset));
	metric_text_number(text, PREFIX "journal_broken", METRIC_GAUGE,
		"1 while the journal cannot be written, and nothing is acknowledged.",
		sample->journal.broken);
	metric_text_number(text, PREFIX "behind_seconds", METRIC_GAUGE,
		"Age of the oldest batch that waits to be judged.",
		(double)sample->behind_us / US_PER_SECOND);
	write_http(text, sample);
}
