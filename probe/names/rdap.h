/*
 * What a registry says of a domain (RDAP, RFC 9083), and which registry to ask (the
 * bootstrap file of RFC 9224). Strict where it is read, blind for the rest. Pure.
 */
#ifndef NAMES_RDAP_H
#define NAMES_RDAP_H

#include <stddef.h>

#include "astray/fault.h"
#include "astray/obs.h"

#define RDAP_ANSWER_MAX (64 * 1024)
#define RDAP_BOOTSTRAP_MAX (1024 * 1024)

/* Refuses what is not about `domain`. */
int rdap_read(struct obs_registry *out, const char *domain, const char *body, size_t len,
	struct fault *fault);

/* The base URL of the registry of the longest suffix that the bootstrap file knows:
 * STATUS_UNKNOWN when it knows none. */
int rdap_find_base(char out[static OBS_TEXT], const char *domain, const char *body,
	size_t len, struct fault *fault);
/* "https://rdap.example/" and "exchange.example" make
 * "https://rdap.example/domain/exchange.example". */
int rdap_url(char out[static OBS_TEXT], const char *base, const char *domain);

#endif
