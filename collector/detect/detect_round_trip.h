/*
 * Belief: the round trip from one place to another has a level that only a change of path
 * or a full queue moves, and a full queue drains. A lasting step of a quarter and of
 * several milliseconds, seen by one probe, is worth saying beside something else; seen by
 * two of a site it is a slower network by itself. The way back ends it.
 */
#ifndef ASTRAY_DETECT_ROUND_TRIP_H
#define ASTRAY_DETECT_ROUND_TRIP_H

#include "detector.h"

extern const struct detector detect_round_trip;

#endif
