/*
 * How many of a site's people are there, as their machines show: endpoints that have been
 * heard of in the last quarter of an hour, beside what is usual at this time of the week.
 * At home in the same country counts as there, abroad does not. A site of which nothing
 * is heard at all is not known to be empty. Pure: time is what it is told.
 *
 * One machine more or less is chance, and a few that lie move it by no more than their
 * share.
 */
#ifndef ASTRAY_PRESENCE_H
#define ASTRAY_PRESENCE_H

#include <stdbool.h>

#include "astray/moment.h"

struct archive;
struct presence;
struct vantages;

int presence_new(struct presence **out);
void presence_free(struct presence *presence); /* NULL is fine */

/* Something came from somebody. */
void presence_hear(struct presence *presence, struct moment rx);
/* When it wants to look next, seen from now; us 0: not before something is heard. */
struct moment presence_due(const struct presence *presence, struct moment now);
/* Counts, when it is time; false when it is not. */
bool presence_look(
	struct presence *presence, const struct vantages *vantages, struct moment now);

/* The share of the usual people that is there: 1 when most are, when it is not known what
 * is usual, or when nothing is known now. Presence NULL: not known. */
double presence_share(const struct presence *presence, unsigned site);

/* Both ways of a snapshot, of the first so many sites. */
void presence_keep(struct archive *archive, struct presence *presence, unsigned sites);

#endif
