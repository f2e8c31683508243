/*
 * What is wrong with a zone, in sentences, from what was heard of it. Pure.
 */
#ifndef NAMES_NAMES_VERDICT_H
#define NAMES_NAMES_VERDICT_H

#include "names_report.h"

#define NAMES_VERDICT_LINES 64
#define NAMES_VERDICT_TEXT 1024

enum names_grade {
	NAMES_NOTE,    /* worth knowing */
	NAMES_UNKNOWN, /* could not be checked */
	NAMES_WRONG,
};

struct names_verdict {
	unsigned count;
	struct {
		enum names_grade grade;
		char text[NAMES_VERDICT_TEXT];
	} lines[NAMES_VERDICT_LINES];
};

/* `expect`: the name servers that the zone should have; none: no policy. */
void names_verdict_reach(struct names_verdict *verdict, const struct names_report *report,
	const char expect[][OBS_NAME], unsigned expect_count);
bool names_verdict_is_wrong(const struct names_verdict *verdict);

#endif
