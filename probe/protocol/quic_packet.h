/*
 * A UDP datagram cut into the QUIC packets that share it, as far as their headers can be
 * read without keys. Versions 1 and 2 are known; of others only what all versions have in
 * common (RFC 8999). Pure. Source: RFC 9000 §17, RFC 9369 §3.
 */
#ifndef PROTOCOL_QUIC_PACKET_H
#define PROTOCOL_QUIC_PACKET_H

#include <stdbool.h>

#include "astray/cursor.h"

#define QUIC_PACKET_ID_MAX 20
#define QUIC_PACKET_INITIAL_DATAGRAM 1200 /* a client's first is never shorter */
#define QUIC_PACKET_VERSION_1 0x00000001u
#define QUIC_PACKET_VERSION_2 0x6b3343cfu

enum quic_packet_type {
	QUIC_PACKET_INITIAL,
	QUIC_PACKET_EARLY, /* 0-RTT */
	QUIC_PACKET_HANDSHAKE,
	QUIC_PACKET_RETRY,
	QUIC_PACKET_NEGOTIATION,
	QUIC_PACKET_SHORT,   /* application data; takes the rest of its datagram */
	QUIC_PACKET_FOREIGN, /* of a version that we do not know; does so, too */
};

struct quic_packet_id {
	uint8_t len;
	uint8_t bytes[QUIC_PACKET_ID_MAX];
};

struct quic_packet {
	enum quic_packet_type type;
	uint32_t version; /* 0 for short headers */
	struct quic_packet_id destination, source;
	const uint8_t *bytes; /* from its first byte on */
	size_t len;           /* as captured */
	size_t number_at;     /* where its number begins, in those that have one */
	bool whole;           /* nothing of it was cut off */
	bool spin;            /* of short headers */
};

/* The next packet of a datagram. The fixed bit says nothing once two ends know each other
 * (RFC 9287). 0; STATUS_SHORT at its end, or when a header is cut;
 * STATUS_SYNTAX when this is not QUIC. */
int quic_packet_next(struct quic_packet *out, struct cursor *datagram);

/* A number of 1 to 8 bytes (RFC 9000 §16). */
uint64_t quic_packet_take_number(struct cursor *cur);

bool quic_packet_same_id(const struct quic_packet_id *a, const struct quic_packet_id *b);

#endif
