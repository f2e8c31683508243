/*
 * Where findings become incidents. What concerns one service (or one site's own trouble)
 * within two hours belongs together; a page waits a moment for the rest of its evidence,
 * is raised once, and again only when its class rises (see case_file.h), whoever has
 * acknowledged it before. It resolves when all has been quiet for a while; what concerns
 * security waits for somebody's acknowledgement as well, and meanwhile hides no trouble
 * of another kind. What comes back within six hours is the same incident and wakes
 * nobody, unless it is an attack.
 *
 * Who holds a zone holds the names of all its services, so what looks like an attack on
 * one zone is one incident. Two that turn out to be one are united: the one that has told
 * more (else the older) takes up the other, which resolves and says where it went.
 *
 * Pure: time is what it is told. Bounded; what found no room is counted.
 */
#ifndef ASTRAY_CASEBOOK_H
#define ASTRAY_CASEBOOK_H

#include <stdbool.h>

#include "finding.h"
#include "surroundings.h"

struct archive;
struct casebook;

struct casebook_settings {
	int64_t gather_us; /* a page waits at most this long for the rest of its evidence
			    */
	int64_t calm_us;   /* all quiet for this long resolves */
};

struct casebook_counters {
	uint64_t findings, incidents, pages, refused;
};

struct casebook_hooks {
	/* Told of every change; the incident is borrowed for the call. */
	void (*changed)(
		void *arg, enum incident_change change, const struct incident *incident);
	/* Asked, before each, what lies around it; NULL: nothing is known of that. */
	surroundings_fn look_around;
	void *arg;
};

int casebook_new(struct casebook **out, const struct casebook_settings *settings,
	const struct casebook_hooks *hooks);
void casebook_free(struct casebook *casebook); /* NULL is fine */

void casebook_take(struct casebook *casebook, const struct finding *finding);
/* False when no open incident has that id, or has taken up the one that had it. */
bool casebook_acknowledge(
	struct casebook *casebook, struct moment rx, const struct obs_acknowledge *by);
/* Lets time pass: what has gathered is told, what has calmed resolves. */
void casebook_advance(struct casebook *casebook, struct moment rx);
/* Whether time alone can still change anything. */
bool casebook_is_busy(const struct casebook *casebook);
void casebook_read_counters(
	const struct casebook *casebook, struct casebook_counters *out);
/* Both ways of a snapshot; what is read goes into an empty one. */
void casebook_keep(struct archive *archive, struct casebook *casebook);
/* Says again what was said last of each case that is open: to those who must know what is
 * open, and know what they have heard before. */
void casebook_recall(struct casebook *casebook);

#endif
