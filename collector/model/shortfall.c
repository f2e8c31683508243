#include "shortfall.h"

#include <math.h>

/* Fewer than this expected says nothing whatever is seen. */
#define EXPECTED_LEAST 8
#define DISPERSION_START .01
#define DISPERSION_LEAST .0015
#define DISPERSION_MOST .25
#define LOOSER 100

static double deviance_z(double seen, double expected, double dispersion)
{
	double kappa = 1 / fmax(dispersion, DISPERSION_LEAST);
	double own = seen > 0 ? seen * log(seen / expected) : 0;
	double d = 2 * (own - (seen + kappa) * log((seen + kappa) / (expected + kappa)));

	return (seen < expected ? 1 : -1) * sqrt(fmax(d, 0));
}

struct shortfall_judgement shortfall_judge(const struct shortfall *shortfall, double seen,
	double expected, double floor, double probability)
{
	/* Without a cap a service that is never quiet would never be heard. */
	struct tail_bounds bounds = {
		.floor = floor, .cap = fmax(8, floor * 1.6), .least_beta = .15};
	struct shortfall_judgement out = {0};
	double dispersion = shortfall->windows ? shortfall->dispersion : DISPERSION_START;

	if (expected < EXPECTED_LEAST)
		return out;
	out.speaks = true;
	out.z = deviance_z(fmax(seen, 0), expected, dispersion);
	out.threshold = tail_threshold(&shortfall->tail, probability, &bounds);
	bounds.floor = floor * .7;
	out.warning =
		fmin(tail_threshold(&shortfall->tail, probability * LOOSER, &bounds),
			out.threshold);
	return out;
}

void shortfall_learn(struct shortfall *shortfall, double seen, double expected, double z,
	double threshold)
{
	double off = (seen - expected) / expected;
	double excess = fmin(fmax(off * off - 1 / expected, 0), DISPERSION_MOST);
	double step = shortfall->windows < 400 ? .02 : .004;

	if (!shortfall->windows)
		shortfall->dispersion = DISPERSION_START;
	shortfall->windows++;
	shortfall->dispersion += step * (excess - shortfall->dispersion);
	if (z < .7 * threshold)
		tail_add(&shortfall->tail, fmax(z, 0));
}
