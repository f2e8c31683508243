/*
 * Belief: a service answers today as fast as it did last week, give or take what its own
 * quiet days show; a median a quarter slower, or a slow tenth a third slower, that lasts
 * for several windows and at most of its sites is felt by people. Histograms of
 * neighbouring windows are added until they hold enough requests for their quantile to
 * mean something. The floor follows slowly, and not at all while it is in doubt. Few
 * milliseconds wake nobody.
 *
 * Connect times are the network's part of it, the rest is the server's: the text says
 * which grew.
 */
#ifndef ASTRAY_DETECT_LATENCY_H
#define ASTRAY_DETECT_LATENCY_H

#include "detector.h"

extern const struct detector detect_latency;

#endif
