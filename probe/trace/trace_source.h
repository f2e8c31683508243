/*
 * The trace source: at every interval the path to each service's addresses, hop by hop.
 */
#ifndef TRACE_TRACE_SOURCE_H
#define TRACE_TRACE_SOURCE_H

#include "source.h"

extern const struct source_kind trace_source;

#endif
