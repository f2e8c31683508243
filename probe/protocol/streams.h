/*
 * HTTP/2 inside TLS, read by nothing but the lengths of its records: what the client
 * sends and is no control frame is a request, what the server sends after it is an
 * answer.
 *
 * One request at a time, counts and times are those of turns. With several open at once
 * nobody can say whose answer comes: what their times are then is open_requests.h's
 * matter, and where answers begin among long ones answer_cut.h's. Such requests are told
 * as multiplexed: their percentiles mean less. What no record showed alone is told as an
 * estimate.
 *
 * Requests for much the same are equally long once HPACK knows their fields. That length
 * is learned; a record that is made up of several of them, with window updates between,
 * holds so many requests, and what looks like a control frame but has that length is a
 * request. Until it is known, a record that looks unlike the one before it, or like
 * control, is held back until an answer, or the learned length, says that it was a
 * request: it may be an upload's data. Pure. Source: RFC 9113 §4.1, §6; RFC 8446 §5.2 for
 * the lengths.
 */
#ifndef PROTOCOL_STREAMS_H
#define PROTOCOL_STREAMS_H

#include <stdbool.h>

#include "answer_cut.h"
#include "answers_sent.h"
#include "exchange.h"
#include "open_requests.h"
#include "request_unit.h"

struct streams {
	struct answer_cut cut;
	struct open_requests open;
	struct answers_sent sent;
	struct moment started; /* the first record */
	struct moment request; /* the latest certain one */
	struct moment maybe_at;
	uint32_t spare_sum_us; /* how long after a request answers came that nobody asked
				  for */
	uint32_t lasted_us;    /* the present answer, from the request on */
	uint32_t level_us;     /* when the server had spoken at the first turn so level */
	uint32_t asked_bytes;  /* of the records with requests behind the first one */
	uint16_t unread;       /* bytes of answers since the latest request, as far as it
				  matters */
	uint16_t asked;        /* how many requests were told from these, */
	uint16_t first_asked;  /* … and from the first, beside one */
	uint16_t spare;        /* answers that nobody asked for */
	uint16_t asked_in;     /* length of the latest record with requests, */
	uint16_t together;     /* and how many were found in it, if not by their length */
	uint16_t twins;        /* of the spare ones, as long as the one before */
	struct request_unit unit; /* length that requests have again and again */
	uint16_t opening;         /* of the first record, if it may have held several */
	uint16_t first;           /* length of the present turn's first request */
	uint16_t maybe;         /* length of a control frame, or short request; 0: none */
	uint16_t away;          /* the client, and back, in steps */
	uint8_t overhead;       /* of a record over its content */
	uint8_t level : 5;      /* how many were open when the latest turn began, */
	uint8_t still : 3;      /* and at so many before it, as far as it matters */
	uint8_t tickets : 2;    /* records before the server's settings */
	bool client_opened : 1; /* the preface has been sent */
	bool server_opened : 1; /* the server's settings have */
	bool acknowledged : 1;  /* the settings: what looks like it from now on is a
				   request */
	bool asking : 1;        /* the client's latest record was a request, or a body */
	bool packed : 1;        /* a record of this turn may have held several requests */
	bool unsure : 1;        /* the first record may have held one request more */
	bool spoken : 1;        /* the server has answered since the turn began */
	bool answering : 1;     /* a lone answer's last byte is still to be told */
	bool turned : 1;    /* the client has asked since the server's latest record */
	bool uploading : 1; /* the client's latest record is followed by more of a body */
	bool uploads : 1;   /* long ones have been sent, in records of their own */
	bool bodies : 1;    /* some have been sent since none was open */
	bool mixed : 1;     /* requests come in one record with the bodies of others */
};

/* opened: whether that side's first record, with its settings, has passed. */
void streams_init(struct streams *streams, uint8_t overhead, bool client_opened,
	bool server_opened);
/* A record of len bytes begins. */
void streams_client(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len);
void streams_server(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len);
/* More of what a former call began. */
void streams_client_more(struct streams *streams, struct moment at);
void streams_server_more(struct streams *streams, struct moment at);
/* A request that was told before, by somebody else, is open. */
void streams_adopt(struct streams *streams, struct moment request, bool untimed);
/* Records of the server's may have begun in what was not captured. */
void streams_server_cut(struct streams *streams);
/* So many bytes of that side were lost to the capture. */
void streams_lost(struct streams *streams, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len);
/* When the client sends what comes next, so many of the server's bytes are still on their
 * way to it, the rest of the present record with them. How far away it is and back: 0 if
 * nobody knows. */
void streams_unseen(struct streams *streams, const struct exchange_sink *sink,
	uint32_t bytes, uint32_t away_us);
/* Gives back what it holds. */
void streams_drop(struct streams *streams, const struct exchange_sink *sink);
void streams_end(struct streams *streams, const struct exchange_sink *sink);

#endif
