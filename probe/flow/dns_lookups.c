#include "dns_lookups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct dns_lookups {
	uint32_t capacity, untouched; /* entries from here on were never used */
	uint32_t free;                /* the first of those given back, by chain */
	uint32_t mask;
	uint32_t oldest, latest, count;
	uint32_t *buckets;
	struct dns_lookup entries[];
};

int dns_lookups_new(struct dns_lookups **out, uint32_t capacity)
{
	struct dns_lookups *lookups;
	uint32_t buckets = 1;

	*out = NULL;
	while (buckets < capacity && buckets < UINT32_C(1) << 31)
		buckets <<= 1;
	lookups = calloc(
		1, sizeof(*lookups) + (size_t)capacity * sizeof(lookups->entries[0]));
	if (!lookups)
		return -ENOMEM;
	lookups->buckets = malloc((size_t)buckets * sizeof(*lookups->buckets));
	if (!lookups->buckets) {
		free(lookups);
		return -ENOMEM;
	}
	memset(lookups->buckets, 0xff, (size_t)buckets * sizeof(*lookups->buckets));
	lookups->capacity = capacity;
	lookups->mask = buckets - 1;
	lookups->free = lookups->oldest = lookups->latest = NONE;
	*out = lookups;
	return 0;
}

void dns_lookups_free(struct dns_lookups *lookups)
{
	if (!lookups)
		return;
	free(lookups->buckets);
	free(lookups);
}

static uint32_t *bucket_of(const struct dns_lookups *lookups, uint64_t number)
{
	return &lookups->buckets[(number ^ number >> 32) & lookups->mask];
}

static uint32_t place_of(
	const struct dns_lookups *lookups, const struct dns_lookup *lookup)
{
	return (uint32_t)(lookup - lookups->entries);
}

struct dns_lookup *dns_lookups_find(struct dns_lookups *lookups, uint64_t number)
{
	uint32_t place = *bucket_of(lookups, number);

	while (place != NONE) {
		struct dns_lookup *lookup = &lookups->entries[place];

		if (lookup->number == number)
			return lookup;
		place = lookup->chain;
	}
	return NULL;
}

struct dns_lookup *dns_lookups_oldest(struct dns_lookups *lookups)
{
	return lookups->oldest == NONE ? NULL : &lookups->entries[lookups->oldest];
}

struct dns_lookup *dns_lookups_victim(struct dns_lookups *lookups)
{
	if (lookups->free != NONE || lookups->untouched < lookups->capacity)
		return NULL;
	return dns_lookups_oldest(lookups);
}

uint32_t dns_lookups_count(const struct dns_lookups *lookups)
{
	return lookups->count;
}

static void enter_bucket(
	struct dns_lookups *lookups, struct dns_lookup *lookup, uint64_t number)
{
	uint32_t *bucket = bucket_of(lookups, number);

	lookup->number = number;
	lookup->chain = *bucket;
	*bucket = place_of(lookups, lookup);
}

static void leave_bucket(struct dns_lookups *lookups, const struct dns_lookup *lookup)
{
	uint32_t *link = bucket_of(lookups, lookup->number);

	while (*link != place_of(lookups, lookup))
		link = &lookups->entries[*link].chain;
	*link = lookup->chain;
}

static void join_line(struct dns_lookups *lookups, struct dns_lookup *lookup)
{
	uint32_t place = place_of(lookups, lookup);

	lookup->newer = NONE;
	lookup->older = lookups->latest;
	if (lookups->latest == NONE)
		lookups->oldest = place;
	else
		lookups->entries[lookups->latest].newer = place;
	lookups->latest = place;
}

static void leave_line(struct dns_lookups *lookups, const struct dns_lookup *lookup)
{
	if (lookup->older == NONE)
		lookups->oldest = lookup->newer;
	else
		lookups->entries[lookup->older].newer = lookup->newer;
	if (lookup->newer == NONE)
		lookups->latest = lookup->older;
	else
		lookups->entries[lookup->newer].older = lookup->older;
}

static struct dns_lookup *take_entry(struct dns_lookups *lookups)
{
	struct dns_lookup *lookup;

	if (lookups->free == NONE)
		return lookups->untouched < lookups->capacity
			       ? &lookups->entries[lookups->untouched++]
			       : NULL;
	lookup = &lookups->entries[lookups->free];
	lookups->free = lookup->chain;
	return lookup;
}

struct dns_lookup *dns_lookups_add(
	struct dns_lookups *lookups, uint64_t number, struct moment at)
{
	struct dns_lookup *lookup = take_entry(lookups);

	if (!lookup)
		return NULL;
	*lookup = (struct dns_lookup){.asked = at, .again = at};
	enter_bucket(lookups, lookup, number);
	join_line(lookups, lookup);
	lookups->count++;
	return lookup;
}

void dns_lookups_touch(
	struct dns_lookups *lookups, struct dns_lookup *lookup, struct moment at)
{
	leave_line(lookups, lookup);
	join_line(lookups, lookup);
	lookup->again = at;
}

void dns_lookups_rename(
	struct dns_lookups *lookups, struct dns_lookup *lookup, uint64_t number)
{
	leave_bucket(lookups, lookup);
	enter_bucket(lookups, lookup, number);
}

void dns_lookups_drop(struct dns_lookups *lookups, struct dns_lookup *lookup)
{
	leave_bucket(lookups, lookup);
	leave_line(lookups, lookup);
	lookup->chain = lookups->free;
	lookups->free = place_of(lookups, lookup);
	lookups->count--;
}
