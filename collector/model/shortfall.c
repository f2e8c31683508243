#include "shortfall.h"

#include <math.h>

#include "archive.h"

/* Fewer than this expected says nothing whatever is seen. */
#define EXPECTED_LEAST 8
#define DISPERSION_START .01
#define DISPERSION_LEAST .0015
#define DISPERSION_MOST .25
#define LOOSER 100
#define WARN_SHARE .7
#define CAP_ABOVE 1
#define SETTLED_WINDOWS 300
#define SURGE .35
#define SURGE_WINDOWS 24
#define WILD 3
#define MADE_GOOD 1.3

static double deviance_z(double seen, double expected, double dispersion)
{
	double kappa = 1 / fmax(dispersion, DISPERSION_LEAST);
	double own = seen > 0 ? seen * log(seen / expected) : 0;
	double d = 2 * (own - (seen + kappa) * log((seen + kappa) / (expected + kappa)));

	return (seen < expected ? 1 : -1) * sqrt(fmax(d, 0));
}

struct shortfall_judgement shortfall_judge(const struct shortfall *shortfall, double seen,
	double expected, double caution, double probability)
{
	/* Without a cap a service that is never quiet would never be heard. */
	double floor = tail_deviations(probability) + caution;
	struct tail_bounds bounds = {
		.floor = floor, .cap = floor + CAP_ABOVE, .least_beta = .15};
	struct shortfall_judgement out = {0};
	double dispersion = shortfall->windows ? shortfall->dispersion : DISPERSION_START;

	if (expected < EXPECTED_LEAST)
		return out;
	out.speaks = true;
	out.z = deviance_z(fmax(seen, 0), expected, dispersion);
	out.threshold = tail_threshold(&shortfall->tail, probability, &bounds);
	bounds.floor = WARN_SHARE * floor;
	out.warning =
		fmin(tail_threshold(&shortfall->tail, probability * LOOSER, &bounds),
			out.threshold);
	return out;
}

/* A wild value moves the dispersion no more than a large one, so that a decay, which is a
 * little wilder each time, is not taken for restlessness; what is cut off so on quiet
 * days is made good. More than expected says nothing of how much less there may be. */
void shortfall_learn(struct shortfall *shortfall, double seen, double expected, double z,
	double threshold)
{
	double off = (seen - expected) / expected;
	double step = shortfall->windows < 400 ? .02 : .004;
	double excess = fmax(off * off - 1 / expected, 0);

	shortfall->surging = off > SURGE ? shortfall->surging + 1 : 0;
	if (shortfall->surging > SURGE_WINDOWS)
		return;
	if (!shortfall->windows)
		shortfall->dispersion = DISPERSION_START;
	shortfall->windows++;
	excess = MADE_GOOD *
		 fmin(excess, WILD * fmax(shortfall->dispersion, DISPERSION_LEAST));
	if (off < 0)
		shortfall->dispersion +=
			step * (fmin(excess, DISPERSION_MOST) - shortfall->dispersion);
	/* While the dispersion is still settling, the tail would keep its youth for
	 * weeks. */
	if (z < .7 * threshold && shortfall->windows > SETTLED_WINDOWS)
		tail_add(&shortfall->tail, fmax(z, 0));
}

void shortfall_keep(struct archive *archive, struct shortfall *shortfall)
{
	archive_double(archive, &shortfall->dispersion);
	archive_u32(archive, &shortfall->windows);
	archive_u32(archive, &shortfall->surging);
	tail_keep(archive, &shortfall->tail);
}
