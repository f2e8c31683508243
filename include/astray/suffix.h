/*
 * Registrable domains by the Public Suffix List that libpsl carries (the one place that
 * meets it): what one person can register, "awsdns-61.co.uk" of "ns-1.awsdns-61.co.uk".
 * Pure.
 */
#ifndef ASTRAY_SUFFIX_H
#define ASTRAY_SUFFIX_H

#include "astray/obs.h"

/* `name`: lower case, A-labels, no trailing dot. STATUS_MISSING when nobody can register
 * it: it is itself a public suffix, or the root. */
int suffix_registrable(char out[static OBS_NAME], const char *name);

#endif
