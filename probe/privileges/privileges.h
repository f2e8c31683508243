/*
 * Giving up what is not needed. A probe needs CAP_NET_RAW at most (raw sockets,
 * capturing); everything else that it was started with goes, for good, before anything
 * from outside is read.
 */
#ifndef ASTRAY_PRIVILEGES_H
#define ASTRAY_PRIVILEGES_H

#include <stdbool.h>

#include "astray/fault.h"

/* Started as root, becomes that user ("": stays who it is); keeps CAP_NET_RAW where it
 * had it. Then nothing that is executed can gain more. To be called before any thread is
 * started. */
int privileges_drop(const char *user, struct fault *fault);

bool privileges_can_use_raw_sockets(void);

#endif
