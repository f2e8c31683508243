/*
 * astray-collector notify --test NAME: tells one target of an incident that did not
 * happen, and of its end, and prints what the other side answered.
 */
#ifndef NOTIFY_NOTIFY_TEST_H
#define NOTIFY_NOTIFY_TEST_H

#include <stdio.h>

#include "astray/log.h"
#include "notify_config.h"

struct notify_test_order {
	const struct notify_config *config;
	const char *target;    /* its name */
	const char *dashboard; /* "" : none */
	const struct log *log;
	FILE *out;
};

/* A sysexits code: EX_OK when both were taken. Runs a loop of its own. */
int notify_test(const struct notify_test_order *order);

#endif
