#include "fleet_dice.h"

#include <math.h>

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t fleet_dice_hash(uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when)
{
	uint64_t h = mix(seed + UINT64_C(0x9e3779b97f4a7c15));

	h = mix(h + (uint64_t)what * UINT64_C(0x9e3779b97f4a7c15) + 1);
	h = mix(h + who * UINT64_C(0xd1b54a32d192ed03) + 2);
	return mix(h + when * UINT64_C(0x8cb92ba72f3d8dd7) + 3);
}

static double unit(uint64_t hash)
{
	return (double)(hash >> 11) * 0x1p-53;
}

double fleet_dice_uniform(
	uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when)
{
	return unit(fleet_dice_hash(seed, what, who, when));
}

static double normal_of(uint64_t hash)
{
	double a = unit(hash), b = unit(mix(hash + 1));

	return sqrt(-2 * log(1 - a)) * cos(2 * M_PI * b);
}

double fleet_dice_normal(uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when)
{
	return normal_of(fleet_dice_hash(seed, what, who, when));
}

int64_t fleet_dice_poisson(
	double mean, uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when)
{
	uint64_t hash = fleet_dice_hash(seed, what, who, when);
	double limit, product;
	int64_t count = 0;

	if (mean > 50) {
		double value = mean + sqrt(mean) * normal_of(hash);

		return value > 0 ? llround(value) : 0;
	}
	limit = exp(-mean);
	for (product = unit(hash); product > limit; product *= unit(hash)) {
		hash = mix(hash + 1);
		count++;
	}
	return count;
}

bool fleet_dice_happens(
	double share, uint64_t seed, enum fleet_dice what, uint64_t who, uint64_t when)
{
	return fleet_dice_uniform(seed, what, who, when) < share;
}
