/*
 * The check source: at every interval one request to each service that has a URL, phase
 * by phase, with the certificate that was shown; the addresses of its name take turns.
 * Few connections are begun at once, so that they do not blur each other's times.
 */
#ifndef CHECK_CHECK_SOURCE_H
#define CHECK_CHECK_SOURCE_H

#include "source.h"

extern const struct source_kind check_source;

#endif
