/*
 * What probes are told to watch, ready to be sent: one answer for each role. Pure.
 */
#ifndef ASTRAY_ASSIGNED_H
#define ASTRAY_ASSIGNED_H

#include "astray/json.h"
#include "astray/obs.h"
#include "astray/services.h"

#define ASSIGNED_ROLES 3
#define ASSIGNED_ETAG 24

struct assigned_answer {
	char *body; /* NULL: nothing is assigned to this role */
	size_t len;
	char etag[ASSIGNED_ETAG]; /* quoted */
};

struct assigned {
	struct assigned_answer roles[ASSIGNED_ROLES]; /* by enum obs_role */
};

/* `section` is the configuration's "assignment": roles, each with its "sources"; may be
 * NULL. The services go to every role. Unknown roles and keys are refused. */
int assigned_make(struct assigned *out, const struct services *services,
	const struct json_doc *doc, const struct json *section, struct fault *fault);
void assigned_free(struct assigned *assigned);
bool assigned_etag_matches(
	const struct assigned_answer *answer, const char *if_none_match);

#endif
