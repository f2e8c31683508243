/*
 * Where answers begin among the records of a server of HTTP/2, by their lengths and gaps
 * alone: a server cuts what is long into records of one length, puts them out one right
 * behind the other, and some end each answer with an empty frame. Pure. Source: RFC 9113
 * §4.2, §6.1; how servers do it is measured.
 */
#ifndef PROTOCOL_ANSWER_CUT_H
#define PROTOCOL_ANSWER_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

struct answer_cut {
	struct moment at;   /* the latest packet of a record */
	uint16_t largest;   /* record seen */
	uint16_t latest;    /* record */
	uint16_t first;     /* of the latest answer's records; 0: none yet */
	uint16_t chunk;     /* length that a server cuts answers into; 0: none known */
	uint16_t tail;      /* of the latest answer that is over: its last record */
	uint16_t least;     /* of the answers' first records; 0: none yet */
	uint8_t ends : 2;   /* empty frames that ended an answer, as far as it matters */
	uint8_t few : 2;    /* answers, as far as there are few */
	bool ended : 1;     /* the latest record was such a frame */
	bool began : 1;     /* … or began an answer, */
	bool again : 1;     /* which was as long as the one before, and whole */
	bool full : 1;      /* … or filled a buffer that was cut into chunks */
	uint8_t chunks : 4; /* of them, behind one another */
};

/* What is known of the client when a record comes. */
struct answer_cut_asked {
	bool since; /* it has asked since the latest record */
	bool one;   /* request is open, and no more */
};

enum answer_cut_piece {
	ANSWER_CUT_FIRST, /* it begins an answer */
	ANSWER_CUT_MORE,  /* it goes on with one */
	ANSWER_CUT_MAYBE, /* it looks as if it went on */
};

/* A record that is no control frame has come. */
enum answer_cut_piece answer_cut_record(struct answer_cut *cut,
	struct answer_cut_asked asked, struct moment at, int content);
/* More of it has. */
void answer_cut_more(struct answer_cut *cut, struct moment at);
/* Some was lost: where answers are long, what comes next goes on with one. */
void answer_cut_lost(struct answer_cut *cut);
/* An empty frame has: whether it ends an answer of which no record has been seen. */
bool answer_cut_ends(struct answer_cut *cut);

/* An answer began with so much: how short answers can be. */
void answer_cut_note_least(struct answer_cut *cut, int content);
/* No answer is known to be shorter; 0 before there was one. */
unsigned answer_cut_least(const struct answer_cut *cut);

/* So few that it is not known how short they are. */
bool answer_cut_is_early(const struct answer_cut *cut);

/* Whether the latest record goes on in the next; and whether that comes now. */
bool answer_cut_goes_on(const struct answer_cut *cut);
bool answer_cut_awaits(const struct answer_cut *cut, struct moment at);
#endif
