/*
 * Observations packed one behind the other, without the rows that are not in use: what
 * has been decoded waits for its batch to be durable, and must not take a hundred times
 * its size meanwhile. Pure.
 */
#ifndef ASTRAY_PARCEL_H
#define ASTRAY_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "astray/obs.h"

struct parcel {
	uint8_t *bytes;
	size_t used, held;
};

/* An empty one is zero. The observation is only read. */
int parcel_add(struct parcel *parcel, struct obs *obs);
/* Gives back what was added, in order; *at begins with 0. Rows that were not in use hold
 * anything. False at the end. */
bool parcel_next(const struct parcel *parcel, size_t *at, struct obs *out);
void parcel_free(struct parcel *parcel);

#endif
