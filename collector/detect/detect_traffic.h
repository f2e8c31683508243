/*
 * Belief: a service is used today as it was used at this hour of earlier weeks, times a
 * level that moves slowly and little. Requests are missing when their sum over ten
 * minutes, half an hour or two hours (and seconds, where windows are short) lies below
 * that by more than this service has shown on quiet days. Every sum has its own
 * dispersion, so that bursts and their echo are inside it; the threshold is what the
 * budget of false pages allows, not a taste.
 *
 * While no week is known, three quarters must be missing of what yesterday and the last
 * hours both held: a fall, not an evening and not a weekend. While one is known, what is
 * low must also have fallen. A sum holds at least two windows of whoever sends the
 * longest, for one may be cut short.
 *
 * A gateway that is silent leaves the sum and the expectation alike. Nothing is learnt
 * from what is itself in doubt, so that neither an outage nor a slow decay becomes the
 * habit.
 */
#ifndef ASTRAY_DETECT_TRAFFIC_H
#define ASTRAY_DETECT_TRAFFIC_H

#include "detector.h"

extern const struct detector detect_traffic;

#endif
