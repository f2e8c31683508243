/*
 * A notifier is one way of telling people: one row in a table, one file of pure code,
 * which says in its words how an incident stands. What is sent, when, and again, is the
 * dispatcher's (notify.h).
 */
#ifndef NOTIFY_NOTIFIER_H
#define NOTIFY_NOTIFIER_H

#include <stdbool.h>
#include <stddef.h>

#include "incident.h"

#define NOTIFIER_BODY_MAX ((size_t)(192 * 1024))
#define NOTIFIER_URL 1024
#define NOTIFIER_FILE 1024
#define NOTIFIER_SECRET 512
#define NOTIFIER_HEADERS 4
#define NOTIFIER_ID (INCIDENT_ID + 16)

struct notifier_kind;

/* One row of the configuration: whom to tell. */
struct notifier_target {
	char name[OBS_WORD];
	const struct notifier_kind *kind;
	char url[NOTIFIER_URL];
	char ca_file[NOTIFIER_FILE];  /* "": the system's */
	char token[NOTIFIER_SECRET];  /* for Authorization: Bearer; "": none */
	char secret[NOTIFIER_SECRET]; /* what the kind makes of it; "": none */
	enum incident_severity least; /* less severe incidents are not told */
};

struct notifier_header {
	char name[32];
	char value[NOTIFIER_SECRET];
};

struct notifier_headers {
	unsigned count;
	struct notifier_header rows[NOTIFIER_HEADERS];
};

struct notifier_kind {
	const char *name; /* "webhook", "alertmanager": its "kind" in the configuration */
	const char *help;
	const char
		*url; /* where to, when the configuration does not say; NULL: it must */
	const char
		*path; /* what the URL ends with, appended where it does not; or NULL */
	const char *secret; /* what its secret_file holds; NULL: it takes none */
	bool secret_needed;
	bool repeats; /* while the incident is open it is said again each minute */
	/* The body that says how the incident stands; `dashboard` is the URL under which
	 * people see it, or "". Returns its length, 0: nothing to say, or negative. */
	int (*compose)(char *body, size_t cap, const struct notifier_target *target,
		const struct incident *incident, const char *dashboard);
	/* Headers for one attempt; `id` is the same in each. NULL: none. STATUS_SYNTAX:
	 * the secret is not what it should be. */
	int (*sign)(struct notifier_headers *out, const struct notifier_target *target,
		const char *id, const char *body, size_t len, struct moment now);
};

extern const struct notifier_kind *const notifier_kinds[]; /* ends with NULL */

/* The dashboard's page of what the incident is about; "" without a dashboard. */
void notifier_link(
	char *out, size_t cap, const char *dashboard, const struct incident *incident);
/* "name_server, detour" */
void notifier_causes(char *out, size_t cap, unsigned causes);
/* Names of a fixed width, as incidents hold them: "exchange, mail". Cut where they do not
 * fit. */
void notifier_join(
	char *out, size_t cap, const char *names, size_t width, unsigned count);

#endif
