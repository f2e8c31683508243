#include "notify_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "astray/status.h"
#include "astray/wire.h"

struct draft {
	char name[OBS_WORD], kind[32], severity[16];
	char url[NOTIFIER_URL];
	char ca[NOTIFIER_FILE], token_file[NOTIFIER_FILE], secret_file[NOTIFIER_FILE];
};

#define FIELD(f) offsetof(struct draft, f), sizeof(((struct draft *)0)->f)

const struct conf_option notify_config_options[] = {
	{"name", CONF_TEXT, FIELD(name), 0, 0, "\"\"", "what logs and metrics call it"},
	{"kind", CONF_TEXT, FIELD(kind), 0, 0, "\"\"",
		"\"webhook\", \"alertmanager\", \"pagerduty\" or \"slack\""},
	{"url", CONF_TEXT, FIELD(url), 0, 0, "\"\"", "where to send"},
	{"severity", CONF_TEXT, FIELD(severity), 0, 0, "\"warn\"",
		"\"info\", \"warn\" or \"page\": what is less severe is not told"},
	{"ca", CONF_TEXT, FIELD(ca), 0, 0, "\"\"",
		"file of the certificates to trust (PEM); \"\": the system's"},
	{"token_file", CONF_TEXT, FIELD(token_file), 0, 0, "\"\"",
		"file whose first line is sent as bearer token"},
	{"secret_file", CONF_TEXT, FIELD(secret_file), 0, 0, "\"\"",
		"file whose first line is the webhook's signing secret or PagerDuty's "
		"routing key"},
	{0},
};

/* Where in the document a target stands, for messages. */
struct spot {
	const struct json_doc *doc;
	const struct json *object;
	char where[32];
	struct fault *fault;
};

static int refuse(const struct spot *spot, int rc, const char *key, const char *why)
{
	const struct json *value = json_member(spot->object, key);
	char field[64];

	(void)snprintf(field, sizeof(field), "%s.%s", spot->where, key);
	rc = fault_at(spot->fault, rc, field, "%s", why);
	if (spot->fault)
		spot->fault->line = json_line(spot->doc, value ? value : spot->object);
	return rc;
}

static int read_kind(const struct notifier_kind **out, const struct draft *draft,
	const struct spot *spot)
{
	if (!*draft->kind)
		return refuse(spot, STATUS_MISSING, "kind", "is needed");
	for (const struct notifier_kind *const *kind = notifier_kinds; *kind; kind++)
		if (strcmp(draft->kind, (*kind)->name) == 0) {
			*out = *kind;
			return 0;
		}
	return refuse(spot, STATUS_UNKNOWN, "kind",
		"is none of webhook, alertmanager, pagerduty and slack");
}

static int read_severity(
	enum incident_severity *out, const struct draft *draft, const struct spot *spot)
{
	for (*out = SEVERITY_INFO; *out <= SEVERITY_PAGE; (*out)++)
		if (strcmp(draft->severity, incident_severity_text(*out)) == 0)
			return 0;
	return refuse(spot, STATUS_UNKNOWN, "severity", "is none of info, warn and page");
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static int read_url(struct notifier_target *target, const struct draft *draft,
	const struct spot *spot)
{
	const struct notifier_kind *kind = target->kind;
	const char *url = *draft->url ? draft->url : kind->url ? kind->url : "";
	size_t len = strlen(url);
	int written;

	if (len == 0)
		return refuse(spot, STATUS_MISSING, "url", "is needed");
	if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
		return refuse(spot, STATUS_SYNTAX, "url",
			"should begin with https:// or http://");
	if (!kind->path || ends_with(url, kind->path))
		written = snprintf(target->url, sizeof(target->url), "%s", url);
	else
		written = snprintf(target->url, sizeof(target->url), "%.*s%s",
			(int)(len - (url[len - 1] == '/')), url, kind->path);
	return written < (int)sizeof(target->url)
		       ? 0
		       : refuse(spot, STATUS_LIMIT, "url", "is too long");
}

static int refuse_file(const struct spot *spot, int rc, const char *key, const char *file)
{
	char why[NOTIFIER_FILE + 128];

	(void)snprintf(why, sizeof(why), "%s: %s", file, strerror(-rc));
	return refuse(spot, rc, key, why);
}

/* The first line, without the spaces around it. */
static int read_line(char out[static NOTIFIER_SECRET], const char *file, const char *key,
	const struct spot *spot)
{
	char line[NOTIFIER_SECRET] = "", *begin = line;
	FILE *in = fopen(file, "re");
	size_t len;

	if (!in)
		return refuse_file(spot, -errno, key, file);
	(void)!fgets(line, sizeof(line), in);
	(void)fclose(in);
	begin += strspn(begin, " \t");
	len = strlen(begin);
	while (len && isspace((unsigned char)begin[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)begin[i]))
			return refuse(spot, STATUS_SYNTAX, key,
				"the file's first line is not plain text without spaces");
	if (len == 0)
		return refuse(
			spot, STATUS_MISSING, key, "the file's first line is empty");
	(void)snprintf(out, NOTIFIER_SECRET, "%.*s", (int)len, begin);
	return 0;
}

static int read_secret(struct notifier_target *target, const struct draft *draft,
	const struct spot *spot)
{
	const struct notifier_kind *kind = target->kind;
	struct notifier_headers headers = {0};
	int rc;

	if (*draft->secret_file && !kind->secret)
		return refuse(spot, STATUS_UNSUPPORTED, "secret_file",
			"this kind takes no secret");
	if (!*draft->secret_file && kind->secret_needed)
		return refuse(
			spot, STATUS_MISSING, "secret_file", "is needed by this kind");
	if (!*draft->secret_file)
		return 0;
	rc = read_line(target->secret, draft->secret_file, "secret_file", spot);
	if (rc == 0 && kind->sign &&
		kind->sign(&headers, target, "", "", 0, (struct moment){0}))
		rc = refuse(spot, STATUS_SYNTAX, "secret_file", kind->secret);
	return rc;
}

static int read_files(struct notifier_target *target, const struct draft *draft,
	const struct spot *spot)
{
	int rc = 0;

	if (*draft->ca && access(draft->ca, R_OK))
		return refuse_file(spot, -errno, "ca", draft->ca);
	(void)snprintf(target->ca_file, sizeof(target->ca_file), "%s", draft->ca);
	if (*draft->token_file)
		rc = read_line(target->token, draft->token_file, "token_file", spot);
	return rc ? rc : read_secret(target, draft, spot);
}

static int read_target(struct notifier_target *target, const struct notify_config *others,
	const struct spot *spot)
{
	struct draft draft;
	int rc = conf_read(&draft, notify_config_options, spot->doc, spot->object,
		spot->where, spot->fault);

	if (rc)
		return rc;
	if (!wire_word_is_valid(draft.name))
		return refuse(spot, STATUS_SYNTAX, "name",
			"should be 1 to 63 letters, digits and . _ -");
	if (notify_config_find(others, draft.name))
		return refuse(spot, STATUS_DUPLICATE, "name", "is taken by another");
	(void)snprintf(target->name, sizeof(target->name), "%s", draft.name);
	rc = read_kind(&target->kind, &draft, spot);
	if (rc == 0)
		rc = read_severity(&target->least, &draft, spot);
	if (rc == 0)
		rc = read_url(target, &draft, spot);
	return rc ? rc : read_files(target, &draft, spot);
}

int notify_config_read(struct notify_config *out, const struct json_doc *doc,
	const struct json *array, struct fault *fault)
{
	memset(out, 0, sizeof(*out));
	if (!array)
		return 0;
	if (json_type(array) != JSON_ARRAY || json_count(array) > NOTIFY_CONFIG_TARGETS) {
		int rc = fault_at(fault, STATUS_SYNTAX, "notify",
			"should be a list of at most %d", NOTIFY_CONFIG_TARGETS);

		if (fault)
			fault->line = json_line(doc, array);
		return rc;
	}
	for (const struct json *at = json_first(array); at; at = json_next(at)) {
		struct spot spot = {.doc = doc, .object = at, .fault = fault};
		int rc;

		(void)snprintf(spot.where, sizeof(spot.where), "notify[%u]", out->count);
		rc = read_target(&out->targets[out->count], out, &spot);
		if (rc)
			return rc;
		out->count++;
	}
	return 0;
}

const struct notifier_target *notify_config_find(
	const struct notify_config *config, const char *name)
{
	for (unsigned i = 0; i < config->count; i++)
		if (strcmp(config->targets[i].name, name) == 0)
			return &config->targets[i];
	return NULL;
}
