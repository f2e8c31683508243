/*
 * What a person needs to act on a failure: which input, which line, which field, why.
 * Filled where the failure is found, printed where it is handled.
 */
#ifndef ASTRAY_FAULT_H
#define ASTRAY_FAULT_H

#include <stddef.h>

struct fault {
	char input[256]; /* file, peer or stream; empty when the caller knows it better */
	unsigned line;   /* from 1; 0 when lines mean nothing here */
	char field[128]; /* "hops[3].rtt_us"; empty when it is not about one field */
	char why[256];
};

/* Fills field and why, and returns rc, so that a parser can `return fault_at(...)`. A
 * NULL fault is allowed everywhere. Control characters in the texts are escaped. */
int fault_at(struct fault *fault, int rc, const char *field, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

/* "services.json:12: services[0].ports: 99999 is not between 1 and 65535" */
const char *fault_text(const struct fault *fault, char *buf, size_t cap);

#endif
