#include "assigned.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "astray/conf.h"
#include "astray/status.h"

struct section {
	const struct json *roles[ASSIGNED_ROLES];
};

struct role_section {
	const struct json *sources;
};

static const struct conf_option roles[] = {
	{.key = "endpoint",
		.type = CONF_VALUE,
		.offset = offsetof(struct section, roles[OBS_ENDPOINT]),
		.help = "for employees' machines: {\"sources\": {…}}, as in a probe's "
			"own "
			"configuration"},
	{.key = "gateway",
		.type = CONF_VALUE,
		.offset = offsetof(struct section, roles[OBS_GATEWAY]),
		.help = "for probes that see many people's traffic"},
	{.key = "sentinel",
		.type = CONF_VALUE,
		.offset = offsetof(struct section, roles[OBS_SENTINEL]),
		.help = "for probes that ask DNS and registry"},
	{0},
};

static const struct conf_option role_keys[] = {
	{.key = "sources",
		.type = CONF_VALUE,
		.offset = offsetof(struct role_section, sources),
		.help = "what to measure with, and how"},
	{0},
};

static void set_etag(struct assigned_answer *answer)
{
	uint64_t hash =
		UINT64_C(14695981039346656037); /* FNV-1a: tells texts apart, no more */

	for (size_t i = 0; i < answer->len; i++)
		hash = (hash ^ (unsigned char)answer->body[i]) * UINT64_C(1099511628211);
	(void)snprintf(answer->etag, sizeof(answer->etag), "\"%016" PRIx64 "\"", hash);
}

static int add_sources(struct json *into, const struct json *sources)
{
	char *text = json_print_new(sources);

	if (!text)
		return -ENOMEM;
	json_add_raw(into, "sources", text, strlen(text));
	free(text);
	return 0;
}

static int make_answer(struct assigned_answer *out, const struct services *services,
	const struct json *sources)
{
	struct json *root = json_new_object();
	int rc = root ? 0 : -ENOMEM;

	if (rc == 0)
		services_write(services, root);
	if (rc == 0 && sources)
		rc = add_sources(root, sources);
	if (rc == 0)
		out->body = json_print_new(root);
	json_free(root);
	if (rc == 0 && !out->body)
		rc = -ENOMEM;
	if (rc)
		return rc;
	out->len = strlen(out->body);
	set_etag(out);
	return 0;
}

static int make_role(struct assigned_answer *out, const struct services *services,
	const struct json_doc *doc, const struct json *section, const char *key,
	struct fault *fault)
{
	struct role_section role = {0};
	char where[64];
	int rc = 0;

	(void)snprintf(where, sizeof(where), "assignment.%s", key);
	if (section)
		rc = conf_read(&role, role_keys, doc, section, where, fault);
	if (rc == 0 && role.sources && json_type(role.sources) != JSON_OBJECT)
		rc = fault_at(fault, STATUS_SYNTAX, where, "sources should be an object");
	if (rc || (services->count == 0 && !role.sources))
		return rc;
	rc = make_answer(out, services, role.sources);
	return rc ? fault_at(fault, rc, where, "%s", status_text(rc)) : 0;
}

int assigned_make(struct assigned *out, const struct services *services,
	const struct json_doc *doc, const struct json *section, struct fault *fault)
{
	struct section given = {0};
	int rc = 0;

	*out = (struct assigned){0};
	if (section)
		rc = conf_read(&given, roles, doc, section, "assignment", fault);
	for (unsigned i = 0; rc == 0 && i < ASSIGNED_ROLES; i++)
		rc = make_role(&out->roles[i], services, doc, given.roles[i],
			obs_role_text((enum obs_role)i), fault);
	if (rc)
		assigned_free(out);
	return rc;
}

void assigned_free(struct assigned *assigned)
{
	for (unsigned i = 0; i < ASSIGNED_ROLES; i++)
		free(assigned->roles[i].body);
	*assigned = (struct assigned){0};
}

bool assigned_etag_matches(
	const struct assigned_answer *answer, const char *if_none_match)
{
	return if_none_match &&
	       (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, answer->etag));
}
