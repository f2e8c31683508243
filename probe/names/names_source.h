/*
 * The names source: what the zone above, the authorities and the resolver say of the
 * services' names.
 */
#ifndef NAMES_NAMES_SOURCE_H
#define NAMES_NAMES_SOURCE_H

#include "source.h"

extern const struct source_kind names_source;

#endif
