/*
 * What a person needs to begin: an authority of one's own, a certificate for the
 * collector and for each probe, and configurations that fit them, in one folder. Nothing
 * is written over.
 */
#ifndef ASTRAY_FIRST_FILES_H
#define ASTRAY_FIRST_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "astray/address.h"
#include "astray/fault.h"
#include "astray/moment.h"

#define FIRST_FILES_HOSTS 16

struct first_files_order {
	const char *folder; /* absolute; made where it is not there */
	const char *listen; /* "127.0.0.1:8443" */
	const char *host;   /* under which probes find the collector */
	const char *hosts[FIRST_FILES_HOSTS +
			  1]; /* what its certificate is good for; ends with NULL */
	struct moment now;
	const char *data; /* where the collector keeps what it learns */
	/* The collector runs as somebody of this group: it may read what it needs, but
	 * neither the authority's key nor the probes'. */
	bool shared;
	gid_t group;
};

/* Authority, server and collector.json. */
int first_files_collector(const struct first_files_order *order, struct fault *fault);
/* NAME.pem, NAME-key.pem and NAME.json, signed by the folder's authority. */
int first_files_probe(
	const struct first_files_order *order, const char *name, struct fault *fault);
bool first_files_exist(const char *folder);

#endif
