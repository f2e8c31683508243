#include "tail.h"

#include <math.h>
#include <string.h>

#include "archive.h"

#define SEEN_ENOUGH 500
#define CAUTION 1.6
#define TOP_SHARE 0.02
/* As many as the held ones are 2 % of: older ones weigh half, and half as much each time.
 */
#define SEEN_MAX (TAIL_TOP * 50)

/* How many of the largest are the tail. */
static uint32_t tail_length(const struct tail *tail)
{
	uint32_t wanted = (uint32_t)ceil(TOP_SHARE * tail->seen);

	return wanted < tail->count ? wanted : tail->count;
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

/* Every second one goes, so that the shape stays and no single value stays for ever. */
static void halve(struct tail *tail)
{
	for (uint32_t i = 1; i < tail->count; i += 2)
		tail->top[i / 2] = tail->top[i];
	tail->count /= 2;
	tail->seen /= 2;
}

static void drop_least(struct tail *tail)
{
	memmove(tail->top, tail->top + 1, --tail->count * sizeof(tail->top[0]));
}

void tail_add(struct tail *tail, double value)
{
	tail->seen++;
	if (tail->count == TAIL_TOP) {
		if (value <= tail->top[0])
			goto age;
		drop_least(tail);
	}
	insert(tail, (float)value);
age:
	if (tail->seen >= SEEN_MAX)
		halve(tail);
}

double tail_deviations(double probability)
{
	return sqrt(2 * log(1 / probability)) - .6;
}

double tail_threshold(
	const struct tail *tail, double probability, const struct tail_bounds *bounds)
{
	uint32_t length = tail_length(tail), first = tail->count - length;
	double sum = 0, beta, threshold;

	if (tail->seen < SEEN_ENOUGH)
		return fmin(bounds->floor * CAUTION, bounds->cap);
	for (uint32_t i = first; i < tail->count; i++)
		sum += tail->top[i];
	beta = fmax(bounds->least_beta, sum / length - tail->top[first]);
	threshold =
		tail->top[first] + beta * log((double)length / tail->seen / probability);
	return fmin(fmax(threshold, bounds->floor), bounds->cap);
}

void tail_keep(struct archive *archive, struct tail *tail)
{
	archive_u32(archive, &tail->seen);
	archive_count(archive, &tail->count, TAIL_TOP);
	for (uint32_t i = 0; i < tail->count; i++)
		archive_float(archive, &tail->top[i]);
}
