/*
 * A notifier is one way of telling people: one row in a table, one file. It is handed every change
 * of an incident that is said to the outside, and delivers it at least once: with retries, the same
 * id each time, and a bounded queue on disk that survives a restart, so that a page decided is a
 * page delivered.
 */
#ifndef ASTRAY_NOTIFIER_H
#define ASTRAY_NOTIFIER_H

#include <stddef.h>

#include "astray/conf.h"
#include "astray/fetch.h"
#include "incident.h"

/* One HTTP request that tells of one change; texts live in `buf`s of the caller. */
struct notifier_message {
	char url[1024];
	struct fetch_header headers[8]; /* ends with a row without name */
	char header_text[8][512];
	char *body; /* NOTIFIER_BODY_MAX bytes of room */
	size_t body_len;
};
#define NOTIFIER_BODY_MAX (192 * 1024)

struct notifier_kind {
	const char *name; /* "webhook", "alertmanager": its "kind" in the configuration */
	const char *help;
	const struct conf_option *options;
	size_t settings_size;
	/* Pure: from an incident as it stands to the request that says so. `dashboard` is the URL under
	 * which people see incidents, or "". 0, 1: nothing to say to this kind, or negative. */
	int (*compose)(struct notifier_message *out, const void *settings, const struct incident *incident,
		const char *dashboard, struct moment now);
	bool repeats; /* while the incident is open it is said again each minute (Alertmanager) */
};

extern const struct notifier_kind *const notifier_kinds[]; /* ends with NULL */

#endif
