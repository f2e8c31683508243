/*
 * How the collector is reached and who this probe is there: an address, and a client
 * certificate or a bearer token. The token's file is read anew for every request, so that
 * it can be replaced at any time.
 */
#ifndef ASTRAY_COLLECTOR_ACCESS_H
#define ASTRAY_COLLECTOR_ACCESS_H

#include "astray/fault.h"
#include "astray/fetch.h"

#define COLLECTOR_ACCESS_TOKEN_MAX 1024
#define COLLECTOR_ACCESS_HEADERS 4 /* that a caller may add */

struct collector_access {
	char url[OBS_TEXT]; /* "https://collector.example:8443" */
	char ca_file[OBS_TEXT];
	char certificate_file[OBS_TEXT], key_file[OBS_TEXT];
	char token_file[OBS_TEXT];
};

/* A request with what its pointers point to; it must not be copied. */
struct collector_order {
	struct fetch_order order;
	struct fetch_header headers[COLLECTOR_ACCESS_HEADERS + 2];
	char url[OBS_TEXT + 64];
	char authorization[COLLECTOR_ACCESS_TOKEN_MAX + sizeof("Bearer ")];
};

/* Fills url, identity, limits and headers (`headers` ends with a row without name; may be
 * NULL); method and body are the caller's. Fails when the token cannot be read. */
int collector_access_order(struct collector_order *out,
	const struct collector_access *access, const char *path,
	const struct fetch_header *headers, struct fault *fault);

#endif
