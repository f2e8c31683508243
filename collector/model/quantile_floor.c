#include "quantile_floor.h"

#include <math.h>

#include "archive.h"

#define STEP_YOUNG .03
#define STEP .003
#define YOUNG 150
#define ERROR_MOST .15
#define SPREAD_STEP .02
/* Less than this is the width of a histogram's bucket. */
#define SPREAD_LEAST .01
/* Half of what would be a page, or what is rare for this one, is in doubt. */
#define DOUBT .5
#define DOUBT_SPREADS 2.5

double quantile_floor_error(const struct quantile_floor *floor, double logarithm)
{
	return floor->windows ? logarithm - floor->floor : 0;
}

double quantile_floor_spread(const struct quantile_floor *floor)
{
	return fmax(floor->spread, SPREAD_LEAST);
}

void quantile_floor_learn(struct quantile_floor *floor, double logarithm, double least)
{
	double error = quantile_floor_error(floor, logarithm);
	/* The first few decide by themselves; later ones only lean. */
	double step = fmax(
		floor->windows < YOUNG ? STEP_YOUNG : STEP, 1. / (floor->windows + 1.));

	if (floor->windows &&
		error > fmax(DOUBT * least, DOUBT_SPREADS * quantile_floor_spread(floor)))
		return;
	floor->floor =
		floor->windows
			? floor->floor + step * fmin(fmax(error, -ERROR_MOST), ERROR_MOST)
			: logarithm;
	floor->spread += fmax(SPREAD_STEP, 1. / (floor->windows + 1.)) *
			 (fmin(fabs(error), ERROR_MOST) - floor->spread);
	floor->windows++;
}

void quantile_floor_keep(struct archive *archive, struct quantile_floor *floor)
{
	archive_double(archive, &floor->floor);
	archive_double(archive, &floor->spread);
	archive_u32(archive, &floor->windows);
}
