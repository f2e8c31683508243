/*
 * A sketch as few bytes, for rows of a database. Packing lowers the scale to
 * SKETCH_PACK_SCALE, at which a quantile is good to about 1 %; only buckets that hold
 * something are written.
 */
#ifndef ASTRAY_SKETCH_PACK_H
#define ASTRAY_SKETCH_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "astray/sketch.h"

#define SKETCH_PACK_SCALE 5
#define SKETCH_PACK_MAX (64 + 12 * SKETCH_BUCKETS)

/* The bytes written; 0 for an empty sketch. */
size_t sketch_pack_write(
	uint8_t buf[static SKETCH_PACK_MAX], const struct sketch *sketch);
/* No bytes are an empty sketch; STATUS_CORRUPT for what no writer makes. */
int sketch_pack_read(struct sketch *out, const void *bytes, size_t len);

#endif
