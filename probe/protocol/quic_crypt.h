/*
 * Opens QUIC's Initial packets, whose keys are anybody's: they are made of the id that
 * the client chose for the server. Keeps
 * nothing of what it opens. Source: RFC 9001 §5, RFC 9369 §3.3.
 */
#ifndef PROTOCOL_QUIC_CRYPT_H
#define PROTOCOL_QUIC_CRYPT_H

#include "quic_packet.h"

struct quic_crypt;

int quic_crypt_new(struct quic_crypt **out);
void quic_crypt_free(struct quic_crypt *crypt);

/* The frames inside an Initial packet: their length, and the bytes in `plain` (room for
 * the packet's length). id: the Destination Connection ID of the client's first Initial,
 * or of its first after a Retry. STATUS_SYNTAX when the packet is not what was sealed
 * with these keys. */
int quic_crypt_open(struct quic_crypt *crypt, uint8_t *plain,
	const struct quic_packet *packet, const struct quic_packet_id *id,
	bool from_server);

#endif
