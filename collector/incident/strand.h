/*
 * One line of an incident: a finding as it stands, kept for as long as its incident is.
 */
#ifndef ASTRAY_STRAND_H
#define ASTRAY_STRAND_H

#include <stdbool.h>

#include "finding.h"

#define STRAND_VANTAGES 8

struct archive;

struct strand {
	struct finding finding; /* the latest; its text that of the worst */
	struct moment last;     /* said */
	struct moment ended;    /* us 0: it holds */
	unsigned vantage_count;
	char vantages[STRAND_VANTAGES][OBS_WORD];
};

void strand_begin(struct strand *strand, const struct finding *finding);
/* The same thing said again. True when people would want to know: it is worse, or is
 * back. */
bool strand_renew(struct strand *strand, const struct finding *finding);
bool strand_is_of(const struct strand *strand, const struct finding *finding);
bool strand_holds(const struct strand *strand);
void strand_keep(struct archive *archive, struct strand *strand);

#endif
