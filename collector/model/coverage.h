/*
 * What is looked at, for one service at one site, and since when. From it an incident
 * tells what was looked at and found well, and people see what is not learnt yet. A plain
 * value; pure.
 */
#ifndef ASTRAY_COVERAGE_H
#define ASTRAY_COVERAGE_H

#include <stdbool.h>

#include "astray/obs.h"

struct archive;

enum coverage_sense {
	COVERAGE_DELEGATION, /* what the parent and the authorities say of name servers */
	COVERAGE_RECORDS,
	COVERAGE_REGISTRY,
	COVERAGE_CERTIFICATE,
	COVERAGE_PATH,
	COVERAGE_CHECK,
	COVERAGE_TRAFFIC,
	COVERAGE_SENSES
};

struct coverage_span {
	struct moment first, last; /* us 0: never */
};

struct coverage {
	struct coverage_span senses[COVERAGE_SENSES];
};

void coverage_see(struct coverage *coverage, const struct obs *obs, struct moment rx);
/* Both together: the earlier first, the later last. */
void coverage_add(struct coverage *into, const struct coverage *other);
/* Looked at lately enough to say how it is now. */
bool coverage_is_fresh(
	const struct coverage *coverage, enum coverage_sense sense, struct moment now);
/* Whether any of them is. */
bool coverage_is_any_fresh(const struct coverage *coverage, struct moment now);
void coverage_keep(struct archive *archive, struct coverage *coverage);

#endif
