#include "slab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slab {
	size_t cell_bytes;
	uint64_t refusals;
	uint32_t count, taken;
	uint32_t untouched; /* cells from here on were never taken */
	uint32_t free; /* the first of those given back; each holds the next's number */
	_Alignas(16) uint8_t cells[];
};

int slab_new(struct slab **out, uint32_t count, size_t cell_bytes)
{
	struct slab *slab = calloc(1, sizeof(*slab) + count * cell_bytes);

	*out = slab;
	if (!slab)
		return -ENOMEM;
	slab->cell_bytes = cell_bytes;
	slab->count = count;
	slab->free = SLAB_NONE;
	return 0;
}

void slab_free(struct slab *slab)
{
	free(slab);
}

void *slab_cell(struct slab *slab, uint32_t number)
{
	return slab->cells + number * slab->cell_bytes;
}

uint32_t slab_take(struct slab *slab)
{
	uint32_t number = slab->free;

	if (number != SLAB_NONE) {
		slab->taken++;
		memcpy(&slab->free, slab_cell(slab, number), sizeof(slab->free));
		return number;
	}
	if (slab->untouched < slab->count) {
		slab->taken++;
		return slab->untouched++;
	}
	slab->refusals++;
	return SLAB_NONE;
}

void slab_give(struct slab *slab, uint32_t number)
{
	if (number == SLAB_NONE)
		return;
	slab->taken--;
	memcpy(slab_cell(slab, number), &slab->free, sizeof(slab->free));
	slab->free = number;
}

uint32_t slab_left(const struct slab *slab)
{
	return slab->count - slab->taken;
}

uint64_t slab_refusals(const struct slab *slab)
{
	return slab->refusals;
}
