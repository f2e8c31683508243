#include "router_pace.h"

#include <errno.h>
#include <stdlib.h>

#include "pace_table.h"

#define ROUTERS 1024
#define SIGHTINGS 4096 /* a power of two */
/* After two answers disagreed, so many must agree before they speak for others. */
#define AGREEMENT 16

/* The last answer at a TTL towards one peer. */
struct sighting {
	struct address peer, from; /* family 0: none */
	uint8_t ttl;
};

/* And towards any. */
struct common_hop {
	struct address from;
	unsigned doubt; /* answers that must still agree */
};

struct router_pace {
	struct pace_table *buckets;
	struct common_hop common[2][UINT8_MAX + 1]; /* by family, by TTL */
	struct sighting sightings[SIGHTINGS];
};

int router_pace_new(struct router_pace **out, int64_t rate)
{
	int rc;

	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	rc = pace_table_new(&(*out)->buckets, rate, ROUTER_PACE_BURST, ROUTERS);
	if (rc) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

void router_pace_free(struct router_pace *pace)
{
	if (pace)
		pace_table_free(pace->buckets);
	free(pace);
}

static unsigned place_of(const struct address *peer, uint8_t ttl)
{
	return (unsigned)address_hash(peer, ttl) & (SIGHTINGS - 1);
}

static bool is_of(
	const struct sighting *sighting, const struct address *peer, uint8_t ttl)
{
	return sighting->ttl == ttl && address_equal(&sighting->peer, peer);
}

/* Stands for whoever may be at a TTL: an address that no router has (RFC 1122 3.2.1.3,
 * RFC 4291 2.5.5.1). */
static struct address whoever_at(uint8_t family, uint8_t ttl)
{
	struct address whoever = {.family = family};

	whoever.bytes[family == 6 ? 15 : 3] = ttl;
	return whoever;
}

/* Who is expected to answer; false: nobody knows. */
static bool expect(const struct router_pace *pace, const struct address *peer,
	uint8_t ttl, struct address *from)
{
	const struct sighting *sighting = &pace->sightings[place_of(peer, ttl)];
	const struct common_hop *common = &pace->common[peer->family == 6][ttl];

	if (is_of(sighting, peer, ttl))
		*from = sighting->from;
	else if (!common->from.family)
		*from = whoever_at(peer->family, ttl);
	else
		*from = common->from;
	return is_of(sighting, peer, ttl) || !common->doubt;
}

int64_t router_pace_wait_us(const struct router_pace *pace, const struct address *peer,
	uint8_t ttl, struct tick now)
{
	struct address from;

	if (!expect(pace, peer, ttl, &from))
		return 0;
	return pace_table_wait_us(pace->buckets, &from, now);
}

void router_pace_asked(struct router_pace *pace, const struct address *peer, uint8_t ttl,
	struct tick now)
{
	struct address from;

	if (expect(pace, peer, ttl, &from))
		pace_table_take(pace->buckets, &from, now);
}

/* What was asked before anybody knew of whom counts for who it was. */
static void note_common(struct router_pace *pace, uint8_t ttl, const struct address *from,
	struct tick now)
{
	struct common_hop *common = &pace->common[from->family == 6][ttl];
	struct address whoever = whoever_at(from->family, ttl);

	if (!common->from.family)
		pace_table_move(pace->buckets, &whoever, from, now);
	else if (!address_equal(&common->from, from))
		common->doubt = AGREEMENT;
	else if (common->doubt)
		common->doubt--;
	common->from = *from;
}

void router_pace_answered(struct router_pace *pace, const struct address *peer,
	uint8_t ttl, const struct address *from, struct tick now)
{
	struct sighting *sighting = &pace->sightings[place_of(peer, ttl)];
	struct address whoever = whoever_at(peer->family, ttl), expected;
	bool known = expect(pace, peer, ttl, &expected);

	if (!known ||
		(!address_equal(&expected, from) && !address_equal(&expected, &whoever)))
		pace_table_take(pace->buckets, from, now);
	/* The destination itself tells nothing of where others go. */
	if (!address_equal(from, peer))
		note_common(pace, ttl, from, now);
	*sighting = (struct sighting){.peer = *peer, .from = *from, .ttl = ttl};
}
