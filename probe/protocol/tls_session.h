/*
 * A TLS connection read without keys: the name in its ClientHello, or, where it asks for
 * none and the certificate goes in the clear (TLS 1.2), the name in that; how long its
 * handshake took, and, from record types and lengths alone, where requests and answers
 * begin (tls_inside.h).
 *
 * TLS 1.2 shows its handshake records as such, and all application data is the
 * application's. In TLS 1.3 the end of the handshake looks like application data: the
 * client's Finished is known by its length, and until it has come the server's records
 * are never answers. A fatal alert before that, or an end of the connection, is a
 * handshake that failed. Of the server's choice of protocol only the length is to be
 * seen, where its encrypted extensions have a record of their own. Alerts (19 bytes when
 * encrypted) count for nothing. Source: RFC 8446 §2, §4.4, §5; RFC 5246 §7.3.
 */
#ifndef PROTOCOL_TLS_SESSION_H
#define PROTOCOL_TLS_SESSION_H

#include "exchange.h"
#include "tls_inside.h"
#include "tls_records.h"

enum tls_version { TLS_VERSION_UNKNOWN, TLS_VERSION_OLD, TLS_VERSION_1_3 };

/* Whether HTTP/2 is what the two agreed on. */
enum tls_http2 { TLS_HTTP2_NO, TLS_HTTP2_OFFERED, TLS_HTTP2_CHOSEN };

struct tls_session {
	struct tls_inside inside;
	struct moment hello;           /* when the ClientHello began */
	struct tls_records records[2]; /* by enum exchange_side */
	uint16_t gathered;             /* buffer with a hello that spans pieces */
	uint16_t gathered_len;
	bool counting[2];   /* the present record's bytes belong to a turn */
	bool hello_done[2]; /* that side's hello has been read, or given up */
	uint8_t overhead;   /* of a record over its content */
	uint8_t version : 2;
	uint8_t http2 : 2;  /* enum tls_http2 */
	bool ciphering : 1; /* the client has sent ChangeCipherSpec */
	bool flight : 1;    /* the client's last handshake flight has begun (1.3) */
	bool extended : 1;  /* the server's encrypted extensions have passed (1.3), */
	bool proven : 1;    /* … and its Finished, where that shows */
	bool told : 1;      /* the host, or that none will be known */
	bool nameless : 1;  /* the client asked for no host: a certificate may name it */
	bool early : 1;     /* the client offered early data */
	bool finished : 1;  /* application data is possible */
	bool broken : 1;    /* it will not be: told */
};

/* mid_stream: the handshake was not seen and is over. */
void tls_session_init(struct tls_session *session, bool mid_stream);
/* Gives its buffer back. */
void tls_session_drop(struct tls_session *session, const struct exchange_sink *sink);

/* In-order bytes of one side; `fresh`: they begin a segment. */
void tls_session_bytes(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, struct cursor bytes, bool fresh, struct moment at);
/* Bytes that a captured segment had but its capture cut off. */
void tls_session_skip(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len, struct moment at);
/* Bytes that were sent, but in packets that nobody captured. */
void tls_session_hole(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len);
/* That side ends the connection: in the middle of the handshake that is a failure of it,
 * and a client of HTTP/2 has had the answers that it goes away from. */
void tls_session_breaks_off(struct tls_session *session, const struct exchange_sink *sink,
	enum exchange_side side);
/* When the client sends what comes next, so many bytes that the server has sent are still
 * on their way to it; so far away it is, and back (0: nobody knows). */
void tls_session_unseen(struct tls_session *session, const struct exchange_sink *sink,
	uint32_t bytes, uint32_t away_us);
/* How many bytes of that side may be skipped without losing framing. */
uint64_t tls_session_skippable(
	const struct tls_session *session, enum exchange_side side);

#endif
