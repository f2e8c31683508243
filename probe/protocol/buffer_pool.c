#include "buffer_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "slab.h"

struct buffer_pool {
	struct slab *slab;
	uint16_t count;
};

int buffer_pool_new(struct buffer_pool **out, uint16_t count)
{
	struct buffer_pool *pool = calloc(1, sizeof(*pool));
	int rc;

	*out = NULL;
	if (!pool)
		return -ENOMEM;
	pool->count = count;
	rc = slab_new(&pool->slab, count, BUFFER_POOL_SIZE);
	if (rc)
		free(pool);
	else
		*out = pool;
	return rc;
}

void buffer_pool_free(struct buffer_pool *pool)
{
	if (!pool)
		return;
	slab_free(pool->slab);
	free(pool);
}

uint16_t buffer_pool_take(struct buffer_pool *pool)
{
	uint32_t number = slab_take(pool->slab);

	return number == SLAB_NONE ? BUFFER_POOL_NONE : (uint16_t)number;
}

void buffer_pool_give(struct buffer_pool *pool, uint16_t number)
{
	if (number != BUFFER_POOL_NONE)
		slab_give(pool->slab, number);
}

void *buffer_pool_bytes(struct buffer_pool *pool, uint16_t number)
{
	return slab_cell(pool->slab, number);
}

bool buffer_pool_is_plentiful(const struct buffer_pool *pool)
{
	return slab_left(pool->slab) >= pool->count / 2u;
}

uint64_t buffer_pool_refusals(const struct buffer_pool *pool)
{
	return slab_refusals(pool->slab);
}
