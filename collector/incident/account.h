/*
 * What an incident says to people: who and what it concerns, its title and its text. Made
 * anew from its strands at each change: gathered first, told when it is known what lies
 * around it.
 */
#ifndef ASTRAY_ACCOUNT_H
#define ASTRAY_ACCOUNT_H

#include "incident.h"
#include "story.h"
#include "strand.h"
#include "surroundings.h"

/* Fills causes, services, sites, vantages, since and evidence. */
void account_gather(
	struct incident *incident, const struct strand *strands, unsigned count);
/* Fills title and text of one that has been gathered. */
void account_tell(struct incident *incident, const struct strand *strands, unsigned count,
	const struct surroundings *around, const struct story_state *state);

#endif
