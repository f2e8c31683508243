/*
 * Fills in where addresses are, for probes that had no database: the hops of a path and
 * the answers of a name. What the probe has said itself stays, it knows more.
 */
#ifndef ASTRAY_PLACING_H
#define ASTRAY_PLACING_H

#include <stdbool.h>

#include "astray/obs.h"

struct geo;

/* Whether anything is missing that a database could know. */
bool placing_is_wanted(const struct obs *obs);
void placing_fill(struct obs *obs, const struct geo *geo);

#endif
