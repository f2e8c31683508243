#include "pagerduty.h"

#include <stdio.h>

#include "astray/json.h"
#include "astray/status.h"

#define NAMES_MAX 1024
#define KEY_LEN 32

static const char *action_of(enum incident_state state)
{
	switch (state) {
	case INCIDENT_ACKNOWLEDGED:
		return "acknowledge";
	case INCIDENT_RESOLVED:
		return "resolve";
	case INCIDENT_OPENED:
	case INCIDENT_ESCALATED:
		break;
	}
	return "trigger";
}

static const char *severity_of(enum incident_severity severity)
{
	switch (severity) {
	case SEVERITY_PAGE:
		return "critical";
	case SEVERITY_WARN:
		return "warning";
	case SEVERITY_INFO:
		break;
	}
	return "info";
}

static void add_details(struct json *payload, const struct incident *incident)
{
	struct json *details = json_add_object(payload, "custom_details");
	struct json *evidence;
	char names[NAMES_MAX];

	json_add_text(details, "text", incident->text);
	notifier_join(names, sizeof(names), incident->services[0],
		sizeof(incident->services[0]), incident->service_count);
	json_add_text(details, "services", names);
	notifier_join(names, sizeof(names), incident->vantages[0],
		sizeof(incident->vantages[0]), incident->vantage_count);
	json_add_text(details, "vantages", names);
	evidence = json_add_array(details, "evidence");
	for (unsigned i = 0; i < incident->evidence_count; i++)
		json_add_text(evidence, NULL, incident->evidence[i].text);
}

static void add_payload(struct json *event, const struct incident *incident)
{
	struct json *payload = json_add_object(event, "payload");
	char text[NAMES_MAX], at[MOMENT_TEXT];

	json_add_text(payload, "summary", incident->title);
	json_add_text(payload, "source",
		incident->vantage_count ? incident->vantages[0] : "astray");
	json_add_text(payload, "severity", severity_of(incident->severity));
	json_add_text(payload, "timestamp", moment_text(incident->rx, true, at));
	if (incident->service_count)
		json_add_text(payload, "component", incident->services[0]);
	if (incident->site_count)
		json_add_text(payload, "group", incident->sites[0]);
	notifier_causes(text, sizeof(text), incident->causes);
	json_add_text(payload, "class", text);
	add_details(payload, incident);
}

static void add_link(
	struct json *event, const struct incident *incident, const char *dashboard)
{
	char link[NOTIFIER_URL];
	struct json *row;

	notifier_link(link, sizeof(link), dashboard, incident);
	if (!*link)
		return;
	json_add_text(event, "client_url", link);
	row = json_add_object(json_add_array(event, "links"), NULL);
	json_add_text(row, "href", link);
	json_add_text(row, "text", "dashboard");
}

static int compose(char *body, size_t cap, const struct notifier_target *target,
	const struct incident *incident, const char *dashboard)
{
	struct json *event = json_new_object();
	int len;

	json_add_text(event, "routing_key", target->secret);
	json_add_text(event, "event_action", action_of(incident->state));
	json_add_text(event, "dedup_key", incident->id);
	json_add_text(event, "client", "astray");
	add_payload(event, incident);
	add_link(event, incident, dashboard);
	len = json_print(event, body, cap);
	json_free(event);
	return len;
}

const struct notifier_kind pagerduty_notifier = {
	.name = "pagerduty",
	.help = "events for PagerDuty (Events API v2)",
	.url = "https://events.pagerduty.com/v2/enqueue",
	.secret = "the integration's routing key",
	.secret_needed = true,
	.compose = compose,
};
