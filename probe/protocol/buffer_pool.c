#include "buffer_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct buffer_pool {
	uint64_t refusals;
	uint16_t count;
	uint16_t untouched; /* buffers from here on were never taken */
	uint16_t free; /* the first of those given back; each holds the next's number */
	_Alignas(16) uint8_t bytes[][BUFFER_POOL_SIZE];
};

int buffer_pool_new(struct buffer_pool **out, uint16_t count)
{
	struct buffer_pool *pool =
		calloc(1, sizeof(*pool) + (size_t)count * BUFFER_POOL_SIZE);

	*out = pool;
	if (!pool)
		return -ENOMEM;
	pool->count = count;
	pool->free = BUFFER_POOL_NONE;
	return 0;
}

void buffer_pool_free(struct buffer_pool *pool)
{
	free(pool);
}

uint16_t buffer_pool_take(struct buffer_pool *pool)
{
	uint16_t number = pool->free;

	if (number != BUFFER_POOL_NONE) {
		memcpy(&pool->free, pool->bytes[number], sizeof(pool->free));
		return number;
	}
	if (pool->untouched < pool->count)
		return pool->untouched++;
	pool->refusals++;
	return BUFFER_POOL_NONE;
}

void buffer_pool_give(struct buffer_pool *pool, uint16_t number)
{
	if (number == BUFFER_POOL_NONE)
		return;
	memcpy(pool->bytes[number], &pool->free, sizeof(pool->free));
	pool->free = number;
}

void *buffer_pool_bytes(struct buffer_pool *pool, uint16_t number)
{
	return pool->bytes[number];
}

uint64_t buffer_pool_refusals(const struct buffer_pool *pool)
{
	return pool->refusals;
}
