/*
 * What a person needs to begin: an authority of one's own, a certificate for the
 * collector and for each probe, and configurations that fit them, in one folder. Nothing
 * is written over.
 */
#ifndef ASTRAY_FIRST_FILES_H
#define ASTRAY_FIRST_FILES_H

#include <stddef.h>

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
};

/* Authority, server and collector.json. */
int first_files_collector(const struct first_files_order *order, struct fault *fault);
/* NAME.pem, NAME-key.pem and NAME.json, signed by the folder's authority. */
int first_files_probe(
	const struct first_files_order *order, const char *name, struct fault *fault);
bool first_files_exist(const char *folder);

#endif
