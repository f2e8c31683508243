/*
 * Where an address is believed to be, and who says so.
 */
#ifndef ASTRAY_PLACE_H
#define ASTRAY_PLACE_H

#include <stdbool.h>
#include <stdint.h>

enum place_source {
	PLACE_SOURCE_NONE, /* nobody knows; the other fields are empty */
	PLACE_SOURCE_MMDB,
	PLACE_SOURCE_RDNS,
	PLACE_SOURCE_ANYCAST, /* many places at once: the country says nothing */
};

enum place_verdict {
	PLACE_UNKNOWN,
	PLACE_POSSIBLE,
	PLACE_IMPOSSIBLE, /* light could not have come back from there in that time */
};

#define PLACE_NAME 96

struct place {
	char country[3]; /* ISO 3166-1 alpha-2, or "" */
	char city[PLACE_NAME];
	char org[PLACE_NAME];
	bool located; /* latitude and longitude hold */
	double latitude;
	double longitude;
	uint32_t asn; /* 0: not known */
	enum place_source source;
	enum place_verdict verdict;
};

static inline bool place_is_known(const struct place *place)
{
	return place->source != PLACE_SOURCE_NONE || place->asn != 0 || place->country[0];
}

#endif
