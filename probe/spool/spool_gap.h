/*
 * What a full spool had to drop, on its way to the collector: gaps that overlap or follow
 * each other become one, at most OBS_GAPS stand apart (beyond it the nearest are joined:
 * the count stays exact, the span widens), and they leave as one health observation.
 * Pure.
 */
#ifndef ASTRAY_SPOOL_GAP_H
#define ASTRAY_SPOOL_GAP_H

#include <stddef.h>

#include "astray/obs.h"

struct spool_gap {
	unsigned count;
	struct obs_gap gaps[OBS_GAPS]; /* ascending */
};

void spool_gap_add(struct spool_gap *all, const struct obs_gap *gap);
/* Observations in all of them. */
int64_t spool_gap_lost(const struct spool_gap *all);
/* One health line that reports them; dropped is the count since the spool was opened.
 * Returns its length, or negative. */
int spool_gap_line(char *buf, size_t cap, const struct spool_gap *all, int64_t dropped,
	struct moment at);

#endif
