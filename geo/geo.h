/*
 * Address to place, from MaxMind-format databases (the one file that meets libmaxminddb).
 * Both common shapes are read: nested (country.iso_code, location.latitude,
 * autonomous_system_number) and flat (country_code, latitude, asn as a number or
 * "AS174"). An address without an entry, a private one, or an IPv6 address in an
 * IPv4-only file is simply not known. A database that was replaced on disk is opened
 * anew; one that cannot be read leaves the old one in use.
 */
#ifndef ASTRAY_GEO_H
#define ASTRAY_GEO_H

#include <stdbool.h>

#include "astray/address.h"
#include "astray/fault.h"
#include "astray/place.h"

struct geo;

/* Either file may be NULL (or ""); with neither, nothing is known. */
int geo_open(struct geo **out, const char *city_file, const char *asn_file,
	struct fault *fault);
void geo_close(struct geo *geo); /* NULL is fine */

/* Fills *out and returns true when anything is known. A NULL geo knows nothing. An
 * address that is announced from many places has the source anycast, and no country. */
bool geo_place(const struct geo *geo, const struct address *address, struct place *out);

/* What a router's own name says of its place, where its carrier's rule is known and fits
 * the network that *place says; otherwise false, and *place as it was. One of many places
 * that share an anycast address may say by its name which it is. */
bool geo_place_by_name(const struct geo *geo, const char *name, struct place *place);

/* Opens again whatever changed on disk: 1 when something did, 0 when not, negative (and
 * the old database kept) when the new file is bad, which is said once of each such file.
 * Cheap enough for every few seconds. */
int geo_refresh(struct geo *geo, struct fault *fault);

/* The line that a database's licence wants wherever its places are shown, or "". */
const char *geo_credit(const struct geo *geo);

#endif
