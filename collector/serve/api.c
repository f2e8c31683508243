#include "api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_view.h"
#include "astray/conf.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "event_feed.h"
#include "http_server.h"
#include "secret.h"
#include "store.h"
#include "store_read.h"

#define BASE "/api/v1/"
#define INCIDENTS_AT_ONCE 200
#define POINTS 240 /* of a series, where no step is asked for */
#define OPERATE_LINE_MAX 4096
#define HANDED_ON_MAX 16 /* from an incident to the one that took it up */

struct api {
	struct api_settings settings;
	struct event_feed *feed;
	char *line; /* INCIDENT_LINE_MAX */
	bool caught_up;
};

int api_new(struct api **out, const struct api_settings *settings)
{
	struct api *api = calloc(1, sizeof(*api));

	*out = NULL;
	if (!api)
		return -ENOMEM;
	api->settings = *settings;
	api->line = malloc(INCIDENT_LINE_MAX);
	if (!api->line || event_feed_new(&api->feed)) {
		api_free(api);
		return -ENOMEM;
	}
	*out = api;
	return 0;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	event_feed_free(api->feed);
	free(api->line);
	free(api);
}

void api_caught_up(struct api *api)
{
	api->caught_up = true;
}

void api_changed(
	struct api *api, enum incident_change change, const struct incident *incident)
{
	int len;

	(void)change;
	if (event_feed_listeners(api->feed) == 0)
		return;
	len = incident_encode(api->line, INCIDENT_LINE_MAX, incident);
	if (len > 0)
		event_feed_say(api->feed, "incident", api->line, (size_t)len - 1);
}

void api_tick(struct api *api)
{
	char text[96];
	int len = snprintf(text, sizeof(text),
		"{\"now_us\":%" PRId64 ",\"newest_us\":%" PRId64 "}",
		api->settings.now().us, store_watermark(api->settings.store).us);

	event_feed_say(api->feed, "tick", text, (size_t)len);
}

static void answer_json(struct http_exchange *exchange, int status, const char *text)
{
	static const struct http_header headers[] = {{"cache-control", "no-store"},
		{"x-content-type-options", "nosniff"}, {0}};

	http_server_reply(exchange, &(struct http_reply){.status = status,
					    .content_type = "application/json",
					    .body = text,
					    .body_len = strlen(text),
					    .headers = headers});
}

/* Answers with the text that the view of that result has made, and frees it. By its
 * place: the call that makes it stands beside it, and arguments are made in no order. */
static void answer(struct http_exchange *exchange, int rc, char *const *text)
{
	if (rc == 0)
		answer_json(exchange, 200, *text);
	else if (rc == STATUS_MISSING)
		http_server_refuse(exchange, 404, "there is none of that name");
	else if (rc == STATUS_RANGE)
		http_server_refuse(exchange, 400,
			"from must lie before until, and step be positive");
	else
		http_server_refuse(
			exchange, 500, "the store cannot be read: %s", status_text(rc));
	if (text)
		free(*text);
}

static struct api_view_source source_of(const struct api *api)
{
	return (struct api_view_source){.store = api->settings.store,
		.services = api->settings.services,
		.learning = api->settings.learning,
		.learning_arg = api->settings.learning_arg,
		.now = api->settings.now()};
}

/* A parameter, or NULL when the query has none; too long is as good as wrong: "". */
static const char *parameter(
	struct http_exchange *exchange, const char *name, char *buf, size_t cap)
{
	char whole[1024];

	if (!http_server_parameter(exchange, name, whole, sizeof(whole)))
		return NULL;
	if (strlen(whole) >= cap)
		whole[0] = '\0';
	memcpy(buf, whole, strlen(whole) + 1);
	return buf;
}

/* "10 s", as the configuration writes it, or a number of seconds. */
static int parse_span(int64_t *out, const char *text)
{
	static const struct conf_option table[] = {
		{"step", CONF_SPAN, 0, 0, MOMENT_SECOND_US, 366.0 * MOMENT_DAY_US, NULL,
			""},
		{0}};
	struct json *object = json_new_object();
	struct json_doc *doc = NULL;
	char *end, *json = NULL;
	double seconds = strtod(text, &end);
	int rc = -ENOMEM;

	if (object && end != text && !*end)
		json_add_double(object, "step", seconds);
	else if (object)
		json_add_text(object, "step", text);
	if (object)
		json = json_print_new(object);
	if (json)
		rc = json_parse(&doc, json, strlen(json), 0, NULL);
	if (!rc)
		rc = conf_read(out, table, doc, json_root(doc), "", NULL);
	json_doc_free(doc);
	json_free(object);
	free(json);
	return rc;
}

static void read_series(struct api *api, struct http_exchange *exchange)
{
	char service[OBS_NAME], site[OBS_WORD], from[64], until[64], step[64],
		*text = NULL;
	struct api_view_source source = source_of(api);
	struct store_series_order order = {.until = source.now};

	order.service = parameter(exchange, "service", service, sizeof(service));
	order.site = parameter(exchange, "site", site, sizeof(site));
	if (!order.service || !services_find(source.services, order.service)) {
		http_server_refuse(exchange, order.service ? 404 : 400,
			order.service ? "no service of that name is configured"
				      : "service is missing");
		return;
	}
	if (parameter(exchange, "until", until, sizeof(until)) &&
		moment_parse(&order.until, until)) {
		http_server_refuse(
			exchange, 400, "until is neither RFC 3339 nor microseconds");
		return;
	}
	order.from.us = order.until.us - MOMENT_HOUR_US;
	if (parameter(exchange, "from", from, sizeof(from)) &&
		moment_parse(&order.from, from)) {
		http_server_refuse(
			exchange, 400, "from is neither RFC 3339 nor microseconds");
		return;
	}
	order.step_us = (moment_since_us(order.until, order.from) + POINTS - 1) / POINTS;
	if (parameter(exchange, "step", step, sizeof(step)) &&
		parse_span(&order.step_us, step)) {
		http_server_refuse(
			exchange, 400, "step is no span such as \"10 s\" or \"1 min\"");
		return;
	}
	answer(exchange, api_view_series(&text, &source, &order), &text);
}

static void read_paths(struct api *api, struct http_exchange *exchange)
{
	struct api_view_source source = source_of(api);
	char service[OBS_NAME], *text = NULL;
	int rc = STATUS_MISSING;

	if (!parameter(exchange, "service", service, sizeof(service))) {
		http_server_refuse(exchange, 400, "service is missing");
		return;
	}
	if (services_find(source.services, service))
		rc = api_view_paths(&text, &source, service);
	answer(exchange, rc, &text);
}

static void read_incidents(struct api *api, struct http_exchange *exchange)
{
	struct api_view_source source = source_of(api);
	char service[OBS_NAME], state[32], before[64], limit[16], *text = NULL;
	const char *of_service = parameter(exchange, "service", service, sizeof(service));
	const char *in_state = parameter(exchange, "state", state, sizeof(state));
	struct moment before_at = {0};
	long count = INCIDENTS_AT_ONCE;

	if (parameter(exchange, "before", before, sizeof(before)) &&
		moment_parse(&before_at, before)) {
		http_server_refuse(
			exchange, 400, "before is neither RFC 3339 nor microseconds");
		return;
	}
	if (parameter(exchange, "limit", limit, sizeof(limit))) {
		char *end;

		count = strtol(limit, &end, 10);
		if (*end || end == limit || count < 1 || count > INCIDENTS_AT_ONCE) {
			http_server_refuse(exchange, 400, "limit must be 1 to %d",
				INCIDENTS_AT_ONCE);
			return;
		}
	}
	answer(exchange,
		api_view_incidents(
			&text, &source, of_service, in_state, before_at.us, count),
		&text);
}

static void read_services(struct api *api, struct http_exchange *exchange)
{
	struct api_view_source source = source_of(api);
	char *text = NULL;

	answer(exchange, api_view_services(&text, &source), &text);
}

static void read_probes(struct api *api, struct http_exchange *exchange)
{
	struct api_view_source source = source_of(api);
	char *text = NULL;

	answer(exchange, api_view_probes(&text, &source), &text);
}

static void read_about(struct api *api, struct http_exchange *exchange)
{
	struct json *root = json_new_object();
	char *text = NULL;

	if (root) {
		json_add_text(root, "version", ASTRAY_VERSION);
		json_add_text(root, "geo", api->settings.geo ? api->settings.geo : "");
		json_add_bool(root, "token", api->settings.token != NULL);
		text = json_print_new(root);
	}
	json_free(root);
	answer(exchange, text ? 0 : -ENOMEM, &text);
}

static void listen_to_events(struct api *api, struct http_exchange *exchange)
{
	event_feed_join(api->feed, exchange);
}

/* What an operator says */

/* The authority of a URL or Host header without its port, as it stands between "//" and
 * "/". */
static void host_of(char *out, size_t cap, const char *text)
{
	const char *at = strstr(text, "//");
	size_t len;

	at = at ? at + 2 : text;
	len = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/");
	if (len >= cap)
		len = 0;
	(void)snprintf(out, cap, "%.*s", (int)len, at);
}

static bool is_literal(const char *host)
{
	struct address address;
	char bare[64];
	size_t len = strlen(host);

	if (strcmp(host, "localhost") == 0)
		return true;
	if (host[0] != '[' || len < 2 || len - 2 >= sizeof(bare))
		return address_parse(&address, host) == 0;
	(void)snprintf(bare, sizeof(bare), "%.*s", (int)(len - 2), host + 1);
	return address_parse(&address, bare) == 0;
}

/* A browser says where a request comes from; another page's is refused. Without a token a
 * name in Host must be ours as well: a stranger's name may have been pointed at this
 * machine. */
static const char *foreign(const struct api *api, struct http_exchange *exchange)
{
	const char *origin = http_server_header(exchange, "origin");
	const char *host = http_server_header(exchange, "host");
	const char *type = http_server_header(exchange, "content-type");
	const char *site = http_server_header(exchange, "sec-fetch-site");
	char ours[256], theirs[256], asked[256];

	host_of(ours, sizeof(ours), api->settings.url ? api->settings.url : "");
	host_of(asked, sizeof(asked), host ? host : "");
	host_of(theirs, sizeof(theirs), origin ? origin : "");
	if (!type || strncmp(type, "application/json", strlen("application/json")) != 0)
		return "the body must be application/json";
	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return "it comes from another site";
	if (origin && strcmp(theirs, asked) != 0 && strcmp(theirs, ours) != 0)
		return "it comes from another site";
	if (!api->settings.token && !is_literal(asked) && strcmp(asked, ours) != 0)
		return "this collector is not known by that name: set web.url, or "
		       "web.token_file";
	return NULL;
}

static bool may_operate(struct api *api, struct http_exchange *exchange)
{
	const char *why = foreign(api, exchange);
	const char *token = secret_bearer(http_server_header(exchange, "authorization"));

	if (why) {
		http_server_refuse(exchange, 403, "%s", why);
		return false;
	}
	if (api->settings.token &&
		(!token || !secret_matches(api->settings.token, token))) {
		http_server_refuse(
			exchange, 401, "a bearer token is needed (web.token_file)");
		return false;
	}
	return true;
}

static void operated(void *arg, int rc)
{
	struct http_exchange *exchange = arg;

	if (rc)
		http_server_refuse(
			exchange, 503, "it could not be kept: %s", status_text(rc));
	else
		answer_json(exchange, 200, "{\"taken\":true}");
}

static void operate(
	struct api *api, struct http_exchange *exchange, const struct obs *obs)
{
	char line[OPERATE_LINE_MAX];
	int len = wire_encode(line, sizeof(line), obs), rc;

	if (len < 0) {
		http_server_refuse(exchange, 400, "it is too long");
		return;
	}
	rc = api->settings.operate ? api->settings.operate(api->settings.operate_arg,
					     line, (size_t)len - 1, operated, exchange)
				   : STATUS_UNSUPPORTED;
	if (rc)
		http_server_refuse(exchange, 503, "not now: %s", status_text(rc));
}

/* Reads the body by a table of options, strictly. */
static bool read_body(
	struct http_exchange *exchange, void *into, const struct conf_option *table)
{
	const struct http_request *request = http_server_request(exchange);
	struct json_doc *doc = NULL;
	struct fault fault = {0};
	int rc = json_parse(&doc, request->body, request->body_len, 0, &fault);

	if (!rc)
		rc = conf_read(into, table, doc, json_root(doc), "", &fault);
	json_doc_free(doc);
	if (rc)
		http_server_refuse(exchange, 400, "%s%s%s", fault.field,
			fault.field[0] ? ": " : "", fault.why);
	return rc == 0;
}

struct whereabouts {
	char id[OBS_WORD];
	bool resolved, handed_on;
};

static void note_whereabouts(void *arg, const struct store_incident *row)
{
	struct whereabouts *now = arg;
	struct json_doc *doc = NULL;
	const char *into = NULL;

	now->resolved = strcmp(row->state, "resolved") == 0;
	if (json_parse(&doc, row->line, strlen(row->line), 0, NULL) == 0)
		into = json_as_text(json_member(json_root(doc), "part_of"));
	now->handed_on = into != NULL;
	if (into)
		(void)snprintf(now->id, sizeof(now->id), "%.63s", into);
	json_doc_free(doc);
}

/* What was taken up by another is acknowledged there. */
static int find_whereabouts(struct api *api, struct whereabouts *now, const char *id)
{
	int rc = 0;

	*now = (struct whereabouts){.handed_on = true};
	(void)snprintf(now->id, sizeof(now->id), "%.63s", id);
	for (unsigned i = 0; i < HANDED_ON_MAX && now->handed_on && rc == 0; i++) {
		char asked[OBS_WORD];

		memcpy(asked, now->id, sizeof(asked));
		now->handed_on = false;
		rc = store_read_incident(
			api->settings.store, asked, note_whereabouts, now);
	}
	return rc;
}

static void acknowledge(struct api *api, struct http_exchange *exchange, const char *id)
{
	static const struct conf_option table[] = {
		{"by", CONF_TEXT, offsetof(struct obs_acknowledge, by), OBS_WORD, 0, 0,
			NULL, "who"},
		{"note", CONF_TEXT, offsetof(struct obs_acknowledge, note), OBS_TEXT, 0,
			0, NULL, "why"},
		{0}};
	struct whereabouts now;
	struct obs *obs;
	int rc;

	if (!may_operate(api, exchange))
		return;
	rc = find_whereabouts(api, &now, id);
	if (rc) {
		answer(exchange, rc, NULL);
		return;
	}
	if (now.resolved) {
		http_server_refuse(exchange, 409,
			"%s is resolved: nothing is left to acknowledge", now.id);
		return;
	}
	obs = malloc(sizeof(*obs));
	if (!obs) {
		answer(exchange, -ENOMEM, NULL);
		return;
	}
	obs_init(obs, OBS_ACKNOWLEDGE, api->settings.now());
	(void)snprintf(obs->acknowledge.incident, sizeof(obs->acknowledge.incident), "%s",
		now.id);
	if (read_body(exchange, &obs->acknowledge, table))
		operate(api, exchange, obs);
	free(obs);
}

struct work_order {
	char service[OBS_NAME], site[OBS_WORD], note[OBS_TEXT];
	int64_t from_us, until_us;
};

static const char *work_fault(const struct api *api, const struct work_order *work)
{
	if (strcmp(work->service, "*") != 0 &&
		!services_find(api->settings.services, work->service))
		return "service: none of that name is configured (\"*\" is all)";
	if (work->site[0] && !wire_word_is_valid(work->site))
		return "site: should be 1 to 63 of letters, digits and . _ -";
	if (work->until_us < work->from_us)
		return "until_us: is before from_us";
	return NULL;
}

static void announce(struct api *api, struct http_exchange *exchange)
{
	static const struct conf_option table[] = {
		{"service", CONF_TEXT, offsetof(struct work_order, service), OBS_NAME, 0,
			0, "\"*\"", "which"},
		{"site", CONF_TEXT, offsetof(struct work_order, site), OBS_WORD, 0, 0,
			NULL, "where"},
		{"from_us", CONF_INT, offsetof(struct work_order, from_us), 0, 0,
			MOMENT_MAX_US, NULL, "from"},
		{"until_us", CONF_INT, offsetof(struct work_order, until_us), 0, 0,
			MOMENT_MAX_US, NULL, "until"},
		{"note", CONF_TEXT, offsetof(struct work_order, note), OBS_TEXT, 0, 0,
			NULL, "why"},
		{0}};
	struct work_order work = {.from_us = api->settings.now().us};
	const char *why;
	struct obs *obs;

	if (!may_operate(api, exchange) || !read_body(exchange, &work, table))
		return;
	why = work_fault(api, &work);
	obs = why ? NULL : malloc(sizeof(*obs));
	if (!obs) {
		http_server_refuse(
			exchange, why ? 400 : 503, "%s", why ? why : "no memory is left");
		return;
	}
	obs_init(obs, OBS_MAINTENANCE, api->settings.now());
	(void)snprintf(obs->maintenance.service, OBS_NAME, "%s", work.service);
	(void)snprintf(obs->maintenance.site, OBS_WORD, "%s", work.site);
	(void)snprintf(obs->maintenance.note, OBS_TEXT, "%s", work.note);
	obs->maintenance.from.us = work.from_us;
	obs->maintenance.until.us = work.until_us;
	operate(api, exchange, obs);
	free(obs);
}

/* Which of them it is */

struct route {
	const char *method, *path;
	void (*run)(struct api *api, struct http_exchange *exchange);
};

static const struct route routes[] = {
	{"GET", BASE "services", read_services},
	{"GET", BASE "series", read_series},
	{"GET", BASE "paths", read_paths},
	{"GET", BASE "incidents", read_incidents},
	{"GET", BASE "probes", read_probes},
	{"GET", BASE "about", read_about},
	{"GET", BASE "events", listen_to_events},
	{"POST", BASE "maintenance", announce},
};

static bool run_route(struct api *api, struct http_exchange *exchange)
{
	const struct http_request *request = http_server_request(exchange);

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, request->path) != 0)
			continue;
		if (strcmp(routes[i].method, request->method) == 0)
			routes[i].run(api, exchange);
		else
			http_server_refuse(exchange, 405, "%s takes %s", request->path,
				routes[i].method);
		return true;
	}
	return false;
}

/* What stands behind a prefix, up to the suffix; NULL when either is not there or it is
 * empty. */
static const char *middle(const char *path, const char *prefix, const char *suffix,
	char buf[static OBS_NAME])
{
	size_t before = strlen(prefix), behind = strlen(suffix), len = strlen(path);

	if (strncmp(path, prefix, before) != 0 || len <= before + behind ||
		len - before - behind >= OBS_NAME ||
		strcmp(path + len - behind, suffix) != 0)
		return NULL;
	(void)snprintf(
		buf, OBS_NAME, "%.*s", (int)(len - before - behind), path + before);
	return buf;
}

static void run_named(struct api *api, struct http_exchange *exchange)
{
	const struct http_request *request = http_server_request(exchange);
	struct api_view_source source = source_of(api);
	bool reads = strcmp(request->method, "GET") == 0;
	char name[OBS_NAME], *text = NULL;

	if (middle(request->path, BASE "incidents/", "/acknowledge", name)) {
		if (strcmp(request->method, "POST") == 0)
			acknowledge(api, exchange, name);
		else
			http_server_refuse(exchange, 405, "%s takes POST", request->path);
		return;
	}
	if (reads && middle(request->path, BASE "services/", "", name))
		answer(exchange, api_view_service(&text, &source, name), &text);
	else if (reads && middle(request->path, BASE "incidents/", "", name))
		answer(exchange, api_view_incident(&text, &source, name), &text);
	else
		http_server_refuse(exchange, 404, "%s is nothing here", request->path);
}

static bool run_health(struct api *api, struct http_exchange *exchange)
{
	const char *path = http_server_request(exchange)->path;

	if (strcmp(path, "/-/healthy") == 0)
		answer_json(exchange, 200, "{\"healthy\":true}");
	else if (strcmp(path, "/-/ready") == 0 && api->caught_up)
		answer_json(exchange, 200, "{\"ready\":true}");
	else if (strcmp(path, "/-/ready") == 0)
		http_server_refuse(exchange, 503, "the journal is being read again");
	else
		return false;
	return true;
}

bool api_handle(struct api *api, struct http_exchange *exchange)
{
	if (run_health(api, exchange) || run_route(api, exchange))
		return true;
	if (strncmp(http_server_request(exchange)->path, BASE, strlen(BASE)) != 0)
		return false;
	run_named(api, exchange);
	return true;
}
