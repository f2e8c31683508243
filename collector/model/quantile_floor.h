/*
 * The usual level of a duration's logarithm and what it scatters: slow to follow, and
 * still while what it sees is itself in doubt, so that neither a step nor a creep becomes
 * the habit. Above it, errors are measured in its own spread and against the tail of
 * quiet days.
 */
#ifndef ASTRAY_QUANTILE_FLOOR_H
#define ASTRAY_QUANTILE_FLOOR_H

#include <stdint.h>

struct archive;

struct quantile_floor {
	double floor;  /* of the natural logarithm */
	double spread; /* mean absolute error on quiet days */
	uint32_t windows;
};

/* How far above the floor; 0 before anything was learnt. */
double quantile_floor_error(const struct quantile_floor *floor, double logarithm);
/* Learns, unless the error is in doubt: more than half of the least that would page, and
 * rare. */
void quantile_floor_learn(struct quantile_floor *floor, double logarithm, double least);
double quantile_floor_spread(const struct quantile_floor *floor);
/* Both ways of a snapshot. */
void quantile_floor_keep(struct archive *archive, struct quantile_floor *floor);

#endif
