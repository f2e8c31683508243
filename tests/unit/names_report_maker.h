/*
 * Reports of a zone, made answer by answer: for tests of what is read from them.
 */
#ifndef TEST_NAMES_REPORT_MAKER_H
#define TEST_NAMES_REPORT_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "names_report.h"

#define ZONE "exchange.example"
#define GENUINE "ns-1515.awsdns-61.org"
#define LOOKALIKE "ns-1515.awsdns-061.org"

/* One answer into the report; its data are separated by ";". */
static inline void add(struct names_report *report, enum obs_dns_role role,
	const char *server, const char *type, const char *rcode, const char *answers)
{
	struct obs *obs = calloc(1, sizeof(*obs));
	struct obs_dns *dns = &obs->dns;
	char copy[512], *rest = copy, *one;

	assert_non_null(obs);
	obs_init(obs, OBS_DNS, (struct moment){1});
	(void)snprintf(copy, sizeof(copy), "%s", answers);
	(void)snprintf(dns->name, sizeof(dns->name), ZONE);
	(void)snprintf(dns->type, sizeof(dns->type), "%s", type);
	(void)snprintf(dns->rcode, sizeof(dns->rcode), "%s", rcode);
	assert_int_equal(address_parse(&dns->server, server), 0);
	dns->role = role;
	dns->authoritative = role == OBS_AUTHORITY;
	while ((one = strsep(&rest, ";")) && *one)
		(void)snprintf(
			dns->answers[dns->answer_count++].data, OBS_NAME, "%s", one);
	assert_int_equal(names_report_add(report, dns), 0);
	free(obs);
}

#endif
