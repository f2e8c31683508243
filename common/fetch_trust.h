/*
 * The certificates that are trusted, read from a file once and kept for a while: reading
 * the system's takes longer than a whole request, and would stand in the middle of one.
 */
#ifndef COMMON_FETCH_TRUST_H
#define COMMON_FETCH_TRUST_H

#include "astray/moment.h"

struct x509_store_st;

struct fetch_trust {
	char file[4096];
	struct x509_store_st *store; /* NULL: not read yet */
	struct tick read;
};

#define FETCH_TRUST_KEPT_US (10 * MOMENT_MINUTE_US)

/* Reads it unless it was read lately. A file that has become unreadable leaves what is
 * there. */
int fetch_trust_renew(struct fetch_trust *trust, const char *file, struct tick now);
void fetch_trust_drop(struct fetch_trust *trust);

#endif
