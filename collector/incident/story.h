/*
 * An incident's text, as somebody needs it at three in the morning: what it is, since
 * when, what changed first, whom it concerns and whom not, what was ruled out, what to do
 * next, and then the evidence in order of time.
 */
#ifndef ASTRAY_STORY_H
#define ASTRAY_STORY_H

#include "incident.h"
#include "strand.h"
#include "surroundings.h"

struct story_state {
	bool quiet_but_open; /* all is quiet, but it waits for an acknowledgement */
	const char *acknowledged_by; /* "": nobody */
	const char *acknowledged_note;
};

/* Strands in order of time. Names, times and title of the incident stand already. */
void story_write(struct incident *incident, const struct strand *const *strands,
	unsigned count, const struct surroundings *around,
	const struct story_state *state);

/* The worst that is known of a cause; NULL when nothing is. */
const struct strand *story_worst_of(
	const struct strand *const *strands, unsigned count, enum incident_cause cause);

/* Causes by what says most of why; ends with INCIDENT_CAUSES. */
extern const enum incident_cause story_by_weight[INCIDENT_CAUSES + 1];

#endif
