/*
 * How surprising is it to see n where m were expected? A count with a dispersion learnt
 * from the same sum on quiet days: the deviance of a negative binomial, signed so that
 * missing is positive, in standard deviations. One sum, one shortfall: its
 * autocorrelation is inside its dispersion.
 */
#ifndef ASTRAY_SHORTFALL_H
#define ASTRAY_SHORTFALL_H

#include <stdbool.h>

#include "tail.h"

struct archive;

struct shortfall {
	double dispersion; /* of n/m beyond chance; 0: none seen, the start value holds */
	uint32_t windows;  /* that it was learnt from */
	uint32_t surging;  /* windows in a row with far more than expected */
	struct tail tail;
};

struct shortfall_judgement {
	double z;         /* positive: missing */
	double threshold; /* of the budget */
	double warning;   /* of a budget 100 times as loose */
	bool speaks;      /* enough was expected to say anything */
};

/* `probability` is what the budget allows a test; `caution` is how many standard
 * deviations the threshold stays above what pure chance would ask for. */
struct shortfall_judgement shortfall_judge(const struct shortfall *shortfall, double seen,
	double expected, double caution, double probability);
/* Learns from a quiet sum; whoever judges calls it only when nothing is in doubt. */
void shortfall_learn(struct shortfall *shortfall, double seen, double expected, double z,
	double threshold);
/* Both ways of a snapshot. */
void shortfall_keep(struct archive *archive, struct shortfall *shortfall);

#endif
