#include "metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_server.h"
#include "service_totals.h"
#include "store.h"
#include "store_read.h"

#define SECONDS 1e-6
#define SITES 500
/* A probe sends something at least every minute; three of them missed is silence. */
#define SILENT_US (3 * MOMENT_MINUTE_US)

struct metrics {
	struct metrics_settings settings;
	struct moment start;
	struct service_totals totals;
	double changes[INCIDENT_CHANGE_UPDATED]; /* said to the outside, by what happened
						  */
};

int metrics_new(struct metrics **out, const struct metrics_settings *settings)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	*out = NULL;
	if (!metrics)
		return -ENOMEM;
	metrics->settings = *settings;
	metrics->start = settings->now();
	if (service_totals_open(&metrics->totals)) {
		free(metrics);
		return -ENOMEM;
	}
	*out = metrics;
	return 0;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	service_totals_close(&metrics->totals);
	free(metrics);
}

void metrics_observed(
	struct metrics *metrics, const struct wire_origin *origin, const struct obs *obs)
{
	if (!moment_before(origin->rx, metrics->start))
		service_totals_add(&metrics->totals,
			store_read_site(metrics->settings.store, origin->probe), obs);
}

void metrics_changed(struct metrics *metrics, enum incident_change change,
	const struct incident *incident)
{
	if (change != INCIDENT_CHANGE_UPDATED &&
		!moment_before(incident->rx, metrics->start))
		metrics->changes[change]++;
}

static void write_process(struct metric_text *text, struct moment start)
{
	long ticks = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	unsigned long long user = 0, system = 0;
	long resident = 0;
	FILE *file = fopen("/proc/self/stat", "re");

	if (file) {
		if (fscanf(file,
			    "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu "
			    "%llu %*d %*d "
			    "%*d %*d %*d %*d %*u %*u %ld",
			    &user, &system, &resident) != 3)
			user = system = 0;
		(void)fclose(file);
	}
	metric_text_number(text, "process_cpu_seconds_total", METRIC_COUNTER,
		"Processor time used.", (double)(user + system) / (double)ticks);
	metric_text_number(text, "process_resident_memory_bytes", METRIC_GAUGE,
		"Memory held in RAM.", (double)resident * (double)page);
	metric_text_number(text, "process_start_time_seconds", METRIC_GAUGE,
		"When the program began.", (double)start.us * SECONDS);
}

struct totals_column {
	const char *name, *help;
	size_t offset;
};

static const struct totals_column counters[] = {
	{"astray_service_connections_total", "Connections seen in traffic.",
		offsetof(struct service_totals_row, connections)},
	{"astray_service_connection_failures_total",
		"Connections refused, timed out or reset, in traffic.",
		offsetof(struct service_totals_row, connection_failures)},
	{"astray_service_requests_total", "Requests seen in traffic.",
		offsetof(struct service_totals_row, requests)},
	{"astray_service_responses_total", "Responses seen in traffic.",
		offsetof(struct service_totals_row, responses)},
	{"astray_service_errors_total", "Responses known to be failures.",
		offsetof(struct service_totals_row, errors)},
	{"astray_service_retransmits_total", "Segments sent again, in traffic.",
		offsetof(struct service_totals_row, retransmits)},
	{"astray_service_checks_total", "Active checks.",
		offsetof(struct service_totals_row, checks)},
	{"astray_service_check_failures_total", "Active checks that failed.",
		offsetof(struct service_totals_row, check_failures)},
};

static const struct totals_column histograms[] = {
	{"astray_service_response_seconds",
		"From a request to the first byte of its response.",
		offsetof(struct service_totals_row, response)},
	{"astray_service_connect_seconds", "From SYN to SYN-ACK.",
		offsetof(struct service_totals_row, connect)},
	{"astray_service_check_seconds", "Active checks from beginning to end.",
		offsetof(struct service_totals_row, check)},
};

/* Interpolated inside a sketch's bucket they have fractions; rounded down they stay
 * cumulative. */
static void write_times(struct metric_text *text, const struct metric_label *labels,
	const struct service_times *times)
{
	double counts[SERVICE_TOTALS_BUCKETS];

	for (int i = 0; i < SERVICE_TOTALS_BUCKETS; i++)
		counts[i] = floor(times->counts[i]);
	metric_text_histogram(text, labels, service_totals_bounds_s, counts,
		SERVICE_TOTALS_BUCKETS, times->total, times->sum_s);
}

static void write_totals(struct metric_text *text, const struct service_totals *totals)
{
	for (size_t c = 0; c < sizeof(counters) / sizeof(counters[0]); c++) {
		metric_text_family(
			text, counters[c].name, METRIC_COUNTER, counters[c].help);
		for (size_t i = 0; i < totals->count; i++) {
			const struct service_totals_row *row = &totals->rows[i];
			const struct metric_label labels[] = {
				{"service", row->service}, {"site", row->site}, {0}};

			metric_text_sample(text, labels,
				*(const double *)((const char *)row +
						  counters[c].offset));
		}
	}
	for (size_t h = 0; h < sizeof(histograms) / sizeof(histograms[0]); h++) {
		metric_text_family(
			text, histograms[h].name, METRIC_HISTOGRAM, histograms[h].help);
		for (size_t i = 0; i < totals->count; i++) {
			const struct service_totals_row *row = &totals->rows[i];
			const struct metric_label labels[] = {
				{"service", row->service}, {"site", row->site}, {0}};

			write_times(text, labels,
				(const struct service_times *)(const void
						*)((const char *)row +
						   histograms[h].offset));
		}
	}
	metric_text_number(text, "astray_metrics_refused_observations_total",
		METRIC_COUNTER, "Observations left out of the totals for want of room.",
		(double)totals->refused);
}

static void write_sighting(void *arg, const struct store_sighting *row)
{
	const struct metric_label labels[] = {
		{"service", row->service}, {"site", row->site}, {0}};

	metric_text_sample(arg, labels, (double)row->last_us * SECONDS);
}

struct path_times {
	size_t paths;
	int64_t changed_us;
};

static void gather_path(void *arg, const struct store_subject *row)
{
	struct path_times *times = arg;

	times->paths++;
	if (row->before.line[0] && row->since_us > times->changed_us)
		times->changed_us = row->since_us;
}

static void write_paths(struct metrics *metrics, struct metric_text *text)
{
	const struct services *services = metrics->settings.services;
	struct path_times *times = calloc(services->count + 1, sizeof(*times));

	for (size_t i = 0; times && i < services->count; i++)
		(void)store_read_subjects(metrics->settings.store, "path",
			services->list[i].name, NULL, gather_path, &times[i]);
	metric_text_family(text, "astray_service_paths", METRIC_GAUGE,
		"Paths followed, one for each probe and flow.");
	for (size_t i = 0; times && i < services->count; i++)
		metric_text_sample(text,
			(const struct metric_label[]){
				{"service", services->list[i].name}, {0}},
			(double)times[i].paths);
	metric_text_family(text, "astray_path_changed_timestamp_seconds", METRIC_GAUGE,
		"When a path to the service last took another way; 0: never seen to.");
	for (size_t i = 0; times && i < services->count; i++)
		metric_text_sample(text,
			(const struct metric_label[]){
				{"service", services->list[i].name}, {0}},
			(double)times[i].changed_us * SECONDS);
	free(times);
}

/* 0 while it is being learnt, 1 when it may page; what nobody measures has no row. */
static void write_learning(struct metrics *metrics, struct metric_text *text)
{
	const struct services *services = metrics->settings.services;
	struct learning learning[LEARNING_ABILITIES];

	if (!metrics->settings.learning)
		return;
	metric_text_family(text, "astray_service_learnt", METRIC_GAUGE,
		"Whether what is measured of a service is known long enough to page, or "
		"bound by policy.");
	for (size_t i = 0; i < services->count; i++) {
		const char *name = services->list[i].name;

		if (!metrics->settings.learning(
			    metrics->settings.learning_arg, name, learning))
			continue;
		for (unsigned k = 0; k < LEARNING_ABILITIES; k++)
			if (learning[k].state != LEARNING_BLIND)
				metric_text_sample(text,
					(const struct metric_label[]){{"service", name},
						{"ability",
							learning_ability_text((
								enum learning_ability)k)},
						{0}},
					learning[k].state >= LEARNING_POLICY);
	}
}

struct open_incidents {
	const struct services *services;
	unsigned char *worst; /* by service: 0, or 1 + enum incident_severity */
	double by_severity[SEVERITY_PAGE + 1];
	double acknowledged;
};

static bool names(const char *line, const char *service)
{
	/* A service's name holds no quote, so that its JSON text stands in the line as it
	 * is. */
	const char *list = strstr(line, "\"services\":["),
		   *end = list ? strchr(list, ']') : NULL;
	size_t len = strlen(service);

	for (const char *at = list; at && at < end; at++) {
		at = strstr(at, service);
		if (at && at < end && at[-1] == '"' && at[len] == '"')
			return true;
		if (!at)
			break;
	}
	return false;
}

static void gather_incident(void *arg, const struct store_incident *row)
{
	struct open_incidents *open = arg;
	int severity = SEVERITY_PAGE;

	while (severity > 0 &&
		strcmp(incident_severity_text((enum incident_severity)severity),
			row->severity) != 0)
		severity--;
	open->by_severity[severity]++;
	open->acknowledged += strcmp(row->state, "acknowledged") == 0;
	for (size_t i = 0; open->worst && i < open->services->count; i++)
		if (open->worst[i] < 1 + severity &&
			names(row->line, open->services->list[i].name))
			open->worst[i] = (unsigned char)(1 + severity);
}

static void write_incidents(struct metrics *metrics, struct metric_text *text)
{
	const struct store_incident_filter filter = {.state = "open", .limit = 1000};
	struct open_incidents open = {.services = metrics->settings.services};

	open.worst = calloc(open.services->count + 1, 1);
	(void)store_read_incidents(
		metrics->settings.store, &filter, gather_incident, &open);
	metric_text_family(text, "astray_incidents_open", METRIC_GAUGE,
		"Incidents that are not resolved.");
	for (int i = SEVERITY_PAGE; i >= 0; i--)
		metric_text_sample(text,
			(const struct metric_label[]){
				{"severity", incident_severity_text(
						     (enum incident_severity)i)},
				{0}},
			open.by_severity[i]);
	metric_text_number(text, "astray_incidents_acknowledged", METRIC_GAUGE,
		"Open incidents that somebody has acknowledged.", open.acknowledged);
	metric_text_family(text, "astray_service_incident", METRIC_GAUGE,
		"1 for the worst severity of the service's open incidents.");
	for (size_t s = 0; open.worst && s < open.services->count; s++)
		for (int i = SEVERITY_PAGE; i >= 0; i--)
			metric_text_sample(text,
				(const struct metric_label[]){
					{"service", open.services->list[s].name},
					{"severity", incident_severity_text(
							     (enum incident_severity)i)},
					{0}},
				open.worst[s] == 1 + i);
	free(open.worst);
	metric_text_family(text, "astray_incident_changes_total", METRIC_COUNTER,
		"Changes of incidents that were said to the outside.");
	for (int i = 0; i < INCIDENT_CHANGE_UPDATED; i++)
		metric_text_sample(text,
			(const struct metric_label[]){
				{"change", incident_state_text((enum incident_state)i)},
				{0}},
			metrics->changes[i]);
}

struct site_probes {
	int64_t now_us;
	size_t count;
	struct {
		char site[OBS_WORD];
		double live, silent;
	} sites[SITES];
};

static void gather_probe(void *arg, const struct store_probe *row)
{
	struct site_probes *probes = arg;
	size_t i = 0;

	while (i < probes->count && strcmp(probes->sites[i].site, row->site) != 0)
		i++;
	if (i == SITES)
		return;
	if (i == probes->count)
		(void)snprintf(
			probes->sites[probes->count++].site, OBS_WORD, "%s", row->site);
	if (probes->now_us - row->last_us > SILENT_US)
		probes->sites[i].silent++;
	else
		probes->sites[i].live++;
}

static void write_probes(struct metrics *metrics, struct metric_text *text)
{
	struct site_probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return;
	probes->now_us = metrics->settings.now().us;
	(void)store_read_probes(metrics->settings.store, gather_probe, probes);
	metric_text_family(text, "astray_probes", METRIC_GAUGE,
		"Probes by site: live, or silent for more than three minutes.");
	for (size_t i = 0; i < probes->count; i++) {
		metric_text_sample(text,
			(const struct metric_label[]){
				{"site", probes->sites[i].site}, {"state", "live"}, {0}},
			probes->sites[i].live);
		metric_text_sample(text,
			(const struct metric_label[]){{"site", probes->sites[i].site},
				{"state", "silent"}, {0}},
			probes->sites[i].silent);
	}
	free(probes);
}

static void write_store(struct metrics *metrics, struct metric_text *text)
{
	struct store_counters counters_now;

	store_read_counters(metrics->settings.store, &counters_now);
	metric_text_number(text, "astray_collector_store_observations_total",
		METRIC_COUNTER, "Observations taken into the store.",
		(double)counters_now.observations);
	metric_text_number(text, "astray_collector_store_refused_total", METRIC_COUNTER,
		"Observations for which the store had no room.",
		(double)counters_now.refused);
	metric_text_number(text, "astray_collector_store_failures_total", METRIC_COUNTER,
		"Flushes of the store that failed.", (double)counters_now.failures);
	metric_text_number(text, "astray_collector_store_lost_total", METRIC_COUNTER,
		"Observations and changes lost to the store by failed flushes.",
		(double)counters_now.lost);
	metric_text_number(text, "astray_collector_newest_observation_timestamp_seconds",
		METRIC_GAUGE, "When the newest observation in the store arrived.",
		(double)store_watermark(metrics->settings.store).us * SECONDS);
}

char *metrics_text(struct metrics *metrics, bool openmetrics, size_t *len)
{
	struct metric_text *text;

	if (metric_text_new(&text, openmetrics))
		return NULL;
	metric_text_family(
		text, "astray_build_info", METRIC_GAUGE, "The version that runs.");
	metric_text_sample(
		text, (const struct metric_label[]){{"version", ASTRAY_VERSION}, {0}}, 1);
	write_process(text, metrics->start);
	write_totals(text, &metrics->totals);
	metric_text_family(text, "astray_service_last_seen_timestamp_seconds",
		METRIC_GAUGE, "When a probe last told of the service.");
	(void)store_read_sightings(metrics->settings.store, NULL, write_sighting, text);
	write_paths(metrics, text);
	write_learning(metrics, text);
	write_incidents(metrics, text);
	write_probes(metrics, text);
	write_store(metrics, text);
	if (metrics->settings.own)
		metrics->settings.own(metrics->settings.own_arg, text);
	return metric_text_finish(text, len);
}

void metrics_answer(struct metrics *metrics, struct http_exchange *exchange)
{
	const char *accept = http_server_header(exchange, "accept");
	bool openmetrics = accept && strstr(accept, "application/openmetrics-text");
	struct http_reply reply = {.status = 200,
		.content_type = openmetrics ? "application/openmetrics-text; "
					      "version=1.0.0; charset=utf-8"
					    : "text/plain; version=0.0.4; charset=utf-8"};
	char *text = metrics_text(metrics, openmetrics, &reply.body_len);

	if (!text) {
		http_server_refuse(exchange, 503, "no memory is left");
		return;
	}
	reply.body = text;
	http_server_reply(exchange, &reply);
	free(text);
}
