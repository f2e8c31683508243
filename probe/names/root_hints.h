/*
 * The root's servers, as the root hints file lists them (a.root-servers.net to m.).
 */
#ifndef NAMES_ROOT_HINTS_H
#define NAMES_ROOT_HINTS_H

#include "zone_cut.h"

void root_hints_fill(struct zone_cut *root);

#endif
