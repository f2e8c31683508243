#include "measure_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

/* One document, and the name that its faults carry. */
struct reading {
	const struct source_kind *const *kinds;
	const struct json_doc *doc;
	struct fault *fault;
};

static int parse(
	struct json_doc **out, const char *text, const char *input, struct fault *fault)
{
	struct fault local = {0};
	int rc = json_parse(out, text, strlen(text), JSON_COMMENTS, &local);

	if (rc == 0 && json_type(json_root(*out)) != JSON_OBJECT)
		rc = fault_at(&local, STATUS_SYNTAX, "", "should be an object {…}");
	if (rc && fault) {
		*fault = local;
		(void)snprintf(fault->input, sizeof(fault->input), "%s", input);
	}
	return rc;
}

static const struct json *section(const struct json_doc *doc, const char *key)
{
	const struct json *value = doc ? json_member(json_root(doc), key) : NULL;

	return value && json_type(value) != JSON_NULL ? value : NULL;
}

static int refuse_kind(const struct reading *reading, const struct json *value)
{
	char names[128] = "";
	size_t used = 0;
	int rc;

	for (unsigned i = 0; reading->kinds[i] && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
			i ? ", " : "", reading->kinds[i]->name);
	rc = fault_at(reading->fault, STATUS_UNKNOWN, "sources",
		"\"%s\" is no source of this probe; there are %s", json_key(value),
		names);
	if (reading->fault)
		reading->fault->line = json_line(reading->doc, value);
	return rc;
}

static int read_settings(struct measure_plan *plan, const struct reading *reading,
	const struct json *value)
{
	const struct source_kind *const *kinds = reading->kinds;
	char where[OBS_WORD];
	unsigned at = 0;

	while (kinds[at] && strcmp(kinds[at]->name, json_key(value)) != 0)
		at++;
	if (!kinds[at])
		return refuse_kind(reading, value);
	if (json_type(value) == JSON_NULL)
		return 0;
	plan->settings[at] = calloc(1, kinds[at]->settings_size + 1);
	if (!plan->settings[at])
		return -ENOMEM;
	(void)snprintf(where, sizeof(where), "sources.%s", kinds[at]->name);
	return conf_read(plan->settings[at], kinds[at]->options, reading->doc, value,
		where, reading->fault);
}

static int read_sources(struct measure_plan *plan, const struct reading *reading,
	const struct json *sources)
{
	int rc = 0;

	if (json_type(sources) != JSON_OBJECT)
		return fault_at(reading->fault, STATUS_SYNTAX, "sources",
			"should be an object {…}");
	for (const struct json *value = json_first(sources); value && rc == 0;
		value = json_next(value))
		rc = read_settings(plan, reading, value);
	return rc;
}

/* The document that says something of this section. */
static const struct json_doc *speaker(const struct measure_plan *plan, const char *key)
{
	return section(plan->own, key) ? plan->own : plan->assigned;
}

static int fill(struct measure_plan *plan, const struct source_kind *const *kinds,
	const struct json_doc **at_fault, struct fault *fault)
{
	const struct json *services, *sources;
	struct reading reading = {.kinds = kinds, .fault = fault};
	int rc = 0;

	*at_fault = speaker(plan, "services");
	services = section(*at_fault, "services");
	if (services)
		rc = services_read(&plan->services, *at_fault, services, fault);
	if (rc)
		return rc;
	*at_fault = reading.doc = speaker(plan, "sources");
	sources = section(reading.doc, "sources");
	return sources ? read_sources(plan, &reading, sources) : 0;
}

int measure_plan_new(struct measure_plan **out, const struct source_kind *const *kinds,
	const char *own, const char *assigned, struct fault *fault)
{
	struct measure_plan *plan = calloc(1, sizeof(*plan));
	const struct json_doc *at_fault = NULL;
	int rc;

	*out = NULL;
	if (!plan)
		return -ENOMEM;
	rc = parse(&plan->own, own, "", fault);
	if (rc == 0 && assigned)
		rc = parse(&plan->assigned, assigned, "assignment", fault);
	if (rc)
		goto fail;
	rc = fill(plan, kinds, &at_fault, fault);
	if (rc && fault && at_fault == plan->assigned)
		(void)snprintf(fault->input, sizeof(fault->input), "assignment");
	if (rc)
		goto fail;
	*out = plan;
	return 0;

fail:
	measure_plan_free(plan);
	return rc;
}

void measure_plan_free(struct measure_plan *plan)
{
	if (!plan)
		return;
	services_free(&plan->services);
	for (unsigned i = 0; i < MEASURE_PLAN_SOURCES; i++)
		free(plan->settings[i]);
	json_doc_free(plan->own);
	json_doc_free(plan->assigned);
	free(plan);
}

bool measure_plan_is_empty(const struct measure_plan *plan)
{
	for (unsigned i = 0; i < MEASURE_PLAN_SOURCES; i++)
		if (plan->settings[i])
			return false;
	return true;
}
