/*
 * A protocol that is not read: requests and answers by whose turn it is to speak, until a
 * client's turn begins with a ClientHello: many protocols (SMTP, IMAP, POP3, FTP, LDAP,
 * PostgreSQL, proxies) agree on TLS in words of their own. Where they may, the connection
 * stays without a name for its first turns: TLS may bring one. Pure.
 */
#ifndef PROTOCOL_OPAQUE_TALK_H
#define PROTOCOL_OPAQUE_TALK_H

#include "turns.h"

#define OPAQUE_TALK_HELLO 6 /* a record's header and the message's type */

struct opaque_talk {
	struct turns turns;
	struct moment hello_at;           /* when the latest byte of it came */
	uint8_t hello[OPAQUE_TALK_HELLO]; /* what a client's turn began with */
	uint8_t hello_len;
	uint8_t turn_count;
	bool client_speaks; /* and it is no hello */
	bool nameless;      /* that was told */
};

/* may_agree: on TLS, later; and may then say a name. */
void opaque_talk_init(
	struct opaque_talk *talk, const struct exchange_sink *sink, bool may_agree);

/* True when TLS begins: talk->hello holds its first bytes, what is left of these stands
 * behind. */
bool opaque_talk_client(struct opaque_talk *talk, const struct exchange_sink *sink,
	struct cursor *bytes, struct moment at);
void opaque_talk_server(
	struct opaque_talk *talk, const struct exchange_sink *sink, struct moment at);
/* Bytes of the client's were lost to the capture. */
void opaque_talk_lost(struct opaque_talk *talk);
void opaque_talk_end(struct opaque_talk *talk, const struct exchange_sink *sink);

/* Whether a ClientHello may begin like this. */
bool opaque_talk_is_hello(const uint8_t *bytes, size_t len);

#endif
