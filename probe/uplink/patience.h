/*
 * How long an observation may wait for others to go with, since a full batch costs little
 * more than an empty one. News of trouble goes at once; what tells only that nothing
 * happened, to a machine that nobody uses, can wait for longest. Pure.
 */
#ifndef ASTRAY_PATIENCE_H
#define ASTRAY_PATIENCE_H

#include <stdbool.h>

#include "astray/obs.h"

#define PATIENCE_SERVICES 256

enum patience { PATIENCE_NONE, PATIENCE_SOME, PATIENCE_MUCH };

/* Which services were in trouble, so that only its beginning is news. Zeroed at the
 * start; a service that shares its place with another makes news once more, which costs
 * a batch. */
struct patience_memory {
	uint32_t troubled[PATIENCE_SERVICES]; /* hash of the name; 0: none */
};

enum patience patience_with(struct patience_memory *memory, const struct obs *obs);

#endif
