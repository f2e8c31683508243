/*
 * What is looked at again and again, and takes one of few forms: a path, the answer to a
 * question, a registration, a certificate, the outcome of a check. Kept are the form that
 * it has, the one that it had before, and since when; each with the last observation that
 * showed it, as its line.
 *
 * A form is known by its signature. A look that could see less of a path than the last
 * one is no change; neither is a short visit elsewhere what "before" means: see
 * settled().
 */
#ifndef ASTRAY_SUBJECT_H
#define ASTRAY_SUBJECT_H

#include <stdint.h>

#include "database.h"
#include "signature.h"

enum subject_kind {
	SUBJECT_PATH,
	SUBJECT_DNS,
	SUBJECT_REGISTRY,
	SUBJECT_CERTIFICATE,
	SUBJECT_CHECK,
	SUBJECT_KINDS
};

/* Texts are borrowed. */
struct subject_key {
	enum subject_kind kind;
	const char *service, *site, *probe, *name; /* "" where it does not matter */
};

struct subjects;

#define SUBJECT_LINE_MAX (64 * 1024)

const char *subject_kind_text(enum subject_kind kind); /* "path" */

int subject_open(struct subjects **out, struct database *database);
void subject_close(struct subjects *subjects); /* NULL is fine */
/* STATUS_LIMIT when there are too many of them, of this service and probe or in all. */
int subject_see(struct subjects *subjects, const struct subject_key *key,
	struct moment rx, const struct signature *signature, const char *line);

#endif
