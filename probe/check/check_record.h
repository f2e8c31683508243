/*
 * From the answer to one active request to the observation of it.
 */
#ifndef CHECK_CHECK_RECORD_H
#define CHECK_CHECK_RECORD_H

#include "astray/fetch.h"
#include "astray/obs.h"

/* False when the answer is none: this machine's own trouble says nothing of the service.
 * A status of 500 or above is the service's failure; times of a loop that was late are
 * left out. */
bool check_record_fill(struct obs *obs, struct moment at, const char *service,
	const char *url, const struct fetch_answer *answer);

/* "exchange.example:8443": the host of a URL, and its port where one is written; how a
 * service without a name is called. Cut where it does not fit. */
void check_record_host(char *out, size_t cap, const char *url);

#endif
