#include "collector_inside.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "astray/json.h"
#include "astray/status.h"
#include "http_server.h"
#include "ingest.h"
#include "pipeline.h"

static char *text_of_services(const struct services *services)
{
	struct json *root = json_new_object();
	char *text = NULL;

	if (root) {
		services_write(services, root);
		text = json_print_new(root);
	}
	json_free(root);
	return text;
}

/* What was built from these stays what it was until the next start. */
#define PART(member)                                                   \
	{                                                              \
		offsetof(struct collector_config, member),             \
			sizeof(((struct collector_config *)0)->member) \
	}
static const struct {
	size_t at, size;
} fixed_parts[] = {PART(data), PART(listen), PART(tls), PART(certificate), PART(key),
	PART(client_ca), PART(web), PART(web_listen), PART(web_url),
	PART(web_token_given), PART(web_token), PART(connections),
	PART(connections_per_address), PART(geo_city), PART(geo_asn), PART(notify),
	PART(journal_keep_us), PART(journal_keep_bytes), PART(journal_rebuild_us),
	PART(journal_snapshot_us), PART(store_keep_us)};

static bool needs_restart(
	const struct collector_config *now, const struct collector_config *then)
{
	bool same = true;

	for (size_t i = 0; i < sizeof(fixed_parts) / sizeof(fixed_parts[0]); i++)
		same = same && memcmp((const char *)now + fixed_parts[i].at,
				       (const char *)then + fixed_parts[i].at,
				       fixed_parts[i].size) == 0;
	return !same;
}

static bool is_same_judgement(
	const struct pipeline_settings *a, const struct pipeline_settings *b)
{
	return a->gather_us == b->gather_us && a->calm_us == b->calm_us &&
	       a->learn_paths_us == b->learn_paths_us &&
	       a->learn_names_us == b->learn_names_us &&
	       a->learn_counts_us == b->learn_counts_us &&
	       a->page_blind == b->page_blind && a->false_pages == b->false_pages;
}

/* Whether other services are judged, or otherwise. */
static bool judges_otherwise(
	const struct collector_config *now, const struct collector_config *then)
{
	char *mine = text_of_services(&now->services),
	     *theirs = text_of_services(&then->services);
	bool same = mine && theirs && strcmp(mine, theirs) == 0 &&
		    is_same_judgement(&now->judgement, &then->judgement);

	free(mine);
	free(theirs);
	return !same;
}

static void swap_judgement(
	struct collector_config *config, struct collector_config *other)
{
	struct services services = config->services;
	struct pipeline_settings judgement = config->judgement;

	config->services = other->services;
	config->judgement = other->judgement;
	other->services = services;
	other->judgement = judgement;
}

/* A pipeline of the configuration in force that knows what is kept in the archive. */
static int open_knowing(
	struct collector *collector, struct pipeline **out, const struct archive *kept)
{
	struct archive *archive;
	size_t len;
	const void *bytes = archive_bytes(kept, &len);
	int rc = archive_open(&archive, bytes, len);

	*out = NULL;
	if (rc)
		return rc;
	rc = collector_way_open_pipeline(collector, out);
	if (rc == 0) {
		pipeline_keep(archive, *out);
		rc = archive_rc(archive);
	}
	archive_free(archive);
	if (rc) {
		pipeline_free(*out);
		*out = NULL;
	}
	return rc;
}

/* Other services or settings want another pipeline; it takes over what the last one has
 * learnt, by the services' names. When that fails, nothing has changed. */
static int judge_otherwise(struct collector *collector, struct collector_config *other)
{
	struct archive *kept;
	struct pipeline *fresh;
	int rc = archive_new(&kept);

	if (rc)
		return rc;
	pipeline_keep(kept, collector->pipeline);
	rc = archive_rc(kept);
	if (rc == 0) {
		swap_judgement(collector->config, other);
		rc = open_knowing(collector, &fresh, kept);
		if (rc)
			swap_judgement(collector->config, other);
	}
	archive_free(kept);
	if (rc)
		return rc;
	pipeline_free(collector->pipeline);
	collector->pipeline = fresh;
	collector->snapshot_due = true;
	return 0;
}

static void swap_rules(struct collector *collector, struct collector_config *other)
{
	struct collector_config *config = collector->config;
	struct ingest_token *tokens = config->tokens;
	char(*refused)[OBS_WORD] = config->refused;
	struct assigned assigned = config->assigned;
	struct ingest_rules rules;

	config->tokens = other->tokens;
	config->token_count = other->token_count;
	config->refused = other->refused;
	config->refused_count = other->refused_count;
	config->assigned = other->assigned;
	config->quota_bytes_per_minute = other->quota_bytes_per_minute;
	rules = collector_config_rules(config);
	ingest_set_rules(collector->ingest, &rules);
	other->tokens = tokens;
	other->refused = refused;
	other->assigned = assigned;
}

static void refuse(
	struct collector *collector, struct collector_config *other, struct fault *fault)
{
	(void)collector_fail(collector, 0, fault);
	log_error(collector->log, "collector",
		"the configuration of before stays in force");
	collector_config_free(other);
}

void collector_reload(struct collector *collector)
{
	struct collector_config *other = NULL;
	struct fault fault = {0};
	bool otherwise;
	int rc;

	if (collector_config_read(&other, collector->config->path, &fault) ||
		http_server_reload(collector->probes, &fault)) {
		refuse(collector, other, &fault);
		return;
	}
	otherwise = judges_otherwise(collector->config, other);
	rc = otherwise ? judge_otherwise(collector, other) : 0;
	if (rc) {
		(void)fault_at(&fault, rc, "services", "%s", status_text(rc));
		refuse(collector, other, &fault);
		return;
	}
	if (needs_restart(collector->config, other))
		log_warn(collector->log, "collector",
			"the configuration was read again, but listeners, folders, geo, "
			"notify and what is kept stay as they are until a restart");
	else
		log_info(collector->log, "collector", "the configuration was read again");
	if (otherwise)
		log_info(collector->log, "collector",
			"services that are judged now: %zu; what was learnt of those "
			"that "
			"stay is kept",
			collector->config->services.count);
	swap_rules(collector, other);
	collector->log->level = other->log_level;
	collector->log->format = other->log_format;
	collector_config_free(other);
}
