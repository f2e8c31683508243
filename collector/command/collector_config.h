/*
 * The configuration of a collector, as its file says it. Strict: what is not known is
 * refused with file, line and the nearest known key. The files that it names (tokens,
 * services' policies) are read here, too, so that a configuration that is good can be
 * served.
 */
#ifndef ASTRAY_COLLECTOR_CONFIG_H
#define ASTRAY_COLLECTOR_CONFIG_H

#include <stdio.h>

#include "assigned.h"
#include "astray/address.h"
#include "astray/fault.h"
#include "astray/log.h"
#include "astray/services.h"
#include "ingest.h"
#include "notify_config.h"
#include "pipeline.h"

#define COLLECTOR_CONFIG_TEXT 512

struct collector_listen {
	struct address address;
	uint16_t port;
};

struct collector_config {
	char path[COLLECTOR_CONFIG_TEXT];
	char data[COLLECTOR_CONFIG_TEXT];
	struct collector_listen listen;
	bool tls;
	char certificate[COLLECTOR_CONFIG_TEXT], key[COLLECTOR_CONFIG_TEXT],
		client_ca[COLLECTOR_CONFIG_TEXT]; /* "": no client certificates */
	bool web;                                 /* a listener for people */
	struct collector_listen web_listen;
	char web_url[COLLECTOR_CONFIG_TEXT]; /* what pages link to, "": nothing */
	bool web_token_given;
	struct secret web_token;
	size_t token_count, refused_count;
	struct ingest_token *tokens;
	char (*refused)[OBS_WORD];
	int64_t quota_bytes_per_minute;
	unsigned connections, connections_per_address;
	char geo_city[COLLECTOR_CONFIG_TEXT],
		geo_asn[COLLECTOR_CONFIG_TEXT]; /* "": none */
	struct services services;
	struct assigned assigned;
	struct pipeline_settings judgement;
	struct notify_config notify;
	int64_t journal_keep_us, journal_keep_bytes, journal_rebuild_us,
		journal_snapshot_us;
	int64_t store_keep_us;
	enum log_level log_level;
	enum log_format log_format;
};

int collector_config_read(
	struct collector_config **out, const char *path, struct fault *fault);
void collector_config_free(struct collector_config *config); /* NULL is fine */

/* Every key, for the manual and for --help. */
void collector_config_describe(FILE *out);

/* "DATA/NAME" */
const char *collector_config_file(const struct collector_config *config, const char *name,
	char buf[static COLLECTOR_CONFIG_TEXT]);
struct ingest_rules collector_config_rules(const struct collector_config *config);

#endif
