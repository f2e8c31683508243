/*
 * Belief: a few requests in a hundred may fail on any day, and as many as usually do;
 * many more at once are an outage, whoever is young or old here. So this one speaks from
 * the first minute. Two windows, because an answer may fall into the window behind its
 * question. Failures of requests and of connections are two series: what was never
 * answered may stand in both.
 */
#ifndef ASTRAY_DETECT_FAILURES_H
#define ASTRAY_DETECT_FAILURES_H

#include "detector.h"

extern const struct detector detect_failures;

#endif
