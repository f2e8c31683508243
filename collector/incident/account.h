/*
 * What an incident says to people: who and what it concerns, its title, and its text as
 * somebody needs it at three in the morning. Made anew from its strands at each change.
 */
#ifndef ASTRAY_ACCOUNT_H
#define ASTRAY_ACCOUNT_H

#include "incident.h"
#include "strand.h"

struct account_state {
	bool needs_acknowledgement;  /* all is quiet, but it was security's */
	const char *acknowledged_by; /* "" : nobody */
};

/* Fills causes, services, sites, vantages, since, evidence, title and text. */
void account_write(struct incident *incident, const struct strand *strands,
	unsigned count, const struct account_state *state);

#endif
