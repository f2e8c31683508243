/*
 * An employee's machine tells nothing of the network at home: hops with private addresses
 * become silent ones before a path leaves it. Where the path goes from there on is what
 * matters. Pure.
 */
#ifndef ASTRAY_HOME_HOPS_H
#define ASTRAY_HOME_HOPS_H

#include <stdbool.h>

#include "astray/obs.h"

bool home_hops_are_in(const struct obs *obs);
void home_hops_hide(struct obs *obs);

#endif
