/*
 * One run of `astray-probe names`: asks everybody once what they say of a zone.
 */
#ifndef NAMES_NAMES_RUN_H
#define NAMES_NAMES_RUN_H

#include "astray/args.h"
#include "astray/log.h"
#include "finder.h"

struct names_run_order {
	const struct log *log;
	char zone[OBS_NAME];
	unsigned root_count, resolver_count, expect_count;
	struct dns_endpoint roots[FINDER_ROOTS];
	struct dns_endpoint resolvers[DNS_CLIENT_RESOLVERS]; /* none: resolv.conf's */
	char expect[ARGS_TEXTS_MAX][OBS_NAME]; /* name servers; none: whatever there is */
	const char *rdap; /* base URL; NULL: the registry that IANA lists, unless roots
			     are given */
	bool json;
	const char *geo_city, *geo_asn; /* or NULL */
};

/* An exit code: 0, one of sysexits, or 1 when the zone is not what it should be. */
int names_run(const struct names_run_order *order);

#endif
