#include "dns_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 1024 /* of 300 bytes; a power of two */
#define WAYS 4    /* rows that a pair may stand in */

struct row {
	struct address client, address; /* family 0: empty */
	struct moment until;
	bool shared; /* another name led there, too */
	char name[OBS_NAME];
};

struct dns_names {
	const struct services *services;
	uint64_t seed, displaced;
	struct row rows[ROWS];
};

int dns_names_new(struct dns_names **out, const struct services *services, uint64_t seed)
{
	struct dns_names *names = calloc(1, sizeof(*names));

	*out = names;
	if (!names)
		return -ENOMEM;
	names->services = services;
	names->seed = seed;
	return 0;
}

void dns_names_free(struct dns_names *names)
{
	free(names);
}

static size_t first_row(const struct dns_names *names, const struct address *client,
	const struct address *address)
{
	uint64_t hash = address_hash(address, address_hash(client, names->seed));

	return hash % (ROWS / WAYS) * WAYS;
}

/* Its place, or ROWS. */
static size_t find(const struct dns_names *names, const struct address *client,
	const struct address *address)
{
	size_t first = first_row(names, client, address);

	for (size_t i = first; i < first + WAYS; i++)
		if (address_equal(&names->rows[i].address, address) &&
			address_equal(&names->rows[i].client, client))
			return i;
	return ROWS;
}

/* Of the rows where it may stand, the one that is worth least. */
static struct row *row_for(struct dns_names *names, const struct address *client,
	const struct address *address, struct moment at)
{
	size_t place = find(names, client, address);
	size_t first = first_row(names, client, address);

	if (place < ROWS)
		return &names->rows[place];
	place = first;
	for (size_t i = first + 1; i < first + WAYS; i++)
		if (moment_before(names->rows[i].until, names->rows[place].until))
			place = i;
	names->displaced += moment_before(at, names->rows[place].until);
	return &names->rows[place];
}

static bool is_wanted(const struct dns_names *names, const char *name)
{
	if (strlen(name) >= OBS_NAME || !name[0])
		return false;
	return names->services->count == 0 || services_by_host(names->services, name);
}

static void forget(struct dns_names *names, const struct address *client,
	const struct address *address)
{
	size_t place = find(names, client, address);

	if (place < ROWS)
		names->rows[place] = (struct row){0};
}

void dns_names_learn(struct dns_names *names, const struct address *client,
	const struct address *address, const char *name, uint32_t ttl_s, struct moment at)
{
	int64_t holds_us = (int64_t)ttl_s * MOMENT_SECOND_US;
	struct row *row;

	if (!is_wanted(names, name)) {
		forget(names, client, address);
		return;
	}
	if (holds_us < DNS_NAMES_LEAST_US)
		holds_us = DNS_NAMES_LEAST_US;
	if (holds_us > DNS_NAMES_MOST_US)
		holds_us = DNS_NAMES_MOST_US;
	row = row_for(names, client, address, at);
	row->shared = address_equal(&row->address, address) &&
		      address_equal(&row->client, client) &&
		      moment_before(at, row->until) &&
		      (row->shared || strcmp(row->name, name) != 0);
	row->client = *client;
	row->address = *address;
	row->until = moment_plus_us(at, holds_us);
	memcpy(row->name, name, strlen(name) + 1);
}

const char *dns_names_of(const struct dns_names *names, const struct address *client,
	const struct address *address, struct moment now)
{
	size_t place = find(names, client, address);

	if (place == ROWS || !moment_before(now, names->rows[place].until))
		return NULL;
	return names->rows[place].name;
}

bool dns_names_is_certain(const struct dns_names *names, const struct address *client,
	const struct address *address, struct moment now)
{
	size_t place = find(names, client, address);

	return dns_names_of(names, client, address, now) && !names->rows[place].shared;
}

uint64_t dns_names_displaced(const struct dns_names *names)
{
	return names->displaced;
}
