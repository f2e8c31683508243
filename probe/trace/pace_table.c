#include "pace_table.h"

#include <errno.h>
#include <stdlib.h>

#include "pace.h"

#define WAYS 8 /* buckets of a neighbourhood, in which an address has its place */

struct bucket {
	struct address address; /* family 0: free */
	struct pace pace;
};

struct pace_table {
	int64_t rate;
	unsigned burst, mask; /* of the neighbourhoods */
	uint64_t forgotten;
	struct bucket buckets[][WAYS];
};

int pace_table_new(
	struct pace_table **out, int64_t rate, unsigned burst, unsigned expected)
{
	unsigned hoods = 16;

	while (hoods * WAYS < 4 * expected && hoods < 1u << 18)
		hoods *= 2;
	*out = calloc(1, sizeof(**out) + hoods * sizeof((*out)->buckets[0]));
	if (!*out)
		return -ENOMEM;
	(*out)->rate = rate;
	(*out)->burst = burst;
	(*out)->mask = hoods - 1;
	return 0;
}

void pace_table_free(struct pace_table *table)
{
	free(table);
}

static unsigned hood_of(const struct pace_table *table, const struct address *address)
{
	return (unsigned)address_hash(address, 0) & table->mask;
}

int64_t pace_table_wait_us(
	const struct pace_table *table, const struct address *address, struct tick now)
{
	const struct bucket *hood = table->buckets[hood_of(table, address)];

	for (unsigned i = 0; i < WAYS; i++)
		if (address_equal(&hood[i].address, address))
			return pace_wait_us(&hood[i].pace, now);
	return 0;
}

static void fill_bucket(const struct pace_table *table, struct bucket *bucket,
	const struct address *address, struct tick now)
{
	bucket->address = *address;
	pace_init(&bucket->pace, table->rate, now);
	pace_limit_burst(&bucket->pace, table->burst);
}

/* The address's own, or the one that it is given now. */
static struct bucket *bucket_for(
	struct pace_table *table, const struct address *address, struct tick now)
{
	struct bucket *hood = table->buckets[hood_of(table, address)];
	struct bucket *best = &hood[0];

	for (unsigned i = 0; i < WAYS; i++) {
		struct bucket *bucket = &hood[i];

		if (address_equal(&bucket->address, address))
			return bucket;
		if (best->address.family &&
			(!bucket->address.family ||
				pace_rest_us(&bucket->pace, now) <
					pace_rest_us(&best->pace, now)))
			best = bucket;
	}
	if (best->address.family && pace_rest_us(&best->pace, now) > 0)
		table->forgotten++;
	fill_bucket(table, best, address, now);
	return best;
}

void pace_table_take(
	struct pace_table *table, const struct address *address, struct tick now)
{
	pace_owe(&bucket_for(table, address, now)->pace, now);
}

void pace_table_move(struct pace_table *table, const struct address *from,
	const struct address *to, struct tick now)
{
	struct pace pace = bucket_for(table, from, now)->pace;
	struct bucket *bucket = bucket_for(table, to, now);

	if (pace_rest_us(&bucket->pace, now) < pace_rest_us(&pace, now))
		bucket->pace = pace;
}

uint64_t pace_table_forgotten(const struct pace_table *table)
{
	return table->forgotten;
}
