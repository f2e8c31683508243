/*
 * The way from a zone that is known (the root, at first) down to the one that is looked
 * for: what to ask next, and what an answer means. Pure; who drives it asks the questions
 * and finds the hosts. Ends after at most WALK_QUESTIONS questions, whatever servers say.
 */
#ifndef NAMES_WALK_H
#define NAMES_WALK_H

#include "referral.h"

#define WALK_QUESTIONS 30

enum walk_goal {
	WALK_PARENT,  /* the servers that refer to the zone `name`, with all their
			 addresses */
	WALK_RECORDS, /* the records of (name, type) */
};

enum walk_want {
	WALK_ASK,  /* the server `address`, for (name, type), without recursion */
	WALK_FIND, /* the addresses of `host` */
	WALK_ENDS, /* see result */
};

struct walk {
	enum walk_goal goal;
	char name[OBS_NAME];
	uint16_t type;
	struct zone_cut
		cut; /* where it stands; at its end: whose servers gave the result */
	bool asked_for[ZONE_CUT_HOSTS]; /* hosts whose addresses were looked for */
	unsigned next;                  /* address to ask */
	unsigned tried;                 /* addresses asked at this cut */
	unsigned questions;             /* asked in all */
	bool ended, found; /* found: the last answer is the one that was looked for */
	int rc; /* of the end: 0; -ETIMEDOUT: nobody answered; STATUS_REFUSED: nobody
		   knows */
};

/* `seed` says with which of equal servers to begin; `from` is not the walk's own cut. */
void walk_begin(struct walk *walk, enum walk_goal goal, const char *name, uint16_t type,
	const struct zone_cut *from, unsigned seed);
/* For WALK_ASK *address is set, for WALK_FIND *host (which points into the walk). */
enum walk_want walk_next(struct walk *walk, struct address *address, const char **host);
/* The answer to what was asked: rc 0 and a message, or a negative rc. True when the walk
 * stands at a new cut. */
bool walk_answered(struct walk *walk, int rc, const struct dns_message *message);
/* The addresses of the host that was to be found; none when it was not. */
void walk_host_found(struct walk *walk, const char *host, const struct address *addresses,
	unsigned count);

#endif
