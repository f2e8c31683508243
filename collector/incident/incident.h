/*
 * An incident: findings that belong together, the only thing that pages. A plain value as
 * it stands at one change; incident_encode writes it in the form of the wire contract.
 */
#ifndef ASTRAY_INCIDENT_H
#define ASTRAY_INCIDENT_H

#include <stddef.h>

#include "astray/moment.h"
#include "astray/obs.h"

#define INCIDENT_ID 40
#define INCIDENT_SERVICES 64
#define INCIDENT_SITES 32
#define INCIDENT_VANTAGES 64
#define INCIDENT_EVIDENCE 64
#define INCIDENT_TITLE 256
#define INCIDENT_TEXT 8192

enum incident_cause {
	CAUSE_NAME_SERVER,
	CAUSE_RECORDS,
	CAUSE_CERTIFICATE,
	CAUSE_REGISTRY,
	CAUSE_DETOUR,
	CAUSE_POLICY,
	CAUSE_LATENCY,
	CAUSE_TRAFFIC,
	CAUSE_FAILURES,
	CAUSE_SITE,
	CAUSE_TELEMETRY,
	INCIDENT_CAUSES
};

enum incident_severity { SEVERITY_INFO, SEVERITY_WARN, SEVERITY_PAGE };

enum incident_state {
	INCIDENT_OPENED,
	INCIDENT_ESCALATED,
	INCIDENT_ACKNOWLEDGED,
	INCIDENT_RESOLVED,
};

/* What happened to it now. Only the first four are said to the outside; UPDATED means
 * that evidence joined (or its text changed) and the store should hold the newer form. */
enum incident_change {
	INCIDENT_CHANGE_OPENED,
	INCIDENT_CHANGE_ESCALATED,
	INCIDENT_CHANGE_ACKNOWLEDGED,
	INCIDENT_CHANGE_RESOLVED,
	INCIDENT_CHANGE_UPDATED,
};

struct incident_evidence {
	struct moment rx;
	enum incident_cause cause;
	char service[OBS_NAME];
	char text[OBS_TEXT];
};

struct incident {
	struct moment rx;       /* of this change */
	char id[INCIDENT_ID];   /* the same in every replay of the same stream */
	unsigned change_number; /* from 1, over changes that are said to the outside */
	enum incident_state state;
	enum incident_severity severity;
	struct moment since; /* the first witness, not the first alarm */
	struct moment opened;
	unsigned causes; /* bits 1 << enum incident_cause */
	unsigned service_count, site_count, vantage_count, evidence_count;
	unsigned evidence_dropped;
	char part_of[INCIDENT_ID]; /* of which has taken it up; "": none has */
	char services[INCIDENT_SERVICES][OBS_NAME];
	char sites[INCIDENT_SITES][OBS_WORD];
	char vantages[INCIDENT_VANTAGES][OBS_WORD];
	char title[INCIDENT_TITLE];
	char text[INCIDENT_TEXT];
	struct incident_evidence evidence[INCIDENT_EVIDENCE]; /* in order of time */
};

const char *incident_cause_text(enum incident_cause cause);          /* "name_server" */
const char *incident_severity_text(enum incident_severity severity); /* "page" */
const char *incident_state_text(enum incident_state state);          /* "opened" */

/* One line of the wire contract with its newline; length, or STATUS_LIMIT. Beside the
 * contract's fields it carries since_us and opened_us, and part_of where it is part of
 * another. */
int incident_encode(char *buf, size_t cap, const struct incident *incident);
#define INCIDENT_LINE_MAX (128 * 1024)

#endif
