/*
 * What a replay found: every incident that was told, with its pages, for the summary and
 * for the comparison of two ways of judging the same stream.
 */
#ifndef ASTRAY_REPLAY_TALLY_H
#define ASTRAY_REPLAY_TALLY_H

#include <stdio.h>

#include "incident.h"

struct replay_row {
	char id[INCIDENT_ID];
	char title[INCIDENT_TITLE];
	struct moment opened, since, resolved; /* resolved.us 0: still open */
	struct moment paged;                   /* first; us 0: never */
	enum incident_severity worst;
	unsigned pages;
	unsigned service_count;
	char services[4][OBS_NAME]; /* the first few: enough to tell incidents apart */
};

struct replay_tally {
	size_t count, cap;
	uint64_t pages, lost; /* changes that found no memory */
	struct replay_row *rows;
};

void replay_tally_note(struct replay_tally *tally, enum incident_change change,
	const struct incident *incident);
void replay_tally_print(FILE *out, const struct replay_tally *tally);
/* What each pages for, side by side in order of time: pages for the same service within
 * two hours stand in one line. 0, or -ENOMEM. */
int replay_tally_compare(FILE *out, const struct replay_tally *ours, const char *our_name,
	const struct replay_tally *theirs, const char *their_name);
void replay_tally_free(struct replay_tally *tally);

#endif
