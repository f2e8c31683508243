/*
 * One direction of a TLS connection cut into its records, by their five-byte headers
 * alone. Nothing is decrypted and nothing kept but the header being read. Pure. Source:
 * RFC 8446 §5.1, RFC 5246 §6.2.
 */
#ifndef PROTOCOL_TLS_RECORDS_H
#define PROTOCOL_TLS_RECORDS_H

#include <stdbool.h>

#include "astray/cursor.h"

#define TLS_RECORDS_CHANGE_CIPHER_SPEC 20
#define TLS_RECORDS_ALERT 21
#define TLS_RECORDS_HANDSHAKE 22
#define TLS_RECORDS_APPLICATION 23

struct tls_records {
	uint16_t remaining; /* bytes of the present record still to come */
	uint8_t type;       /* of the present record */
	uint8_t header_len; /* bytes of the next header that have come */
	uint8_t header[5];
	bool lost; /* where the next record begins is not known */
};

/* A stretch of bytes within one record. */
struct tls_piece {
	uint8_t type;
	bool begins;        /* the record's header was completed here */
	uint16_t len;       /* the record's whole length, where it begins */
	struct cursor body; /* its bytes here; may be empty */
};

/* The next piece; false when the bytes are used up or framing is lost. */
bool tls_records_next(
	struct tls_records *records, struct cursor *cur, struct tls_piece *piece);

/* Passes over bytes that nobody captured: true when they all lie within the present
 * record, otherwise framing is lost. */
bool tls_records_skip(struct tls_records *records, uint64_t len);

/* Takes up framing again where a segment begins with what can only be a header. */
void tls_records_resume(struct tls_records *records, const uint8_t *bytes, size_t len);

/* Whether these bytes may begin a record; wants all five of a header. */
bool tls_records_look_right(const uint8_t *bytes, size_t len);

#endif
