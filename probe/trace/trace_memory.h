/*
 * The last trace to each host, kept between runs as a line of the wire format, in
 * $XDG_STATE_HOME/astray (or ~/.local/state/astray). Where nothing can be kept, nothing
 * is: this is a convenience.
 */
#ifndef TRACE_TRACE_MEMORY_H
#define TRACE_TRACE_MEMORY_H

#include "astray/obs.h"

/* Reads the last trace to this host of this protocol, port and flow into *obs; negative
 * when there is none. */
int trace_memory_recall(struct obs *obs, const char *host, const struct obs_trace *like);
/* Puts this one in its place; in one step, so that a reader sees either. */
int trace_memory_keep(const struct obs *obs, const char *host);

#endif
