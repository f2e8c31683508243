/*
 * Belief: whoever may name a zone's servers owns the service, and such a change is
 * announced. So a name server that is not among the expected ones, told by the parent's
 * own servers or by an authority (never by a resolver), is trouble with its first answer.
 * Without expectations, one that was never seen before, once the set has been known for a
 * while.
 *
 * Sets are compared, never their order or TTLs. Silence, SERVFAIL and empty answers are
 * no change; that there is no such zone (NXDOMAIN), said twice by the parent, is one.
 */
#ifndef ASTRAY_DETECT_NAME_SERVER_H
#define ASTRAY_DETECT_NAME_SERVER_H

#include "detector.h"

extern const struct detector detect_name_server;

#endif
