/*
 * A fixed number of equal cells by number. Memory is reserved once and touched when used,
 * those given back first; when every cell is taken the taker goes without, and that is
 * counted.
 */
#ifndef PROTOCOL_SLAB_H
#define PROTOCOL_SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_NONE UINT32_MAX

struct slab;

/* cell_bytes: a multiple of 8, which cells are aligned to. */
int slab_new(struct slab **out, uint32_t count, size_t cell_bytes);
void slab_free(struct slab *slab);

/* A cell's number, or SLAB_NONE when none is left. What stands in it means nothing. */
uint32_t slab_take(struct slab *slab);
/* Gives it back; SLAB_NONE is allowed. */
void slab_give(struct slab *slab, uint32_t number);
void *slab_cell(struct slab *slab, uint32_t number);
/* How many are free. */
uint32_t slab_left(const struct slab *slab);
/* How often somebody went without. */
uint64_t slab_refusals(const struct slab *slab);

#endif
