/*
 * Belief: the registry's word on a domain changes a few times in its life, and its owner
 * knows when. Another registrar, a lock that is gone, name servers that are not expected,
 * or a domain that was signed and is not any more are trouble; a registration that was
 * merely touched is a warning, which matters beside anything else that moves.
 *
 * It is given to every service whose zone is the domain.
 */
#ifndef ASTRAY_DETECT_REGISTRY_H
#define ASTRAY_DETECT_REGISTRY_H

#include "detector.h"

extern const struct detector detect_registry;

#endif
