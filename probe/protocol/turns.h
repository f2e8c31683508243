/*
 * Requests and answers by whose turn it is to speak: the one thing to be seen of HTTP/1
 * inside TLS and of protocols that are not read. Client data after the server spoke
 * begins a request; more client data only moves its end; the first server data after it
 * is the answer. A client that sends a second request before the first is answered is
 * counted once.
 *
 * TLS 1.3 servers send session tickets just before their first answer, in records that
 * look like it. Such a record is a candidate: a ticket when anything else follows before
 * the client speaks again, otherwise the answer itself. Source: RFC 8446 §4.6.1.
 *
 * "HTTP/1.1 100 Continue" and an empty line are 25 bytes, which no final answer has. A
 * record of so many is a candidate as well: the client that goes on behind it is not
 * answered yet. Where answers turn out to be as long, they are answers from then on.
 * Source: RFC 9110 §15.2.1.
 */
#ifndef PROTOCOL_TURNS_H
#define PROTOCOL_TURNS_H

#include <stdbool.h>

#include "exchange.h"

struct turns {
	struct moment request;    /* end of the client's turn */
	struct moment candidate;  /* the first of what may be tickets since then */
	struct moment last;       /* of the answer, as far as it came */
	uint16_t ticket_len;      /* of the records that may be tickets; 0: none seen */
	uint16_t interim_len;     /* of a record with "100 Continue"; 0: unknown, or of
				     answers too */
	uint8_t ticket_turns : 2; /* tickets may stand before so many answers more */
	bool open : 1;            /* a request waits for its answer */
	bool untimed : 1;         /* and its time would be wrong */
	bool passed : 1;          /* the server spoke, but nobody saw what it said */
	bool has_candidate : 1;
	bool candidate_is_interim : 1;
	bool continued : 1; /* the request went on behind such a record */
	bool answering : 1; /* the answer's last byte is still to be told */
};

/* Whether a TLS 1.3 record of that length may be a session ticket. */
bool turns_may_be_ticket(uint16_t len);

#define TURNS_INTERIM_LEN 25

void turns_init(struct turns *turns, bool tickets_possible);
void turns_client(
	struct turns *turns, const struct exchange_sink *sink, struct moment at);
/* One piece of server data that begins here; len: its record's length, 0 where there are
 * none. */
void turns_server(struct turns *turns, const struct exchange_sink *sink, struct moment at,
	uint16_t len);
/* More of what a former call began. */
void turns_client_more(struct turns *turns, struct moment at);
void turns_server_more(
	struct turns *turns, const struct exchange_sink *sink, struct moment at);
/* Bytes of that side were lost to the capture. */
void turns_lost(
	struct turns *turns, const struct exchange_sink *sink, enum exchange_side side);
/* The connection is over: what waited for more is decided. */
void turns_end(struct turns *turns, const struct exchange_sink *sink);

#endif
