/*
 * Belief: packets of a site reach a service through a small set of networks and
 * countries, which load balancers and rerouting do not leave. A path is a detour when it
 * crosses a network never seen on it in a country never seen on it (or outside the
 * expected countries), and when the light agrees that the packets were there: far enough
 * in time from us, and, where the destination has answered, from the destination as well.
 * Routers answer late, never early, and databases often put them in the wrong country, so
 * one hop's word is not enough: two rounds, and a gateway or two probes. Changes within
 * the known countries are no news.
 */
#ifndef ASTRAY_DETECT_DETOUR_H
#define ASTRAY_DETECT_DETOUR_H

#include "detector.h"

extern const struct detector detect_detour;

#endif
