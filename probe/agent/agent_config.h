/*
 * The configuration of a running probe, as its file says it. Strict: what is not known is
 * refused with file, line and the nearest known key. What is to be measured ("services",
 * "sources") is checked here too, and read by the measure plan from the text that is
 * kept.
 */
#ifndef ASTRAY_AGENT_CONFIG_H
#define ASTRAY_AGENT_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "astray/fault.h"
#include "astray/log.h"
#include "astray/obs.h"
#include "source.h"
#include "uplink.h"

struct agent_config {
	char path[OBS_TEXT];
	char *text; /* of the file */
	enum obs_role role;
	unsigned label_count;
	struct obs_label labels[OBS_LABELS];
	char user[OBS_WORD]; /* "": stays who it is */
	struct uplink_settings uplink;
	char spool_directory[OBS_TEXT];
	int64_t spool_limit_bytes;
	char geo_city[OBS_TEXT], geo_asn[OBS_TEXT]; /* "": none */
	struct place here;
	enum log_level log_level;
	enum log_format log_format;
	bool needs_assignment; /* the file leaves services or sources to the collector */
};

int agent_config_read(struct agent_config **out, const char *path,
	const struct source_kind *const *kinds, struct fault *fault);
void agent_config_free(struct agent_config *config); /* NULL is fine */

/* Every key, for the manual and for --help. */
void agent_config_describe(FILE *out, const struct source_kind *const *kinds);

#endif
