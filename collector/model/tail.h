/*
 * A threshold from a budget: how large must a statistic be that it is passed by chance
 * only so rarely as somebody allows? The largest 2 % of what was seen on quiet days are
 * kept; beyond them the tail is taken as exponential. Values near the threshold itself
 * are never learnt: they may be the trouble that we look for.
 */
#ifndef ASTRAY_TAIL_H
#define ASTRAY_TAIL_H

#include <stdint.h>

struct archive;

#define TAIL_TOP 64

struct tail {
	uint32_t seen;  /* values in all */
	uint32_t count; /* of top, ascending */
	float top[TAIL_TOP];
};

struct tail_bounds {
	double floor, cap; /* what the threshold is kept within */
	double least_beta; /* of the exponential */
};

/* The standard deviations that a normal value passes with that probability, good to .1
 * between 1e-3 and 1e-9. */
double tail_deviations(double probability);

void tail_add(struct tail *tail, double value);
/* The value that is passed with that probability for each test. Before 500 values were
 * seen nobody knows the tail, and it is 1.6 times the floor, at most the cap. */
double tail_threshold(
	const struct tail *tail, double probability, const struct tail_bounds *bounds);
/* Both ways of a snapshot. */
void tail_keep(struct archive *archive, struct tail *tail);

#endif
