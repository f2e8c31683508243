/*
 * Belief: a name server keeps its name and is somebody else when the parent gives another
 * address for it. So an address that the parent has never given for one of the zone's own
 * servers (glue) is trouble with its first answer, once the set has been known for a
 * while and unless work is announced; a warning only where it lies in a network in which
 * they were before. An address whose network is not known counts as a new network.
 */
#ifndef ASTRAY_DETECT_GLUE_H
#define ASTRAY_DETECT_GLUE_H

#include "detector.h"

extern const struct detector detect_glue;

#endif
