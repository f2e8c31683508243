/*
 * The requests of one connection that wait for their answers, where nobody can say whose
 * answer comes. Each answer takes the mean of the open requests' times, so that over a
 * busy period the mean of all times is exact whatever their order; who ever shared the
 * connection is told as multiplexed, once.
 *
 * How many may be open at once shows in what a client asks for before the server speaks.
 * One that keeps as many open asks when it is answered: where it asks for more, the
 * server's records held answers that nobody saw begin. Far from the client, answers are
 * on their way that it had not had when it asked: to it these requests were open. They
 * end with the latest of these records, and are told as estimates.
 *
 * Answers that begin in the midst of others' records leave requests open that are none:
 * whoever asks after a pause, or turn after turn with as many left open, has had what the
 * server's records may have answered. When is spread over the time that it spoke. Pure.
 */
#ifndef PROTOCOL_OPEN_REQUESTS_H
#define PROTOCOL_OPEN_REQUESTS_H

#include <stdbool.h>

#include "answer_cut.h"
#include "exchange.h"

/* Beyond any server's limit of streams. */
#define OPEN_REQUESTS_MAX 20000

struct open_requests {
	struct moment base;  /* what the sums count from */
	int64_t sum_us;      /* when they began, added up */
	int64_t held_sum_us; /* the same for records that may be requests */
	uint32_t said_room; /* for answers in the server's records since the client's turn
			     */
	uint16_t count, held;  /* requests; records that may be some */
	uint16_t untimed;      /* of them: bytes were lost. The sum is without them */
	uint16_t shown;        /* of them, told as multiplexed */
	uint16_t most;         /* ever at once, as far as it is certain */
	uint16_t older;        /* those asked before the server last spoke */
	uint16_t said_answers; /* counted since the client's turn */
	uint16_t said_more;    /* and records that began none */
	uint16_t said_maybe; /* records that may have begun an answer, since any was open
			      */
	uint8_t ahead : 6;   /* answers that the client had not had when it asked */
	uint8_t far : 1;     /* there have been such */
	uint8_t guessed : 1; /* how many are open, or since when: until the client has had
				all that it asked for */
	uint8_t returns : 4; /* to the most, never to more */
	uint8_t row : 3;     /* records without a word of the client that may have begun
				answers */
	bool sharing : 1;    /* several were open at one time */
};

/* When it began, as sums count. */
int64_t open_requests_since(struct open_requests *open, struct moment at);
void open_requests_open(
	struct open_requests *open, const struct exchange_sink *sink, int64_t since_us);
/* One that shared its record with another. */
void open_requests_another(struct open_requests *open, const struct exchange_sink *sink,
	struct moment began);
/* One that was in lost bytes: it has no time, and is no proof of how many there are. */
void open_requests_lost(struct open_requests *open, const struct exchange_sink *sink);
/* The latest one began only now: its body went on. */
void open_requests_delay(struct open_requests *open, int64_t us);
/* None is held back any more. */
void open_requests_drop_held(struct open_requests *open);
void open_requests_hold(struct open_requests *open, struct moment at);
void open_requests_open_held(
	struct open_requests *open, const struct exchange_sink *sink);

/* A client's turn. */
struct open_requests_turn {
	struct moment asked; /* latest, before it */
	struct moment still; /* as many open at each turn since then; 0: not so */
	struct moment at;    /* it begins */
	uint32_t away_us;    /* from here to the client and back; 0: nobody knows */
};

void open_requests_turn(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut, const struct open_requests_turn *turn);
/* It asks for so many more: what that tells of answers nobody saw begin. They are told as
 * answered at that moment. */
void open_requests_infer(struct open_requests *open, const struct exchange_sink *sink,
	unsigned more, struct moment answered);

/* The server says a piece of so many bytes, after the client's turn or not: whether it
 * begins an answer. */
bool open_requests_said(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut, enum answer_cut_piece piece, int content);
/* It says what looks like control: what the client asks for next tells whether it was. */
void open_requests_may_be_said(struct open_requests *open);
/* The server's turn begins. */
void open_requests_server_turn(struct open_requests *open);
void open_requests_close(
	struct open_requests *open, const struct exchange_sink *sink, struct moment at);
/* Bytes of the server's were lost. */
void open_requests_answer_lost(
	struct open_requests *open, const struct exchange_sink *sink);
/* Nothing more will come, and the client has had what was said. */
void open_requests_end(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut);

#endif
