/*
 * How much of what one endpoint says counts: where many of them are summed, none counts
 * for more than half as much again as the others do on average. So one that lies, or one
 * that is mad, weighs no more than a person does, whatever numbers it sends. A site's own
 * gateways count as they are. Pure.
 */
#ifndef ASTRAY_FAIR_SHARE_H
#define ASTRAY_FAIR_SHARE_H

#include "astray/obs.h"
#include "track.h"

/* The part of that vantage's window that counts, up to 1; the track holds slots of
 * track->slot_us with what the others usually ask. */
double fair_share_of(
	const struct track *track, uint32_t vantage, const struct obs_traffic *window);
/* Leaves that part of what was counted, and none of what was timed. */
void fair_share_cut(struct obs_traffic *window, double part);

#endif
