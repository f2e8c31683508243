/*
 * Has a series moved to another level? Seven values in a row that all lie beyond nearly
 * all of the thirty before them, with their median a few spreads away, are a step: one
 * late value is noise, three are a queue that drains, and a slow wave of the day moves
 * its own past along. Behind a step learning starts anew from the new level. For
 * measurements a few minutes apart or closer; lost ones are not fed. 156 bytes.
 */
#ifndef ASTRAY_LEVEL_SHIFT_H
#define ASTRAY_LEVEL_SHIFT_H

#include <stdbool.h>
#include <stdint.h>

struct archive;

#define LEVEL_SHIFT_AFTER 7
#define LEVEL_SHIFT_BEFORE 30

struct level_shift {
	uint32_t count; /* values since the last step, at most all that are held */
	float values[LEVEL_SHIFT_BEFORE + LEVEL_SHIFT_AFTER]; /* oldest first */
};

struct level_step {
	double before_ms, after_ms;
};

/* True when this value has shown that the level has moved. */
bool level_shift_feed(
	struct level_shift *shift, double value_ms, struct level_step *step);
/* The median of the newest seven; 0 before there are so many. */
double level_shift_now(const struct level_shift *shift);
/* Both ways of a snapshot. */
void level_shift_keep(struct archive *archive, struct level_shift *shift);

#endif
