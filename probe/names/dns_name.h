/*
 * Domain names as text: lower case, A-labels, no trailing dot; the root is "". Pure.
 */
#ifndef NAMES_DNS_NAME_H
#define NAMES_DNS_NAME_H

#include <stdbool.h>

#include "astray/obs.h"

/* Copies a name that a host or zone can have (letters, digits, - and _), made lower case
 * and without its trailing dot. STATUS_SYNTAX when it is none. */
int dns_name_read(char out[static OBS_NAME], const char *text);

/* The zone itself counts as under it; everything is under the root. */
bool dns_name_is_under(const char *name, const char *zone);
unsigned dns_name_labels(const char *name);
/* The name less its first label; the root's is the root. */
const char *dns_name_above(const char *name);

#endif
