#include "light.h"

#include <math.h>

#define EARTH_RADIUS_KM 6371.0
#define FIBRE_KM_PER_MS 200.0
#define CITY_SLACK_US 500 /* a city is not a point, and databases round */

static double radians(double degrees)
{
	return degrees * M_PI / 180;
}

/* Haversine: good for small and large distances alike. */
double light_distance_km(double lat_a, double lon_a, double lat_b, double lon_b)
{
	double half_lat = sin(radians(lat_b - lat_a) / 2);
	double half_lon = sin(radians(lon_b - lon_a) / 2);
	double h = half_lat * half_lat +
		   cos(radians(lat_a)) * cos(radians(lat_b)) * half_lon * half_lon;

	return 2 * EARTH_RADIUS_KM * asin(fmin(1, sqrt(h)));
}

int64_t light_least_rtt_us(double lat_a, double lon_a, double lat_b, double lon_b)
{
	double there_and_back_km = 2 * light_distance_km(lat_a, lon_a, lat_b, lon_b);

	return (int64_t)(there_and_back_km / FIBRE_KM_PER_MS * 1000);
}

enum place_verdict light_verdict(
	const struct place *from, const struct place *to, int64_t rtt_us)
{
	int64_t least_us;

	if (!from || !from->located || !to->located || rtt_us < 0)
		return PLACE_UNKNOWN;
	least_us = light_least_rtt_us(
		from->latitude, from->longitude, to->latitude, to->longitude);
	return rtt_us + CITY_SLACK_US >= least_us ? PLACE_POSSIBLE : PLACE_IMPOSSIBLE;
}

static double between_km(const struct place *a, const struct place *b)
{
	return light_distance_km(a->latitude, a->longitude, b->latitude, b->longitude);
}

enum place_verdict light_verdict_via(const struct place *from, const struct place *via,
	const struct place *to, int64_t rtt_us)
{
	double round_km;

	if (!from || !from->located || !via->located || !to->located || rtt_us < 0)
		return PLACE_UNKNOWN;
	round_km = between_km(from, via) + between_km(via, to) + between_km(to, from);
	return (double)(rtt_us + CITY_SLACK_US) >= round_km / FIBRE_KM_PER_MS * 1000
		       ? PLACE_POSSIBLE
		       : PLACE_IMPOSSIBLE;
}
