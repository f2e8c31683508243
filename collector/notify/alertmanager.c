#include "alertmanager.h"

#include <string.h>

#include "astray/json.h"

#define ALERT_NAME "AstrayIncident"
#define NAMES_MAX 1024

/* What the alerts of one incident share. */
struct telling {
	const struct notifier_target *target;
	const struct incident *incident;
	const char *dashboard;
	struct json *alerts;
};

static void add_moment(struct json *into, const char *key, struct moment at)
{
	char text[MOMENT_TEXT];

	json_add_text(into, key, moment_text(at, true, text));
}

static void add_labels(struct json *alert, const struct incident *incident,
	const char *what, const char *name, enum incident_severity severity)
{
	struct json *labels = json_add_object(alert, "labels");

	json_add_text(labels, "alertname", ALERT_NAME);
	json_add_text(labels, "incident", incident->id);
	json_add_text(labels, "severity", incident_severity_text(severity));
	if (what)
		json_add_text(labels, what, name);
}

static void add_annotations(struct json *alert, const struct incident *incident)
{
	struct json *annotations = json_add_object(alert, "annotations");
	char text[NAMES_MAX];

	json_add_text(annotations, "summary", incident->title);
	json_add_text(annotations, "description", incident->text);
	notifier_causes(text, sizeof(text), incident->causes);
	json_add_text(annotations, "causes", text);
	notifier_join(text, sizeof(text), incident->sites[0], sizeof(incident->sites[0]),
		incident->site_count);
	json_add_text(annotations, "sites", text);
	add_moment(annotations, "since", incident->since);
}

static void add_alert(const struct telling *telling, const char *what, const char *name,
	enum incident_severity severity)
{
	const struct incident *incident = telling->incident;
	struct json *alert = json_add_object(telling->alerts, NULL);
	char link[NOTIFIER_URL];

	add_labels(alert, incident, what, name, severity);
	add_annotations(alert, incident);
	add_moment(alert, "startsAt", incident->opened);
	if (incident->state == INCIDENT_RESOLVED || severity < incident->severity)
		add_moment(alert, "endsAt", incident->rx);
	notifier_link(link, sizeof(link), telling->dashboard, incident);
	if (*link)
		json_add_text(alert, "generatorURL", link);
}

static void add_alerts(const struct telling *telling, const char *what, const char *name)
{
	const struct incident *incident = telling->incident;
	enum incident_severity lowest = incident->severity;

	if (incident->state == INCIDENT_ESCALATED)
		lowest = telling->target->least;
	for (enum incident_severity severity = lowest; severity <= incident->severity;
		severity++)
		add_alert(telling, what, name, severity);
}

static int compose(char *body, size_t cap, const struct notifier_target *target,
	const struct incident *incident, const char *dashboard)
{
	struct telling telling = {target, incident, dashboard, NULL};
	int len;

	if (incident->state == INCIDENT_ACKNOWLEDGED)
		return 0; /* it knows silences, and people set them there */
	telling.alerts = json_new_array();
	for (unsigned i = 0; i < incident->service_count; i++)
		add_alerts(&telling, "service", incident->services[i]);
	if (incident->service_count == 0)
		for (unsigned i = 0; i < incident->site_count; i++)
			add_alerts(&telling, "site", incident->sites[i]);
	if (incident->service_count == 0 && incident->site_count == 0)
		add_alerts(&telling, NULL, NULL);
	len = json_print(telling.alerts, body, cap);
	json_free(telling.alerts);
	return len;
}

const struct notifier_kind alertmanager_notifier = {
	.name = "alertmanager",
	.help = "alerts for Prometheus' Alertmanager (API v2)",
	.path = "/api/v2/alerts",
	.repeats = true,
	.compose = compose,
};
