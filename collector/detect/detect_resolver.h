/*
 * Belief: a resolver hands on what the zone's own servers say, or said within the TTL. So
 * an answer of a resolver that none of them has said is a lie of that resolver, or of
 * whoever got between it and them: a warning when one employee's machine is told so
 * twice, a page when two probes are, or a gateway or sentinel twice. Addresses are
 * compared as networks, so that a CDN's turnover is none; a name that its servers answer
 * by alias is not compared, and where resolvers have always been told networks that the
 * servers do not tell our sentinels, the servers answer by who asks, and a new network is
 * a warning at most. Mail exchangers have no such excuse.
 *
 * An answer that the servers themselves give only lately, and unannounced, may be a
 * hijacker's: then this says which resolvers hand it on, for as long as they do, also
 * when the servers are repaired, and when each may let go of it. Without a sentinel that
 * asks the servers nothing is judged.
 */
#ifndef ASTRAY_DETECT_RESOLVER_H
#define ASTRAY_DETECT_RESOLVER_H

#include "detector.h"

extern const struct detector detect_resolver;

#endif
