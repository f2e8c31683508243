/*
 * Belief: the addresses of a service may change every minute, the networks that they
 * belong to hardly ever, and where its mail goes only by announcement. So answers are
 * compared as networks, mail exchangers as names: against what is expected at once (a
 * violation of policy), else against what was seen before, once that is known for a
 * while. One answer is a slip; two probes, or two answers to a gateway or a sentinel, are
 * not. A zone that was signed and no longer is was unsigned by somebody.
 *
 * Where the zone's servers are asked themselves, their word is taken, and resolvers are
 * measured by it (detect_resolver). Elsewhere it stays true for each resolver that was
 * told so, until that one has been told better.
 */
#ifndef ASTRAY_DETECT_RECORDS_H
#define ASTRAY_DETECT_RECORDS_H

#include "detector.h"

extern const struct detector detect_records;

#endif
