/*
 * A fixed number of equal buffers for the little that must be kept of packets: heads that
 * span segments and segments that came too early: a slab (slab.h) whose numbers are
 * short.
 */
#ifndef PROTOCOL_BUFFER_POOL_H
#define PROTOCOL_BUFFER_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUFFER_POOL_NONE UINT16_MAX
#define BUFFER_POOL_SIZE                                               \
	4096 /* a ClientHello with post-quantum shares is about 1.8 kB \
	      */

struct buffer_pool;

int buffer_pool_new(struct buffer_pool **out, uint16_t count);
void buffer_pool_free(struct buffer_pool *pool);

/* A buffer's number, or BUFFER_POOL_NONE when none is left. */
uint16_t buffer_pool_take(struct buffer_pool *pool);
/* Gives it back; BUFFER_POOL_NONE is allowed. */
void buffer_pool_give(struct buffer_pool *pool, uint16_t number);
/* Its BUFFER_POOL_SIZE bytes, aligned for any value. */
void *buffer_pool_bytes(struct buffer_pool *pool, uint16_t number);
/* Half of them are free, or more. */
bool buffer_pool_is_plentiful(const struct buffer_pool *pool);
/* How often somebody went without. */
uint64_t buffer_pool_refusals(const struct buffer_pool *pool);

#endif
