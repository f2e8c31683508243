#include "agent_config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "astray/conf.h"
#include "astray/status.h"
#include "astray/wire.h"
#include "measure_plan.h"

#define QUIET_AGE_US (2 * MOMENT_MINUTE_US)

#define FILE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define MIB (INT64_C(1024) * 1024)

#define TEXT(row, member) \
	CONF_TEXT, offsetof(struct row, member), sizeof(((struct row *)0)->member)
#define SECTION(row, member) CONF_VALUE, offsetof(struct row, member), 0, 0, 0, NULL

struct top {
	char probe[OBS_WORD], role[OBS_WORD], user[OBS_WORD];
	const struct json *labels, *collector, *spool, *geo, *here, *services, *sources,
		*log;
};

static const struct conf_option top_options[] = {
	{"probe", TEXT(top, probe), 0, 0, NULL,
		"the name that the collector knows this probe by"},
	{"role", TEXT(top, role), 0, 0, "\"endpoint\"",
		"\"endpoint\" (an employee's machine), \"gateway\" (sees many users' "
		"traffic) or "
		"\"sentinel\" (no user; asks DNS and registry)"},
	{"user", TEXT(top, user), 0, 0, "\"\"",
		"whom to become when started as root; CAP_NET_RAW is all that stays"},
	{"labels", SECTION(top, labels),
		"words about where it stands; probes of one \"site\" share a way out"},
	{"collector", SECTION(top, collector), "where observations go"},
	{"spool", SECTION(top, spool), "where they wait for it"},
	{"geo", SECTION(top, geo), "databases of places and networks"},
	{"here", SECTION(top, here),
		"where this probe stands, so that light can judge paths"},
	{"services", SECTION(top, services),
		"what to watch; without it the collector says"},
	{"sources", SECTION(top, sources),
		"how to measure; without it the collector says"},
	{"log", SECTION(top, log), "what is said on standard error"},
	{0},
};

struct collector {
	struct collector_access access;
	int64_t batch_age_us, quiet_age_us;
};

static const struct conf_option collector_options[] = {
	{"url", TEXT(collector, access.url), 0, 0, NULL, "https://HOST:PORT"},
	{"ca", TEXT(collector, access.ca_file), 0, 0, "\"\"",
		"file of the authority that vouches for it; empty: the system's"},
	{"certificate", TEXT(collector, access.certificate_file), 0, 0, "\"\"",
		"file of this probe's certificate; its common name is the probe's name"},
	{"key", TEXT(collector, access.key_file), 0, 0, "\"\"",
		"file of the certificate's key"},
	{"token_file", TEXT(collector, access.token_file), 0, 0, "\"\"",
		"file of a bearer token, in place of a certificate; read anew for each "
		"request"},
	{"batch_age", CONF_SPAN, offsetof(struct collector, batch_age_us), 0, 100e3,
		3600e6, NULL,
		"observations wait so long for others to go with; without it 45 s for an "
		"endpoint, which sends the less for it, 10 s for a gateway, 2 s for a "
		"sentinel; trouble goes at once"},
	{"quiet_age", CONF_SPAN, offsetof(struct collector, quiet_age_us), 0, 0, 3600e6,
		NULL,
		"the same while nobody uses any service and all is well; without it "
		"2 min for an endpoint without batch_age, else batch_age"},
	{0},
};

struct spool_section {
	char directory[OBS_TEXT];
	int64_t limit_mb;
};

static const struct conf_option spool_options[] = {
	{"directory", TEXT(spool_section, directory), 0, 0, "\"/var/lib/astray-probe\"",
		"made where it is not there"},
	{"limit_mb", CONF_INT, offsetof(struct spool_section, limit_mb), 0, 4, 65536,
		"64", "beyond it the oldest go, and a gap is reported"},
	{0},
};

struct geo_section {
	char city[OBS_TEXT], asn[OBS_TEXT];
};

static const struct conf_option geo_options[] = {
	{"city", TEXT(geo_section, city), 0, 0, "\"\"",
		"file of places (MaxMind format)"},
	{"asn", TEXT(geo_section, asn), 0, 0, "\"\"",
		"file of networks (MaxMind format)"},
	{0},
};

struct here_section {
	char country[8], city[PLACE_NAME];
	double latitude, longitude;
};

static const struct conf_option here_options[] = {
	{"country", TEXT(here_section, country), 0, 0, "\"\"",
		"two letters (ISO 3166-1)"},
	{"city", TEXT(here_section, city), 0, 0, "\"\"", "its name"},
	{"latitude", CONF_NUMBER, offsetof(struct here_section, latitude), 0, -90, 90,
		NULL, "degrees north"},
	{"longitude", CONF_NUMBER, offsetof(struct here_section, longitude), 0, -180, 180,
		NULL, "degrees east"},
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

/* ---- the file */

static int read_text(char **out, const char *path, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len;
	int rc = 0;

	*out = NULL;
	if (!file)
		return fault_at(fault, -errno, "", "%s", status_text(-errno));
	text = malloc(FILE_BYTES_MAX + 1);
	len = text ? fread(text, 1, FILE_BYTES_MAX + 1, file) : 0;
	if (!text)
		rc = fault_at(fault, -ENOMEM, "", "%s", status_text(-ENOMEM));
	else if (ferror(file))
		rc = fault_at(fault, -EIO, "", "%s", status_text(-EIO));
	else if (len > FILE_BYTES_MAX)
		rc = fault_at(
			fault, STATUS_LIMIT, "", "longer than %zu bytes", FILE_BYTES_MAX);
	else if (memchr(text, '\0', len))
		rc = fault_at(fault, STATUS_SYNTAX, "", "holds a byte of zero");
	(void)fclose(file);
	if (rc == 0 && text) {
		char *less;

		text[len] = '\0';
		less = realloc(text, len + 1);
		*out = less ? less : text;
	} else {
		free(text);
	}
	return rc;
}

/* ---- the sections */

/* What the tables read, with the document for lines in faults. */
struct reading {
	const struct json_doc *doc;
	struct fault *fault;
};

static int refuse(const struct reading *reading, const struct json *value,
	const char *field, int rc, const char *why)
{
	return conf_refuse(reading->fault, reading->doc, value, rc, field, why);
}

static int read_labels(struct agent_config *config, const struct reading *reading,
	const struct json *labels)
{
	if (labels && json_type(labels) != JSON_OBJECT)
		return refuse(reading, labels, "labels", STATUS_SYNTAX,
			"should be an object {…}");
	for (const struct json *value = labels ? json_first(labels) : NULL; value;
		value = json_next(value)) {
		struct obs_label *label = &config->labels[config->label_count];
		const char *word = json_as_text(value);

		if (config->label_count == OBS_LABELS)
			return refuse(reading, value, "labels", STATUS_LIMIT,
				"has more than 8 entries");
		if (!word || !wire_word_is_valid(word) ||
			!wire_word_is_valid(json_key(value)))
			return refuse(reading, value, "labels", STATUS_RANGE,
				"keys and values are 1 to 63 letters, digits and . _ -");
		(void)snprintf(label->key, sizeof(label->key), "%s", json_key(value));
		(void)snprintf(label->value, sizeof(label->value), "%s", word);
		config->label_count++;
	}
	return 0;
}

static int read_role(
	struct agent_config *config, const struct reading *reading, const struct top *top)
{
	for (unsigned role = OBS_ENDPOINT; role <= OBS_SENTINEL; role++) {
		if (strcmp(top->role, obs_role_text((enum obs_role)role)) == 0) {
			config->role = (enum obs_role)role;
			return 0;
		}
	}
	return refuse(reading, NULL, "role", STATUS_UNKNOWN,
		"should be \"endpoint\", \"gateway\" or \"sentinel\"");
}

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* What is sent says where people go: it is not sent in the clear, except inside this
 * machine. */
static bool is_private_enough(const char *url)
{
	return (begins(url, "https://") && url[strlen("https://")]) ||
	       begins(url, "http://127.0.0.1:") || begins(url, "http://[::1]:") ||
	       begins(url, "http://localhost:");
}

/* A window of five minutes is judged a minute after its end: what is in use must be there
 * by then. */
static void set_ages(struct uplink_settings *settings, enum obs_role role,
	const struct collector *collector)
{
	static const int64_t age_us[] = {[OBS_ENDPOINT] = 45 * MOMENT_SECOND_US,
		[OBS_GATEWAY] = 10 * MOMENT_SECOND_US,
		[OBS_SENTINEL] = 2 * MOMENT_SECOND_US};
	int64_t given_us = collector->batch_age_us;

	settings->batch_age_us = given_us ? given_us : age_us[role];
	settings->quiet_age_us =
		!given_us && role == OBS_ENDPOINT ? QUIET_AGE_US : settings->batch_age_us;
	if (collector->quiet_age_us > settings->quiet_age_us)
		settings->quiet_age_us = collector->quiet_age_us;
}

static int read_collector(struct agent_config *config, const struct reading *reading,
	const struct json *section)
{
	struct collector collector = {0};
	const struct collector_access *access = &collector.access;
	int rc = conf_read_section(&collector, collector_options, reading->doc, section,
		"collector", reading->fault);

	if (rc)
		return rc;
	if (!access->url[0])
		return refuse(reading, section, "collector.url", STATUS_MISSING,
			"is needed: where do observations go?");
	if (!is_private_enough(access->url))
		return refuse(reading, section, "collector.url", STATUS_RANGE,
			"should begin with https:// (http:// only to this machine "
			"itself)");
	if (!access->certificate_file[0] != !access->key_file[0])
		return refuse(reading, section, "collector", STATUS_MISSING,
			"\"certificate\" and \"key\" go together");
	config->uplink.access = collector.access;
	set_ages(&config->uplink, config->role, &collector);
	return 0;
}

static int read_spool(struct agent_config *config, const struct reading *reading,
	const struct json *section)
{
	struct spool_section spool = {0};
	int rc = conf_read_section(
		&spool, spool_options, reading->doc, section, "spool", reading->fault);

	(void)snprintf(config->spool_directory, sizeof(config->spool_directory), "%s",
		spool.directory);
	config->spool_limit_bytes = spool.limit_mb * MIB;
	return rc;
}

static int read_geo(struct agent_config *config, const struct reading *reading,
	const struct json *section)
{
	struct geo_section geo = {0};
	int rc = conf_read_section(
		&geo, geo_options, reading->doc, section, "geo", reading->fault);

	(void)snprintf(config->geo_city, sizeof(config->geo_city), "%s", geo.city);
	(void)snprintf(config->geo_asn, sizeof(config->geo_asn), "%s", geo.asn);
	return rc;
}

static bool is_country(const char *text)
{
	return !text[0] || (strlen(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' &&
				   text[1] >= 'A' && text[1] <= 'Z');
}

static int read_here(struct agent_config *config, const struct reading *reading,
	const struct json *section)
{
	struct here_section here = {.latitude = NAN, .longitude = NAN};
	int rc = conf_read_section(
		&here, here_options, reading->doc, section, "here", reading->fault);

	if (rc)
		return rc;
	if (!is_country(here.country))
		return refuse(reading, section, "here.country", STATUS_RANGE,
			"should be two capital letters");
	if (isnan(here.latitude) != isnan(here.longitude))
		return refuse(reading, section, "here", STATUS_MISSING,
			"\"latitude\" and \"longitude\" go together");
	(void)snprintf(
		config->here.country, sizeof(config->here.country), "%.2s", here.country);
	(void)snprintf(config->here.city, sizeof(config->here.city), "%s", here.city);
	config->here.located = !isnan(here.latitude);
	if (config->here.located) {
		config->here.latitude = here.latitude;
		config->here.longitude = here.longitude;
	}
	return 0;
}

static int read_log(struct agent_config *config, const struct reading *reading,
	const struct json *section)
{
	struct log_section chosen = {0};
	int rc = conf_read_section(
		&chosen, log_options, reading->doc, section, "log", reading->fault);

	if (rc)
		return rc;
	if (log_parse_level(&config->log_level, chosen.level))
		return refuse(reading, section, "log.level", STATUS_UNKNOWN,
			"should be \"error\", \"warn\", \"info\" or \"debug\"");
	if (log_parse_format(&config->log_format, chosen.format))
		return refuse(reading, section, "log.format", STATUS_UNKNOWN,
			"should be \"logfmt\" or \"json\"");
	return 0;
}

static int read_sections(
	struct agent_config *config, const struct reading *reading, const struct top *top)
{
	int rc = read_role(config, reading, top);

	if (rc == 0)
		rc = read_labels(config, reading, top->labels);
	if (rc == 0)
		rc = read_collector(config, reading, top->collector);
	if (rc == 0)
		rc = read_spool(config, reading, top->spool);
	if (rc == 0)
		rc = read_geo(config, reading, top->geo);
	if (rc == 0)
		rc = read_here(config, reading, top->here);
	if (rc == 0)
		rc = read_log(config, reading, top->log);
	return rc;
}

static int read_document(
	struct agent_config *config, const struct json_doc *doc, struct fault *fault)
{
	struct reading reading = {doc, fault};
	struct top top = {0};
	int rc = conf_read(&top, top_options, doc, json_root(doc), "", fault);

	if (rc)
		return rc;
	if (!wire_word_is_valid(top.probe))
		return refuse(&reading, NULL, "probe",
			top.probe[0] ? STATUS_RANGE : STATUS_MISSING,
			"is needed: 1 to 63 letters, digits and . _ -");
	(void)snprintf(
		config->uplink.probe, sizeof(config->uplink.probe), "%s", top.probe);
	(void)snprintf(config->user, sizeof(config->user), "%s", top.user);
	config->needs_assignment = !top.services || !top.sources;
	return read_sections(config, &reading, &top);
}

static int check_plan(const struct agent_config *config,
	const struct source_kind *const *kinds, struct fault *fault)
{
	struct measure_plan *plan;
	int rc = measure_plan_new(&plan, kinds, config->text, NULL, fault);

	measure_plan_free(plan);
	return rc;
}

int agent_config_read(struct agent_config **out, const char *path,
	const struct source_kind *const *kinds, struct fault *fault)
{
	struct agent_config *config = calloc(1, sizeof(*config));
	struct json_doc *doc = NULL;
	int rc;

	*out = NULL;
	if (!config)
		return -ENOMEM;
	(void)snprintf(config->path, sizeof(config->path), "%s", path);
	rc = read_text(&config->text, path, fault);
	if (rc == 0)
		rc = json_parse(
			&doc, config->text, strlen(config->text), JSON_COMMENTS, fault);
	if (rc == 0)
		rc = read_document(config, doc, fault);
	if (rc == 0)
		rc = check_plan(config, kinds, fault);
	json_doc_free(doc);
	if (rc)
		goto fail;
	*out = config;
	return 0;

fail:
	if (fault)
		(void)snprintf(fault->input, sizeof(fault->input), "%s", path);
	agent_config_free(config);
	return rc;
}

void agent_config_free(struct agent_config *config)
{
	if (!config)
		return;
	free(config->text);
	free(config);
}

static void describe_section(
	FILE *out, const char *name, const struct conf_option *options)
{
	(void)fprintf(out, "\n%s:\n", name);
	conf_describe(out, options);
}

void agent_config_describe(FILE *out, const struct source_kind *const *kinds)
{
	char name[OBS_WORD];

	(void)fprintf(out, "Configuration (JSON; // comments are allowed):\n");
	conf_describe(out, top_options);
	describe_section(out, "collector", collector_options);
	describe_section(out, "spool", spool_options);
	describe_section(out, "geo", geo_options);
	describe_section(out, "here", here_options);
	describe_section(out, "log", log_options);
	for (; *kinds; kinds++) {
		(void)snprintf(name, sizeof(name), "sources.%s", (*kinds)->name);
		describe_section(out, name, (*kinds)->options);
	}
}
