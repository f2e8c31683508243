/*
 * A small certificate authority of one's own, for a collector and its probes: ECDSA on
 * P-256, PEM files, keys readable by their owner alone. Nothing that exists is written
 * over.
 */
#ifndef ASTRAY_AUTHORITY_H
#define ASTRAY_AUTHORITY_H

#include "astray/fault.h"
#include "astray/moment.h"

struct authority;

struct authority_files {
	const char *certificate, *key;
};

struct authority_order {
	const char *name; /* common name: of a client, who it is */
	struct moment from, until;
	/* Names and addresses of a server, ends with NULL; NULL: a client's certificate.
	 */
	const char *const *hosts;
};

/* Makes one that signs itself and writes both files. */
int authority_create(struct authority **out, const struct authority_order *order,
	const struct authority_files *files, struct fault *fault);
int authority_load(
	struct authority **out, const struct authority_files *files, struct fault *fault);
void authority_free(struct authority *authority); /* NULL is fine */

int authority_issue(struct authority *authority, const struct authority_order *order,
	const struct authority_files *files, struct fault *fault);

#endif
