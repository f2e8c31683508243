/*
 * The work that operators have announced: while it lasts, and a little around it, nobody
 * is paged for what it touches and nothing is learnt. Bounded: the one that ended first
 * gives way.
 */
#ifndef ASTRAY_ANNOUNCEMENTS_H
#define ASTRAY_ANNOUNCEMENTS_H

#include <stdbool.h>

#include "astray/obs.h"

struct archive;

#define ANNOUNCEMENTS_MAX 128

struct announcements {
	unsigned count;
	struct {
		char service[OBS_NAME];
		char site[OBS_WORD];
		struct moment from, until;
	} list[ANNOUNCEMENTS_MAX];
};

void announcements_add(
	struct announcements *announcements, const struct obs_maintenance *work);
/* Site "": any site of the service will do. */
bool announcements_cover(const struct announcements *announcements, const char *service,
	const char *site, struct moment at);
void announcements_keep(struct archive *archive, struct announcements *announcements);

#endif
