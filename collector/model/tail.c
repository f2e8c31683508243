#include "tail.h"

#include <math.h>
#include <string.h>

#define SEEN_ENOUGH 500
#define CAUTION 1.6
#define TOP_SHARE 0.02
/* A tail that has lived long forgets: the newest 10,000 values weigh. */
#define SEEN_MAX 10000

static uint32_t top_wanted(uint32_t seen)
{
	double wanted = ceil(TOP_SHARE * seen);

	if (wanted < 8)
		return 8;
	return wanted < TAIL_TOP ? (uint32_t)wanted : TAIL_TOP;
}

static void insert(struct tail *tail, float value)
{
	uint32_t at = tail->count++;

	while (at > 0 && tail->top[at - 1] > value) {
		tail->top[at] = tail->top[at - 1];
		at--;
	}
	tail->top[at] = value;
}

static void drop_least(struct tail *tail)
{
	memmove(tail->top, tail->top + 1, --tail->count * sizeof(tail->top[0]));
}

void tail_add(struct tail *tail, double value)
{
	tail->seen++;
	if (tail->count == top_wanted(tail->seen)) {
		if (value <= tail->top[0])
			goto age;
		drop_least(tail);
	}
	insert(tail, (float)value);
age:
	if (tail->seen >=
		2 * SEEN_MAX) { /* half of the past goes, with half of its top */
		tail->seen /= 2;
		while (tail->count > top_wanted(tail->seen))
			drop_least(tail);
	}
}

double tail_threshold(
	const struct tail *tail, double probability, const struct tail_bounds *bounds)
{
	double sum = 0, beta, threshold;

	if (tail->seen < SEEN_ENOUGH)
		return fmin(bounds->floor * CAUTION, fmax(bounds->cap, bounds->floor));
	for (uint32_t i = 0; i < tail->count; i++)
		sum += tail->top[i];
	beta = fmax(bounds->least_beta, sum / tail->count - tail->top[0]);
	threshold =
		tail->top[0] + beta * log((double)tail->count / tail->seen / probability);
	return fmin(fmax(threshold, bounds->floor), bounds->cap);
}
