#include "incident.h"

#include "astray/json.h"
#include "astray/status.h"

const char *incident_cause_text(enum incident_cause cause)
{
	static const char *const texts[INCIDENT_CAUSES] = {
		[CAUSE_NAME_SERVER] = "name_server",
		[CAUSE_RECORDS] = "records",
		[CAUSE_CERTIFICATE] = "certificate",
		[CAUSE_REGISTRY] = "registry",
		[CAUSE_DETOUR] = "detour",
		[CAUSE_POLICY] = "policy",
		[CAUSE_LATENCY] = "latency",
		[CAUSE_TRAFFIC] = "traffic",
		[CAUSE_FAILURES] = "failures",
		[CAUSE_SITE] = "site",
		[CAUSE_TELEMETRY] = "telemetry",
	};

	return texts[cause];
}

const char *incident_severity_text(enum incident_severity severity)
{
	static const char *const texts[] = {
		[SEVERITY_INFO] = "info",
		[SEVERITY_WARN] = "warn",
		[SEVERITY_PAGE] = "page",
	};

	return texts[severity];
}

const char *incident_state_text(enum incident_state state)
{
	static const char *const texts[] = {
		[INCIDENT_OPENED] = "opened",
		[INCIDENT_ESCALATED] = "escalated",
		[INCIDENT_ACKNOWLEDGED] = "acknowledged",
		[INCIDENT_RESOLVED] = "resolved",
	};

	return texts[state];
}

/* Names of a fixed width, one behind the other, as an array of texts. */
static void add_names(struct json *into, const char *key, const char *names, size_t width,
	unsigned count)
{
	struct json *array = json_add_array(into, key);

	for (unsigned i = 0; i < count; i++)
		json_add_text(array, NULL, names + i * width);
}

static void add_causes(struct json *into, unsigned causes)
{
	struct json *array = json_add_array(into, "causes");

	for (unsigned i = 0; i < INCIDENT_CAUSES; i++)
		if (causes & 1u << i)
			json_add_text(
				array, NULL, incident_cause_text((enum incident_cause)i));
}

static void add_evidence(struct json *into, const struct incident *incident)
{
	struct json *array = json_add_array(into, "evidence");

	for (unsigned i = 0; i < incident->evidence_count; i++) {
		const struct incident_evidence *evidence = &incident->evidence[i];
		struct json *row = json_add_object(array, NULL);

		json_add_int(row, "rx_us", evidence->rx.us);
		json_add_text(row, "cause", incident_cause_text(evidence->cause));
		json_add_text(row, "service", evidence->service);
		json_add_text(row, "text", evidence->text);
	}
	if (incident->evidence_dropped)
		json_add_int(into, "evidence_dropped", incident->evidence_dropped);
}

static struct json *to_json(const struct incident *incident)
{
	struct json *root = json_new_object();

	json_add_text(root, "kind", "incident");
	json_add_int(root, "rx_us", incident->rx.us);
	json_add_text(root, "id", incident->id);
	json_add_text(root, "state", incident_state_text(incident->state));
	json_add_text(root, "severity", incident_severity_text(incident->severity));
	add_names(root, "services", incident->services[0], sizeof(incident->services[0]),
		incident->service_count);
	add_names(root, "sites", incident->sites[0], sizeof(incident->sites[0]),
		incident->site_count);
	add_names(root, "vantages", incident->vantages[0], sizeof(incident->vantages[0]),
		incident->vantage_count);
	add_causes(root, incident->causes);
	json_add_int(root, "since_us", incident->since.us);
	json_add_int(root, "opened_us", incident->opened.us);
	if (incident->part_of[0])
		json_add_text(root, "part_of", incident->part_of);
	json_add_text(root, "title", incident->title);
	json_add_text(root, "text", incident->text);
	add_evidence(root, incident);
	return root;
}

int incident_encode(char *buf, size_t cap, const struct incident *incident)
{
	struct json *root;
	int len;

	if (cap < 2)
		return STATUS_LIMIT;
	root = to_json(incident);
	len = json_print(root, buf, cap - 1);
	json_free(root);
	if (len < 0)
		return len;
	buf[len] = '\n';
	buf[len + 1] = '\0';
	return len + 1;
}
