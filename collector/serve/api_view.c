#include "api_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/json.h"
#include "astray/status.h"
#include "incident.h"
#include "store.h"
#include "store_read.h"

/* "Now" is a minute that ended a few seconds ago: what probes send late has come by then.
 */
#define RECENT_US (60 * MOMENT_SECOND_US)
#define ARRIVAL_US (10 * MOMENT_SECOND_US)
#define SILENT_US (3 * MOMENT_MINUTE_US)
#define MAINTENANCE_US (7 * MOMENT_DAY_US)

static int finish(char **out, struct json *root, int rc)
{
	*out = rc ? NULL : json_print_new(root);
	json_free(root);
	return rc ? rc : (*out ? 0 : -ENOMEM);
}

static struct json *begin(const struct api_view_source *source)
{
	struct json *root = json_new_object();

	if (root) {
		json_add_int(root, "now_us", source->now.us);
		json_add_int(root, "newest_us", store_watermark(source->store).us);
	}
	return root;
}

static void add_line(struct json *into, const char *key, const char *line)
{
	size_t len = strcspn(line, "\n");

	if (len)
		json_add_raw(into, key, line, len);
	else
		json_add_null(into, key);
}

static void add_time(struct json *into, const char *key, bool timed, double value_us)
{
	if (timed)
		json_add_int(into, key, (int64_t)(value_us + 0.5));
	else
		json_add_null(into, key);
}

/* Services */

struct service_state {
	const char *name;
	struct json *sites;
	int64_t probes, last_us;
	int severity; /* of the worst open incident; -1: none */
	char incident[INCIDENT_ID];
};

static void add_sighting(void *arg, const struct store_sighting *row)
{
	struct service_state *state = arg;
	struct json *site = json_add_object(state->sites, NULL);

	if (site) {
		json_add_text(site, "site", row->site);
		json_add_int(site, "probes", row->probes);
		json_add_int(site, "last_seen_us", row->last_us);
	}
	state->probes += row->probes;
	if (row->last_us > state->last_us)
		state->last_us = row->last_us;
}

static int severity_of(const char *text)
{
	int severity = SEVERITY_PAGE;

	while (severity > 0 &&
		strcmp(incident_severity_text((enum incident_severity)severity), text) !=
			0)
		severity--;
	return severity;
}

static void weigh_incident(void *arg, const struct store_incident *row)
{
	struct service_state *state = arg;
	int severity = severity_of(row->severity);

	if (severity > state->severity) {
		state->severity = severity;
		strncpy(state->incident, row->id, sizeof(state->incident) - 1);
	}
}

static const char *state_text(const struct service_state *state, struct moment now)
{
	if (state->severity >= 0)
		return incident_severity_text((enum incident_severity)state->severity);
	if (!state->last_us)
		return "unseen";
	return now.us - state->last_us > SILENT_US ? "silent" : "ok";
}

static void add_rate(struct json *into, const char *key, const struct store_point *point,
	enum rollup_count which)
{
	if (point->covered_us > 0)
		json_add_double(into, key,
			(double)point->counts[which] * 1e6 / (double)point->covered_us);
	else
		json_add_null(into, key);
}

static void add_failures(struct json *into, const struct store_point *point)
{
	int64_t tries = point->counts[ROLLUP_CHECKS] + point->counts[ROLLUP_CONNECTIONS] +
			point->counts[ROLLUP_RESPONSES];
	int64_t failures = point->counts[ROLLUP_CHECK_FAILURES] +
			   point->counts[ROLLUP_REFUSED] +
			   point->counts[ROLLUP_TIMED_OUT] + point->counts[ROLLUP_RESET] +
			   point->counts[ROLLUP_ERRORS];

	if (tries > 0)
		json_add_double(into, "failure_ratio",
			failures < tries ? (double)failures / (double)tries : 1);
	else
		json_add_null(into, "failure_ratio");
}

static int add_recent(
	struct json *into, const struct api_view_source *source, const char *service)
{
	const struct store_series_order order = {.service = service,
		.from = {source->now.us - ARRIVAL_US - RECENT_US},
		.until = {source->now.us - ARRIVAL_US},
		.whole = true};
	struct store_series series;
	const struct store_point *point;
	int rc = store_series_read(source->store, &series, &order);

	if (rc)
		return rc;
	point = series.points;
	add_rate(into, "requests_per_second", point, ROLLUP_REQUESTS);
	add_time(into, "response_p50_us", point->timed[ROLLUP_RESPONSE],
		point->p50_us[ROLLUP_RESPONSE]);
	add_time(into, "response_p90_us", point->timed[ROLLUP_RESPONSE],
		point->p90_us[ROLLUP_RESPONSE]);
	add_time(into, "response_p99_us", point->timed[ROLLUP_RESPONSE],
		point->p99_us[ROLLUP_RESPONSE]);
	add_time(into, "check_total_us", point->timed[ROLLUP_CHECK_TOTAL],
		point->p50_us[ROLLUP_CHECK_TOTAL]);
	add_failures(into, point);
	free(series.points);
	return 0;
}

/* What is measured of it, and whether it is known long enough to be judged. */
static int add_learning(
	struct json *into, const struct api_view_source *source, const char *service)
{
	struct learning learning[LEARNING_ABILITIES];
	struct json *list = json_add_array(into, "learning");

	if (!list)
		return -ENOMEM;
	if (!source->learning ||
		!source->learning(source->learning_arg, service, learning))
		return 0;
	for (unsigned i = 0; i < LEARNING_ABILITIES; i++) {
		struct json *row = json_add_object(list, NULL);

		if (!row)
			return -ENOMEM;
		json_add_text(
			row, "ability", learning_ability_text((enum learning_ability)i));
		json_add_text(row, "state", learning_state_text(learning[i].state));
		if (learning[i].state == LEARNING_BLIND)
			continue;
		json_add_int(row, "since_us", learning[i].since.us);
		json_add_int(row, "ready_us", learning[i].ready.us);
	}
	return 0;
}

static int add_service(
	struct json *into, const struct api_view_source *source, const char *name)
{
	const struct store_incident_filter filter = {
		.service = name, .state = "open", .limit = 100};
	struct service_state state = {.name = name, .severity = -1};
	int rc;

	json_add_text(into, "name", name);
	state.sites = json_add_array(into, "sites");
	if (!state.sites)
		return -ENOMEM;
	rc = store_read_sightings(source->store, name, add_sighting, &state);
	if (!rc)
		rc = store_read_incidents(source->store, &filter, weigh_incident, &state);
	if (rc)
		return rc;
	json_add_text(into, "state", state_text(&state, source->now));
	if (state.incident[0])
		json_add_text(into, "incident", state.incident);
	else
		json_add_null(into, "incident");
	json_add_int(into, "probes", state.probes);
	if (state.last_us)
		json_add_int(into, "last_seen_us", state.last_us);
	else
		json_add_null(into, "last_seen_us");
	rc = add_recent(into, source, name);
	return rc ? rc : add_learning(into, source, name);
}

int api_view_services(char **out, const struct api_view_source *source)
{
	struct json *root = begin(source);
	struct json *list = root ? json_add_array(root, "services") : NULL;
	int rc = list ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < source->services->count; i++) {
		struct json *row = json_add_object(list, NULL);

		rc = row ? add_service(row, source, source->services->list[i].name)
			 : -ENOMEM;
	}
	return finish(out, root, rc);
}

/* Subjects: paths, names, certificates, checks, registrations */

static void add_form(struct json *into, const char *key, const struct store_form *form)
{
	struct json *object;

	if (!form->line[0]) {
		json_add_null(into, key);
		return;
	}
	object = json_add_object(into, key);
	if (!object)
		return;
	json_add_int(object, "first_us", form->first_us);
	json_add_int(object, "last_us", form->last_us);
	add_line(object, "observation", form->line);
}

static void add_subject(void *arg, const struct store_subject *row)
{
	struct json *object = json_add_object(arg, NULL);

	if (!object)
		return;
	json_add_text(object, "name", row->name);
	json_add_text(object, "site", row->site);
	json_add_text(object, "probe", row->probe);
	json_add_int(object, "since_us", row->since_us);
	json_add_int(object, "seen_us", row->at_us);
	add_form(object, "now", &row->now);
	add_form(object, "before", &row->before);
}

static int add_subjects(struct json *into, const char *key,
	const struct api_view_source *source, const char *kind, const char *service,
	const char *name)
{
	struct json *list = json_add_array(into, key);

	return list ? store_read_subjects(
			      source->store, kind, service, name, add_subject, list)
		    : -ENOMEM;
}

int api_view_paths(char **out, const struct api_view_source *source, const char *service)
{
	struct json *root = begin(source);
	int rc = root ? add_subjects(root, "paths", source, "path", service, NULL)
		      : -ENOMEM;

	return finish(out, root, rc);
}

struct work_list {
	struct json *into;
	const char *service;
};

static void add_work(void *arg, const struct store_work *row)
{
	const struct work_list *list = arg;
	struct json *object;

	if (strcmp(row->service, "*") != 0 && strcmp(row->service, list->service) != 0)
		return;
	object = json_add_object(list->into, NULL);
	if (!object)
		return;
	json_add_text(object, "service", row->service);
	json_add_text(object, "site", row->site);
	json_add_int(object, "from_us", row->from_us);
	json_add_int(object, "until_us", row->until_us);
	json_add_text(object, "note", row->note);
}

/* The registration of the zone, or of a domain above it. */
static int add_registrations(
	struct json *into, const struct api_view_source *source, const char *zone)
{
	struct json *list = json_add_array(into, "registry");
	int rc = list ? 0 : -ENOMEM;

	for (const char *at = zone; !rc && at && *at; at = strchr(at, '.')) {
		at += *at == '.';
		rc = store_read_subjects(
			source->store, "registry", "", at, add_subject, list);
	}
	return rc;
}

int api_view_service(char **out, const struct api_view_source *source, const char *name)
{
	const struct service *service = services_find(source->services, name);
	struct work_list work = {.service = name};
	struct json *root, *object;
	int rc;

	*out = NULL;
	if (!service)
		return STATUS_MISSING;
	root = begin(source);
	object = root ? json_add_object(root, "service") : NULL;
	rc = object ? add_service(object, source, name) : -ENOMEM;
	if (!rc) {
		json_add_text(object, "url", service->url);
		json_add_text(object, "zone", service->zone);
		rc = add_subjects(root, "names", source, "dns", name, NULL);
	}
	if (!rc)
		rc = add_subjects(
			root, "certificates", source, "certificate", name, NULL);
	if (!rc)
		rc = add_subjects(root, "checks", source, "check", name, NULL);
	if (!rc)
		rc = add_registrations(root, source, service->zone);
	if (!rc) {
		work.into = json_add_array(root, "maintenance");
		rc = work.into ? store_read_maintenance(source->store,
					 source->now.us - MAINTENANCE_US,
					 source->now.us + MAINTENANCE_US, add_work, &work)
			       : -ENOMEM;
	}
	return finish(out, root, rc);
}

/* Series: one array for each quantity, all as long as "at_us" */

static void add_counts(struct json *into, const char *key,
	const struct store_series *series, enum rollup_count which)
{
	struct json *list = json_add_array(into, key);

	for (size_t i = 0; list && i < series->count; i++) {
		if (series->points[i].seen)
			json_add_int(list, NULL, series->points[i].counts[which]);
		else
			json_add_null(list, NULL);
	}
}

static void add_rates(struct json *into, const struct store_series *series)
{
	struct json *list = json_add_array(into, "requests_per_second");

	for (size_t i = 0; list && i < series->count; i++)
		add_rate(list, NULL, &series->points[i], ROLLUP_REQUESTS);
}

static void add_quantiles(struct json *into, const char *key,
	const struct store_series *series, enum rollup_sketch which, int percent)
{
	struct json *list = json_add_array(into, key);

	for (size_t i = 0; list && i < series->count; i++) {
		const struct store_point *point = &series->points[i];

		add_time(list, NULL, point->timed[which],
			percent == 50   ? point->p50_us[which]
			: percent == 90 ? point->p90_us[which]
					: point->p99_us[which]);
	}
}

static void add_series(struct json *root, const struct store_series *series)
{
	static const struct {
		const char *key;
		enum rollup_count which;
	} counts[] = {{"requests", ROLLUP_REQUESTS}, {"responses", ROLLUP_RESPONSES},
		{"errors", ROLLUP_ERRORS}, {"connections", ROLLUP_CONNECTIONS},
		{"refused", ROLLUP_REFUSED}, {"timed_out", ROLLUP_TIMED_OUT},
		{"reset", ROLLUP_RESET}, {"retransmits", ROLLUP_RETRANSMITS},
		{"lost_packets", ROLLUP_LOST_PACKETS}, {"sent_bytes", ROLLUP_SENT_BYTES},
		{"received_bytes", ROLLUP_RECEIVED_BYTES}, {"checks", ROLLUP_CHECKS},
		{"check_failures", ROLLUP_CHECK_FAILURES}};
	static const struct {
		const char *key;
		enum rollup_sketch which;
		int percent;
	} times[] = {{"response_p50_us", ROLLUP_RESPONSE, 50},
		{"response_p90_us", ROLLUP_RESPONSE, 90},
		{"response_p99_us", ROLLUP_RESPONSE, 99},
		{"think_p50_us", ROLLUP_THINK, 50},
		{"connect_p50_us", ROLLUP_CONNECT, 50},
		{"connect_p90_us", ROLLUP_CONNECT, 90}, {"rtt_p50_us", ROLLUP_RTT, 50},
		{"check_dns_us", ROLLUP_CHECK_DNS, 50},
		{"check_connect_us", ROLLUP_CHECK_CONNECT, 50},
		{"check_tls_us", ROLLUP_CHECK_TLS, 50},
		{"check_first_byte_us", ROLLUP_CHECK_FIRST_BYTE, 50},
		{"check_total_us", ROLLUP_CHECK_TOTAL, 50},
		{"check_total_p90_us", ROLLUP_CHECK_TOTAL, 90}};
	struct json *at = json_add_array(root, "at_us");

	for (size_t i = 0; at && i < series->count; i++)
		json_add_int(at, NULL, series->points[i].at_us);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		add_counts(root, counts[i].key, series, counts[i].which);
	add_rates(root, series);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		add_quantiles(
			root, times[i].key, series, times[i].which, times[i].percent);
}

int api_view_series(char **out, const struct api_view_source *source,
	const struct store_series_order *order)
{
	struct store_series series;
	struct json *root;
	int rc = store_series_read(source->store, &series, order);

	*out = NULL;
	if (rc)
		return rc;
	root = begin(source);
	if (root) {
		json_add_text(root, "service", order->service);
		if (order->site)
			json_add_text(root, "site", order->site);
		else
			json_add_null(root, "site");
		json_add_int(root, "step_us", series.step_us);
		add_series(root, &series);
	}
	free(series.points);
	return finish(out, root, root ? 0 : -ENOMEM);
}

/* Incidents */

static void add_incident(void *arg, const struct store_incident *row)
{
	add_line(arg, NULL, row->line);
}

int api_view_incidents(char **out, const struct api_view_source *source,
	const char *service, const char *state, int64_t before_us, int64_t limit)
{
	const struct store_incident_filter filter = {.service = service,
		.state = state,
		.before_us = before_us,
		.limit = limit};
	struct json *root = begin(source);
	struct json *list = root ? json_add_array(root, "incidents") : NULL;
	int rc = list ? store_read_incidents(source->store, &filter, add_incident, list)
		      : -ENOMEM;

	return finish(out, root, rc);
}

static void add_note(void *arg, const struct store_note *row)
{
	struct json *object = json_add_object(arg, NULL);

	if (!object)
		return;
	json_add_int(object, "rx_us", row->rx_us);
	json_add_text(object, "by", row->by);
	json_add_text(object, "note", row->note);
}

static void add_whole(void *arg, const struct store_incident *row)
{
	add_line(arg, "incident", row->line);
}

int api_view_incident(char **out, const struct api_view_source *source, const char *id)
{
	struct json *root = begin(source), *list;
	int rc = root ? store_read_incident(source->store, id, add_whole, root) : -ENOMEM;

	if (!rc) {
		list = json_add_array(root, "forms");
		rc = list ? store_read_incident_forms(
				    source->store, id, add_incident, list)
			  : -ENOMEM;
	}
	if (!rc) {
		list = json_add_array(root, "notes");
		rc = list ? store_read_incident_notes(source->store, id, add_note, list)
			  : -ENOMEM;
	}
	return finish(out, root, rc);
}

/* Probes */

struct probe_list {
	struct json *into;
	int64_t now_us;
};

static void add_probe(void *arg, const struct store_probe *row)
{
	const struct probe_list *list = arg;
	struct json *object = json_add_object(list->into, NULL);

	if (!object)
		return;
	json_add_text(object, "name", row->name);
	json_add_text(object, "site", row->site);
	json_add_text(object, "state",
		list->now_us - row->last_us > SILENT_US ? "silent" : "live");
	json_add_int(object, "first_seen_us", row->first_us);
	json_add_int(object, "last_seen_us", row->last_us);
	json_add_int(object, "behind_us", row->behind_us);
	add_line(object, "hello", row->hello);
	add_line(object, "health", row->health);
}

int api_view_probes(char **out, const struct api_view_source *source)
{
	struct json *root = begin(source);
	struct probe_list list = {.into = root ? json_add_array(root, "probes") : NULL,
		.now_us = source->now.us};
	int rc = list.into ? store_read_probes(source->store, add_probe, &list) : -ENOMEM;

	return finish(out, root, rc);
}
