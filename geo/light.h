/*
 * What light allows: the least round trip between two places, in fibre (200 km a
 * millisecond) along the great circle. Pure arithmetic.
 */
#ifndef ASTRAY_LIGHT_H
#define ASTRAY_LIGHT_H

#include <stdint.h>

#include "astray/place.h"

double light_distance_km(double lat_a, double lon_a, double lat_b, double lon_b);
int64_t light_least_rtt_us(double lat_a, double lon_a, double lat_b, double lon_b);

/* The verdict on a place that answered in rtt_us, seen from `from`: impossible when light
 * could not have come back in that time (half a millisecond is allowed for coordinates of
 * cities), unknown when either has no coordinates or nothing was measured. */
enum place_verdict light_verdict(
	const struct place *from, const struct place *to, int64_t rtt_us);
/* The same, for a packet that went there by way of a third place, and came back as it
 * liked. */
enum place_verdict light_verdict_via(const struct place *from, const struct place *via,
	const struct place *to, int64_t rtt_us);

#endif
