#include "collector_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/conf.h"
#include "astray/status.h"
#include "batch_text.h"
#include "listen_text.h"

#define FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define DATA_TEXT (COLLECTOR_CONFIG_TEXT - 32) /* a file's name fits behind it */
#define PROBES_MAX 20000
#define MIB (INT64_C(1024) * 1024)
#define GIB (1024 * MIB)

#define TEXT(row, member) \
	CONF_TEXT, offsetof(struct row, member), sizeof(((struct row *)0)->member)
#define SECTION(row, member) CONF_VALUE, offsetof(struct row, member), 0, 0, 0, NULL
#define NUMBER(row, member) CONF_INT, offsetof(struct row, member), 0
#define SPAN(row, member) CONF_SPAN, offsetof(struct row, member), 0

struct top {
	char listen[COLLECTOR_CONFIG_TEXT], data[DATA_TEXT];
	const struct json *tls, *probes, *web, *geo, *services, *assignment, *judgement,
		*notify, *journal, *store, *limits, *log;
};

static const struct conf_option top_options[] = {
	{"listen", TEXT(top, listen), 0, 0, "\"127.0.0.1:8443\"",
		"address and port for probes: \"192.0.2.1:8443\", \"[::]:8443\""},
	{"tls", SECTION(top, tls),
		"certificates for it; without them only probes on this machine can come "
		"in"},
	{"probes", SECTION(top, probes),
		"probes that show a token, and such as are refused; those with a "
		"certificate need "
		"not be named"},
	{"data", TEXT(top, data), 0, 0, "\"/var/lib/astray-collector\"",
		"folder for the journal and all that is built from it"},
	{"web", SECTION(top, web),
		"for people: dashboard, API, metrics; without it there is none"},
	{"geo", SECTION(top, geo), "databases of places and networks"},
	{"services", SECTION(top, services),
		"what is watched, and what is expected of it"},
	{"assignment", SECTION(top, assignment),
		"what probes measure with, by role: {\"gateway\": {\"sources\": {…}}, "
		"…}"},
	{"judgement", SECTION(top, judgement),
		"how soon, and on how much, people are woken"},
	{"notify", SECTION(top, notify), "whom to tell of incidents"},
	{"journal", SECTION(top, journal), "how long batches are kept"},
	{"store", SECTION(top, store), "how long series and paths are kept"},
	{"limits", SECTION(top, limits), "what one probe and one address may take"},
	{"log", SECTION(top, log), "what is said on standard error"},
	{0},
};

struct tls_section {
	char certificate[COLLECTOR_CONFIG_TEXT], key[COLLECTOR_CONFIG_TEXT],
		client_ca[COLLECTOR_CONFIG_TEXT];
};

static const struct conf_option tls_options[] = {
	{"certificate", TEXT(tls_section, certificate), 0, 0, "\"\"",
		"PEM file of the server's certificate and what it is signed by"},
	{"key", TEXT(tls_section, key), 0, 0, "\"\"", "PEM file of its key"},
	{"client_ca", TEXT(tls_section, client_ca), 0, 0, "\"\"",
		"PEM file of the authority whose certificates probes show; their common "
		"name is "
		"the probe's name"},
	{0},
};

struct probe_section {
	char name[OBS_WORD], token_file[COLLECTOR_CONFIG_TEXT];
	bool refused;
};

static const struct conf_option probe_options[] = {
	{"name", TEXT(probe_section, name), 0, 0, NULL,
		"1 to 63 letters, digits and . _ -"},
	{"token_file", TEXT(probe_section, token_file), 0, 0, "\"\"",
		"file of the token that it shows; 16 characters or more"},
	{"refused", CONF_BOOL, offsetof(struct probe_section, refused), 0, 0, 0, "false",
		"true: it is let in no more, whatever it shows"},
	{0},
};

struct web_section {
	char listen[COLLECTOR_CONFIG_TEXT], url[COLLECTOR_CONFIG_TEXT],
		token_file[COLLECTOR_CONFIG_TEXT];
};

static const struct conf_option web_options[] = {
	{"listen", TEXT(web_section, listen), 0, 0, "\"127.0.0.1:8080\"",
		"address and port; put a proxy with TLS and log-in before it when others "
		"than this "
		"machine are to see it"},
	{"url", TEXT(web_section, url), 0, 0, "\"\"",
		"where people find the dashboard; pages link to it"},
	{"token_file", TEXT(web_section, token_file), 0, 0, "\"\"",
		"file of a token that whoever changes something must show"},
	{0},
};

struct geo_section {
	char city[COLLECTOR_CONFIG_TEXT], asn[COLLECTOR_CONFIG_TEXT];
};

static const struct conf_option geo_options[] = {
	{"city", TEXT(geo_section, city), 0, 0, "\"\"",
		"file of places (MaxMind format)"},
	{"asn", TEXT(geo_section, asn), 0, 0, "\"\"",
		"file of networks (MaxMind format)"},
	{0},
};

struct journal_section {
	int64_t keep_us, keep_gb, rebuild_us, snapshot_us;
};

static const struct conf_option journal_options[] = {
	{"keep", SPAN(journal_section, keep_us), 86400e6, 36500 * 86400e6, "\"90 days\"",
		"batches older than this go"},
	{"keep_gb", NUMBER(journal_section, keep_gb), 1, 100000, "20",
		"beyond this size the oldest go"},
	{"rebuild", SPAN(journal_section, rebuild_us), 60e6, 36500 * 86400e6,
		"\"14 days\"",
		"how much of it is judged again at a start without a snapshot (the "
		"first one, or after an upgrade): what is known of services comes from "
		"there"},
	{"snapshot", SPAN(journal_section, snapshot_us), 1e6, 86400e6, "\"5 min\"",
		"how often what is known is saved, so that a start judges only what the "
		"journal holds behind it"},
	{0},
};

struct store_section {
	int64_t keep_us;
};

static const struct conf_option store_options[] = {
	{"keep", SPAN(store_section, keep_us), 3600e6, 36500 * 86400e6, "\"30 days\"",
		"series and paths; incidents stay ten times as long"},
	{0},
};

struct limits_section {
	int64_t probe_mb_per_minute, connections, connections_per_address;
};

static const struct conf_option limits_options[] = {
	{"probe_mb_per_minute", NUMBER(limits_section, probe_mb_per_minute), 0, 1000000,
		"120", "what one probe may send, expanded; 0: any"},
	{"connections", NUMBER(limits_section, connections), 1, 1000000, "8192",
		"from probes, in all"},
	{"connections_per_address", NUMBER(limits_section, connections_per_address), 1,
		1000000, "1024", "many probes may share a way out"},
	{0},
};

struct log_section {
	char level[16], format[16];
};

static const struct conf_option log_options[] = {
	{"level", TEXT(log_section, level), 0, 0, "\"info\"",
		"\"error\", \"warn\", \"info\" or \"debug\""},
	{"format", TEXT(log_section, format), 0, 0, "\"logfmt\"",
		"\"logfmt\" or \"json\""},
	{0},
};

static const struct {
	const char *where;
	const struct conf_option *options;
} sections[] = {
	{"", top_options},
	{"tls", tls_options},
	{"probes[]", probe_options},
	{"web", web_options},
	{"geo", geo_options},
	{"judgement", pipeline_options},
	{"notify[]", notify_config_options},
	{"journal", journal_options},
	{"store", store_options},
	{"limits", limits_options},
	{"log", log_options},
};

/* What the tables read, with the document for lines in faults. */
struct reading {
	struct collector_config *config;
	const struct json_doc *doc;
	struct fault *fault;
};

static int refuse(const struct reading *reading, const struct json *value,
	const char *field, int rc, const char *why)
{
	return conf_refuse(reading->fault, reading->doc, value, rc, field, why);
}

/* Texts of one size, cut nowhere. */
static void copy(char into[static COLLECTOR_CONFIG_TEXT], const char *from)
{
	(void)snprintf(into, COLLECTOR_CONFIG_TEXT, "%s", from);
}

static int read_listen(const struct reading *reading, struct collector_listen *out,
	const char *text, const struct json *value, const char *field)
{
	if (listen_text_parse(&out->address, &out->port, text))
		return refuse(reading, value, field, STATUS_SYNTAX,
			"should be an address and a port: \"192.0.2.1:8443\", "
			"\"[::]:8443\"");
	return 0;
}

static int read_tls(const struct reading *reading, const struct json *section)
{
	struct collector_config *config = reading->config;
	struct tls_section tls = {0};
	int rc = conf_read_section(
		&tls, tls_options, reading->doc, section, "tls", reading->fault);

	if (rc)
		return rc;
	if (!tls.certificate[0] != !tls.key[0])
		return refuse(reading, section, "tls", STATUS_MISSING,
			"\"certificate\" and \"key\" go together");
	if (!tls.certificate[0] && tls.client_ca[0])
		return refuse(reading, section, "tls", STATUS_MISSING,
			"\"client_ca\" needs \"certificate\" and \"key\"");
	config->tls = tls.certificate[0];
	if (!config->tls && !listen_text_is_local(&config->listen.address))
		return refuse(reading, section, "tls", STATUS_MISSING,
			"is needed: what probes send is not for everybody on the way "
			"(without it, "
			"listen on 127.0.0.1)");
	copy(config->certificate, tls.certificate);
	copy(config->key, tls.key);
	copy(config->client_ca, tls.client_ca);
	return 0;
}

static int take_token(const struct reading *reading, const struct json *value,
	const char *where, const struct probe_section *probe)
{
	struct ingest_token *token =
		&reading->config->tokens[reading->config->token_count];
	struct fault inner = {0};
	int rc = secret_read_file(&token->secret, probe->token_file, &inner);
	char field[64];

	(void)snprintf(field, sizeof(field), "%s.token_file", where);
	if (rc)
		return refuse(reading, value, field, rc, inner.why);
	(void)snprintf(token->probe, sizeof(token->probe), "%s", probe->name);
	reading->config->token_count++;
	return 0;
}

static int read_probe(
	const struct reading *reading, const struct json *value, unsigned index)
{
	struct collector_config *config = reading->config;
	struct probe_section probe = {0};
	char where[48];
	int rc;

	(void)snprintf(where, sizeof(where), "probes[%u]", index);
	rc = conf_read(&probe, probe_options, reading->doc, value, where, reading->fault);
	if (rc)
		return rc;
	if (!wire_word_is_valid(probe.name) ||
		strcmp(probe.name, BATCH_TEXT_OPERATOR) == 0)
		return refuse(reading, value, where,
			probe.name[0] ? STATUS_RANGE : STATUS_MISSING,
			"\"name\" is 1 to 63 letters, digits and . _ -, and not "
			"\"operator\"");
	if (probe.refused) {
		(void)snprintf(config->refused[config->refused_count++], OBS_WORD, "%s",
			probe.name);
		return 0;
	}
	if (!probe.token_file[0])
		return refuse(reading, value, where, STATUS_MISSING,
			"\"token_file\" is needed (or \"refused\"); a probe with a "
			"certificate need "
			"not be named");
	return take_token(reading, value, where, &probe);
}

static int compare_tokens(const void *a, const void *b)
{
	const struct ingest_token *left = a, *right = b;

	return memcmp(&left->secret, &right->secret, sizeof(left->secret));
}

/* A token says who shows it: it cannot say two names. */
static int check_tokens(const struct reading *reading, const struct json *list)
{
	struct collector_config *config = reading->config;

	qsort(config->tokens, config->token_count, sizeof(*config->tokens),
		compare_tokens);
	for (size_t i = 1; i < config->token_count; i++)
		if (compare_tokens(&config->tokens[i - 1], &config->tokens[i]) == 0)
			return refuse(reading, list, "probes", STATUS_DUPLICATE,
				"two of them have the same token");
	return 0;
}

static int read_probes(const struct reading *reading, const struct json *list)
{
	struct collector_config *config = reading->config;
	size_t count = list && json_type(list) == JSON_ARRAY ? json_count(list) : 0;
	unsigned index = 0;
	int rc = 0;

	if (list && json_type(list) != JSON_ARRAY)
		return refuse(
			reading, list, "probes", STATUS_SYNTAX, "should be a list […]");
	if (count > PROBES_MAX)
		return refuse(
			reading, list, "probes", STATUS_LIMIT, "more than 20000 probes");
	config->tokens = calloc(count + 1, sizeof(*config->tokens));
	config->refused = calloc(count + 1, sizeof(*config->refused));
	if (!config->tokens || !config->refused)
		return refuse(reading, list, "probes", -ENOMEM, "no memory");
	for (const struct json *value = count ? json_first(list) : NULL; value && rc == 0;
		value = json_next(value))
		rc = read_probe(reading, value, index++);
	return rc ? rc : check_tokens(reading, list);
}

static int read_web(const struct reading *reading, const struct json *section)
{
	struct collector_config *config = reading->config;
	struct web_section web = {0};
	struct fault inner = {0};
	int rc;

	config->web = section != NULL;
	if (!section)
		return 0;
	rc = conf_read_section(
		&web, web_options, reading->doc, section, "web", reading->fault);
	if (rc == 0)
		rc = read_listen(
			reading, &config->web_listen, web.listen, section, "web.listen");
	if (rc)
		return rc;
	copy(config->web_url, web.url);
	if (!web.token_file[0])
		return 0;
	rc = secret_read_file(&config->web_token, web.token_file, &inner);
	if (rc)
		return refuse(reading, section, "web.token_file", rc, inner.why);
	config->web_token_given = true;
	return 0;
}

static int read_geo(const struct reading *reading, const struct json *section)
{
	struct geo_section geo = {0};
	int rc = conf_read_section(
		&geo, geo_options, reading->doc, section, "geo", reading->fault);

	copy(reading->config->geo_city, geo.city);
	copy(reading->config->geo_asn, geo.asn);
	return rc;
}

static int read_journal(const struct reading *reading, const struct json *section)
{
	struct collector_config *config = reading->config;
	struct journal_section journal = {0};
	int rc = conf_read_section(&journal, journal_options, reading->doc, section,
		"journal", reading->fault);

	config->journal_keep_us = journal.keep_us;
	config->journal_keep_bytes = journal.keep_gb * GIB;
	config->journal_rebuild_us = journal.rebuild_us;
	config->journal_snapshot_us = journal.snapshot_us;
	return rc;
}

static int read_store(const struct reading *reading, const struct json *section)
{
	struct store_section store = {0};
	int rc = conf_read_section(
		&store, store_options, reading->doc, section, "store", reading->fault);

	reading->config->store_keep_us = store.keep_us;
	return rc;
}

static int read_limits(const struct reading *reading, const struct json *section)
{
	struct collector_config *config = reading->config;
	struct limits_section limits = {0};
	int rc = conf_read_section(
		&limits, limits_options, reading->doc, section, "limits", reading->fault);

	config->quota_bytes_per_minute = limits.probe_mb_per_minute * MIB;
	config->connections = (unsigned)limits.connections;
	config->connections_per_address = (unsigned)limits.connections_per_address;
	return rc;
}

static int read_log(const struct reading *reading, const struct json *section)
{
	struct log_section chosen = {0};
	int rc = conf_read_section(
		&chosen, log_options, reading->doc, section, "log", reading->fault);

	if (rc)
		return rc;
	if (log_parse_level(&reading->config->log_level, chosen.level))
		return refuse(reading, section, "log.level", STATUS_UNKNOWN,
			"should be \"error\", \"warn\", \"info\" or \"debug\"");
	if (log_parse_format(&reading->config->log_format, chosen.format))
		return refuse(reading, section, "log.format", STATUS_UNKNOWN,
			"should be \"logfmt\" or \"json\"");
	return 0;
}

static int read_watched(const struct reading *reading, const struct top *top)
{
	struct collector_config *config = reading->config;
	int rc = 0;

	if (top->services)
		rc = services_read(
			&config->services, reading->doc, top->services, reading->fault);
	if (rc == 0)
		rc = assigned_make(&config->assigned, &config->services, reading->doc,
			top->assignment, reading->fault);
	if (rc == 0)
		rc = conf_read_section(&config->judgement, pipeline_options, reading->doc,
			top->judgement, "judgement", reading->fault);
	if (rc == 0)
		rc = notify_config_read(
			&config->notify, reading->doc, top->notify, reading->fault);
	return rc;
}

static int read_sections(const struct reading *reading, const struct top *top)
{
	int rc = read_listen(
		reading, &reading->config->listen, top->listen, NULL, "listen");

	copy(reading->config->data, top->data);
	if (rc == 0)
		rc = read_tls(reading, top->tls);
	if (rc == 0)
		rc = read_probes(reading, top->probes);
	if (rc == 0)
		rc = read_web(reading, top->web);
	if (rc == 0)
		rc = read_geo(reading, top->geo);
	if (rc == 0)
		rc = read_journal(reading, top->journal);
	if (rc == 0)
		rc = read_store(reading, top->store);
	if (rc == 0)
		rc = read_limits(reading, top->limits);
	if (rc == 0)
		rc = read_log(reading, top->log);
	return rc ? rc : read_watched(reading, top);
}

int collector_config_read(
	struct collector_config **out, const char *path, struct fault *fault)
{
	struct collector_config *config = calloc(1, sizeof(*config));
	struct json_doc *doc = NULL;
	struct top top = {0};
	int rc;

	*out = NULL;
	if (!config)
		return fault_at(fault, -ENOMEM, "", "no memory");
	copy(config->path, path);
	rc = json_parse_file(&doc, path, FILE_BYTES_MAX, JSON_COMMENTS, fault);
	if (rc == 0)
		rc = conf_read(&top, top_options, doc, json_root(doc), "", fault);
	if (rc == 0)
		rc = read_sections(
			&(struct reading){.config = config, .doc = doc, .fault = fault},
			&top);
	json_doc_free(doc);
	if (rc) {
		if (fault)
			(void)snprintf(fault->input, sizeof(fault->input), "%s", path);
		collector_config_free(config);
		return rc;
	}
	*out = config;
	return 0;
}

void collector_config_free(struct collector_config *config)
{
	if (!config)
		return;
	free(config->tokens);
	free(config->refused);
	services_free(&config->services);
	assigned_free(&config->assigned);
	free(config);
}

void collector_config_describe(FILE *out)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (*sections[i].where)
			(void)fprintf(out, "\n%s\n", sections[i].where);
		conf_describe(out, sections[i].options);
	}
}

const char *collector_config_file(const struct collector_config *config, const char *name,
	char buf[static COLLECTOR_CONFIG_TEXT])
{
	(void)snprintf(
		buf, COLLECTOR_CONFIG_TEXT, "%.*s/%s", DATA_TEXT - 1, config->data, name);
	return buf;
}

struct ingest_rules collector_config_rules(const struct collector_config *config)
{
	return (struct ingest_rules){.tokens = config->tokens,
		.token_count = config->token_count,
		.refused = (const char(*)[OBS_WORD])config->refused,
		.refused_count = config->refused_count,
		.assigned = &config->assigned,
		.quota_bytes_per_minute = config->quota_bytes_per_minute};
}
