/*
 * What an endpoint leaves out of its windows, so that it sends little: distributions that
 * follow from others nearly enough. Gateways, whose windows count many people, send all.
 * Pure.
 */
#ifndef ASTRAY_LEAN_H
#define ASTRAY_LEAN_H

#include <stdbool.h>

#include "astray/obs.h"

bool lean_is_wanted(const struct obs *obs);
void lean_strip(struct obs *obs);

#endif
