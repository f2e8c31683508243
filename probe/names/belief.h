/*
 * What is believed of a delegation. A change is believed when the server that told it
 * says so again over TCP and another server says the same: one packet can be forged, one
 * server can be early, late or broken. Pure.
 */
#ifndef NAMES_BELIEF_H
#define NAMES_BELIEF_H

#include "delegation.h"

#define BELIEF_AGAIN                                                      \
	6 /* times that others are asked while only one tells of a change \
	   */

enum belief_step {
	BELIEF_REST,      /* nothing more to ask in this round */
	BELIEF_ASK_SAME,  /* the same server at once, over TCP */
	BELIEF_ASK_OTHER, /* another server at once, over TCP */
	BELIEF_ASK_LATER, /* another server in ten seconds, over TCP */
};

enum belief_event {
	BELIEF_NOTHING,
	BELIEF_BEGUN,     /* the first delegation is known */
	BELIEF_CHANGED,   /* two servers tell the same new one */
	BELIEF_REFUTED,   /* over TCP the server says what it always said */
	BELIEF_SPREADING, /* one server tells a new one, others do not (yet) */
};

enum belief_stage { BELIEF_CALM, BELIEF_SAME, BELIEF_OTHER, BELIEF_LATER };

struct belief {
	enum belief_stage stage;
	bool known;
	unsigned fruitless; /* answers of others in this stage that agreed with nothing */
	bool dissent;       /* candidate is what one server alone goes on telling */
	struct dns_endpoint dissenter;
	struct delegation believed, before, candidate;
	enum belief_event
		event; /* of the last word; `before` is what BELIEF_CHANGED changed */
};

/* `servers`: how many servers there are to ask. */
enum belief_step belief_hear(
	struct belief *belief, const struct delegation_word *word, unsigned servers);

#endif
