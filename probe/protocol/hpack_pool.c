#include "hpack_pool.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "astray/status.h"

/* What a side may be asked to remember; those who agree on more are not read. */
#define TABLE_BYTES_MAX 16384

struct readers {
	nghttp2_hd_inflater *sides[2]; /* by enum exchange_side; NULL: free */
};

struct hpack_pool {
	uint16_t count;
	uint64_t refusals;
	struct readers readers[];
};

int hpack_pool_new(struct hpack_pool **out, uint16_t count)
{
	*out = calloc(1, sizeof(**out) + count * sizeof((*out)->readers[0]));
	if (!*out)
		return -ENOMEM;
	(*out)->count = count;
	return 0;
}

static void drop(struct readers *readers)
{
	for (unsigned side = 0; side < 2; side++) {
		if (readers->sides[side])
			nghttp2_hd_inflate_del(readers->sides[side]);
		readers->sides[side] = NULL;
	}
}

void hpack_pool_free(struct hpack_pool *pool)
{
	if (!pool)
		return;
	for (uint16_t i = 0; i < pool->count; i++)
		drop(&pool->readers[i]);
	free(pool);
}

static bool make(struct readers *readers)
{
	for (unsigned side = 0; side < 2; side++)
		if (nghttp2_hd_inflate_new(&readers->sides[side]) ||
			nghttp2_hd_inflate_change_table_size(
				readers->sides[side], TABLE_BYTES_MAX))
			return false;
	return true;
}

uint16_t hpack_pool_take(struct hpack_pool *pool)
{
	for (uint16_t i = 0; i < pool->count; i++) {
		if (pool->readers[i].sides[0])
			continue;
		if (make(&pool->readers[i]))
			return i;
		drop(&pool->readers[i]);
		break;
	}
	pool->refusals++;
	return HPACK_POOL_NONE;
}

void hpack_pool_give(struct hpack_pool *pool, uint16_t number)
{
	if (number != HPACK_POOL_NONE)
		drop(&pool->readers[number]);
}

uint64_t hpack_pool_refusals(const struct hpack_pool *pool)
{
	return pool->refusals;
}

int hpack_pool_read(struct hpack_pool *pool, uint16_t number, enum exchange_side side,
	const uint8_t *bytes, size_t len, bool last, hpack_pool_field_fn field, void *arg)
{
	nghttp2_hd_inflater *reader = pool->readers[number].sides[side];
	nghttp2_nv found;
	ssize_t used;
	int flags;

	do {
		flags = 0;
		used = nghttp2_hd_inflate_hd2(reader, &found, &flags, bytes, len, last);
		if (used < 0)
			return STATUS_SYNTAX;
		bytes += used;
		len -= (size_t)used;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			field(arg, (const char *)found.name, found.namelen,
				(const char *)found.value, found.valuelen);
	} while (len > 0 || (flags & NGHTTP2_HD_INFLATE_EMIT));
	if (last)
		(void)nghttp2_hd_inflate_end_headers(reader);
	return 0;
}
