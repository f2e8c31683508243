#include "rollup_row.h"

#include <errno.h>
#include <stdlib.h>

#include "astray/moment.h"
#include "astray/obs.h"

int64_t rollup_row_step_us(enum rollup_step step)
{
	static const int64_t steps[ROLLUP_STEPS] = {
		10 * MOMENT_SECOND_US, MOMENT_MINUTE_US, MOMENT_HOUR_US};

	return steps[step];
}

void rollup_row_clear(struct rollup_row *row)
{
	for (unsigned i = 0; i < ROLLUP_SKETCHES; i++)
		free(row->sketches[i]);
	*row = (struct rollup_row){0};
}

void rollup_row_count(struct rollup_row *row, enum rollup_count which, int64_t more)
{
	int64_t *total = &row->counts[which];

	if (more <= 0)
		return;
	*total = more > MOMENT_MAX_US - *total ? MOMENT_MAX_US : *total + more;
}

static struct sketch *sketch_of(struct rollup_row *row, enum rollup_sketch which)
{
	if (!row->sketches[which]) {
		row->sketches[which] = malloc(sizeof(struct sketch));
		if (row->sketches[which])
			sketch_init(row->sketches[which]);
	}
	return row->sketches[which];
}

int rollup_row_merge(
	struct rollup_row *row, enum rollup_sketch which, const struct sketch *from)
{
	struct sketch *into;

	if (sketch_is_empty(from))
		return 0;
	into = sketch_of(row, which);
	if (!into)
		return -ENOMEM;
	sketch_merge(into, from);
	return 0;
}

int rollup_row_time(struct rollup_row *row, enum rollup_sketch which, int64_t value_us)
{
	struct sketch *into;

	if (value_us == OBS_ABSENT)
		return 0;
	into = sketch_of(row, which);
	if (!into)
		return -ENOMEM;
	(void)sketch_add(into, (double)value_us);
	return 0;
}

int rollup_row_add(struct rollup_row *into, const struct rollup_row *row)
{
	int rc = 0;

	for (unsigned i = 0; i < ROLLUP_COUNTS; i++)
		rollup_row_count(into, (enum rollup_count)i, row->counts[i]);
	if (row->window_us > into->window_us)
		into->window_us = row->window_us;
	for (unsigned i = 0; !rc && i < ROLLUP_SKETCHES; i++)
		if (row->sketches[i])
			rc = rollup_row_merge(
				into, (enum rollup_sketch)i, row->sketches[i]);
	return rc;
}
