/*
 * The ways of measuring that this probe has.
 */
#ifndef ASTRAY_AGENT_SOURCES_H
#define ASTRAY_AGENT_SOURCES_H

#include "source.h"

extern const struct source_kind *const agent_sources[]; /* ends with NULL */

#endif
