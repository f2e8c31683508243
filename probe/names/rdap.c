#include "rdap.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "astray/json.h"
#include "astray/status.h"
#include "dns_name.h"

#define VCARD_VALUE 3 /* of [name, parameters, type, value] */

static void copy_text(char *out, size_t cap, const char *text)
{
	(void)snprintf(out, cap, "%s", text);
}

static const struct json *at(const struct json *array, unsigned number)
{
	const struct json *value = NULL;

	if (array && json_type(array) == JSON_ARRAY)
		value = json_first(array);
	while (value && number-- > 0)
		value = json_next(value);
	return value;
}

/* Absent is allowed, another type is not. */
static int take_array(const struct json **out, const struct json *object, const char *key,
	struct fault *fault)
{
	const struct json *value = json_member(object, key);

	*out = NULL;
	if (value && json_type(value) != JSON_ARRAY)
		return fault_at(fault, STATUS_SYNTAX, key, "is not an array");
	*out = value ? json_first(value) : NULL;
	return 0;
}

static int read_status(
	struct obs_registry *out, const struct json *root, struct fault *fault)
{
	const struct json *value;
	int rc = take_array(&value, root, "status", fault);

	for (; rc == 0 && value; value = json_next(value)) {
		const char *text = json_as_text(value);

		if (!text)
			return fault_at(fault, STATUS_SYNTAX, "status", "is not text");
		if (out->status_count < OBS_STATUSES)
			copy_text(out->status[out->status_count++], OBS_WORD, text);
	}
	return rc;
}

static int read_servers(
	struct obs_registry *out, const struct json *root, struct fault *fault)
{
	const struct json *value;
	int rc = take_array(&value, root, "nameservers", fault);

	for (; rc == 0 && value; value = json_next(value)) {
		const char *text = json_type(value) == JSON_OBJECT
					   ? json_as_text(json_member(value, "ldhName"))
					   : NULL;

		if (out->server_count == OBS_SERVERS)
			break;
		if (!text || dns_name_read(out->name_servers[out->server_count], text) ||
			!out->name_servers[out->server_count][0])
			return fault_at(fault, STATUS_SYNTAX, "nameservers.ldhName",
				"is not a host name");
		out->server_count++;
	}
	return rc;
}

/* "last update of RDAP database" always moves, and is none of these. */
static int read_event(
	struct obs_registry *out, const struct json *event, struct fault *fault)
{
	const char *action, *date;
	struct moment *moment;

	if (json_type(event) != JSON_OBJECT)
		return fault_at(fault, STATUS_SYNTAX, "events", "is not an object");
	action = json_as_text(json_member(event, "eventAction"));
	date = json_as_text(json_member(event, "eventDate"));
	if (!action)
		return fault_at(
			fault, STATUS_MISSING, "events.eventAction", "is missing");
	if (strcasecmp(action, "last changed") == 0)
		moment = &out->last_changed;
	else if (strcasecmp(action, "expiration") == 0)
		moment = &out->expires;
	else
		return 0;
	/* A bare number is a moment elsewhere. */
	if (!date || !strchr(date, 'T') || moment_parse(moment, date))
		return fault_at(fault, STATUS_SYNTAX, "events.eventDate",
			"is not a date such as 2020-05-31T00:05:00Z");
	return 0;
}

static int read_events(
	struct obs_registry *out, const struct json *root, struct fault *fault)
{
	const struct json *event;
	int rc = take_array(&event, root, "events", fault);

	for (; rc == 0 && event; event = json_next(event))
		rc = read_event(out, event, fault);
	return rc;
}

static bool has_role(const struct json *entity, const char *role)
{
	const struct json *value = at(json_member(entity, "roles"), 0);

	for (; value; value = json_next(value)) {
		const char *text = json_as_text(value);

		if (text && strcmp(text, role) == 0)
			return true;
	}
	return false;
}

static const char *full_name(const struct json *entity)
{
	const struct json *property = at(at(json_member(entity, "vcardArray"), 1), 0);

	for (; property; property = json_next(property)) {
		const char *name = json_as_text(at(property, 0));

		if (name && strcmp(name, "fn") == 0)
			return json_as_text(at(property, VCARD_VALUE));
	}
	return NULL;
}

static int read_registrar(
	struct obs_registry *out, const struct json *root, struct fault *fault)
{
	const struct json *entity;
	int rc = take_array(&entity, root, "entities", fault);

	for (; rc == 0 && entity; entity = json_next(entity)) {
		const char *name;

		if (json_type(entity) != JSON_OBJECT || !has_role(entity, "registrar"))
			continue;
		name = full_name(entity);
		if (!name || !*name)
			name = json_as_text(json_member(entity, "handle"));
		if (name)
			copy_text(out->registrar, sizeof(out->registrar), name);
	}
	return rc;
}

static int read_signed(
	struct obs_registry *out, const struct json *root, struct fault *fault)
{
	const struct json *secure = json_member(root, "secureDNS"), *value;

	if (!secure)
		return 0;
	if (json_type(secure) != JSON_OBJECT)
		return fault_at(fault, STATUS_SYNTAX, "secureDNS", "is not an object");
	value = json_member(secure, "delegationSigned");
	if (!value)
		return 0;
	out->signed_known = true;
	return json_as_bool(value, &out->delegation_signed)
		       ? 0
		       : fault_at(fault, STATUS_SYNTAX, "secureDNS.delegationSigned",
				 "is neither true nor false");
}

static int read_domain(struct obs_registry *out, const char *domain,
	const struct json *root, struct fault *fault)
{
	const char *class, *name;
	int rc;

	if (json_type(root) != JSON_OBJECT)
		return fault_at(fault, STATUS_SYNTAX, "", "is not an object");
	class = json_as_text(json_member(root, "objectClassName"));
	name = json_as_text(json_member(root, "ldhName"));
	if (!class || strcmp(class, "domain") != 0)
		return fault_at(
			fault, STATUS_MISSING, "objectClassName", "is not \"domain\"");
	if (!name || dns_name_read(out->domain, name) || strcmp(out->domain, domain) != 0)
		return fault_at(fault, STATUS_NOT_OURS, "ldhName", "is not %s", domain);
	rc = read_status(out, root, fault);
	if (rc == 0)
		rc = read_servers(out, root, fault);
	if (rc == 0)
		rc = read_events(out, root, fault);
	if (rc == 0)
		rc = read_registrar(out, root, fault);
	return rc ? rc : read_signed(out, root, fault);
}

int rdap_read(struct obs_registry *out, const char *domain, const char *body, size_t len,
	struct fault *fault)
{
	struct json_doc *doc;
	int rc;

	*out = (struct obs_registry){0};
	if (len > RDAP_ANSWER_MAX)
		return fault_at(fault, STATUS_LIMIT, "", "is longer than %d bytes",
			RDAP_ANSWER_MAX);
	rc = json_parse(&doc, body, len, 0, fault);
	if (rc)
		return rc;
	rc = read_domain(out, domain, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}

static const char *first_base(const struct json *urls)
{
	const char *base = NULL;

	for (const struct json *url = at(urls, 0); url; url = json_next(url)) {
		const char *text = json_as_text(url);

		if (text && strncmp(text, "https://", 8) == 0)
			return text;
		if (text && !base && strncmp(text, "http://", 7) == 0)
			base = text;
	}
	return base;
}

/* How many labels of the domain's end one of the suffixes names; 0: none of them does. */
static unsigned match(const struct json *suffixes, const char *domain)
{
	unsigned best = 0;

	for (const struct json *value = at(suffixes, 0); value;
		value = json_next(value)) {
		const char *text = json_as_text(value);
		char suffix[OBS_NAME];

		if (!text || dns_name_read(suffix, text) || !suffix[0] ||
			!dns_name_is_under(domain, suffix))
			continue;
		if (dns_name_labels(suffix) > best)
			best = dns_name_labels(suffix);
	}
	return best;
}

static int find_base(char out[static OBS_TEXT], const char *domain,
	const struct json *root, struct fault *fault)
{
	const struct json *services =
		json_type(root) == JSON_OBJECT ? json_member(root, "services") : NULL;
	unsigned best = 0;

	if (!services || json_type(services) != JSON_ARRAY)
		return fault_at(fault, STATUS_MISSING, "services", "is not an array");
	for (const struct json *row = json_first(services); row; row = json_next(row)) {
		unsigned labels = match(at(row, 0), domain);
		const char *base = labels > best ? first_base(at(row, 1)) : NULL;

		if (!base || strlen(base) >= OBS_TEXT)
			continue;
		best = labels;
		copy_text(out, OBS_TEXT, base);
	}
	return best ? 0
		    : fault_at(fault, STATUS_UNKNOWN, "", "no registry is known for %s",
			      domain);
}

int rdap_find_base(char out[static OBS_TEXT], const char *domain, const char *body,
	size_t len, struct fault *fault)
{
	struct json_doc *doc;
	int rc;

	out[0] = '\0';
	if (len > RDAP_BOOTSTRAP_MAX)
		return fault_at(fault, STATUS_LIMIT, "", "is longer than %d bytes",
			RDAP_BOOTSTRAP_MAX);
	rc = json_parse(&doc, body, len, 0, fault);
	if (rc)
		return rc;
	rc = find_base(out, domain, json_root(doc), fault);
	json_doc_free(doc);
	return rc;
}

int rdap_url(char out[static OBS_TEXT], const char *base, const char *domain)
{
	size_t len = strlen(base);
	int written = snprintf(out, OBS_TEXT, "%s%sdomain/%s", base,
		len && base[len - 1] == '/' ? "" : "/", domain);

	return written < OBS_TEXT ? 0 : STATUS_LIMIT;
}
