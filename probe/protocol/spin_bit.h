/*
 * Round trips towards a QUIC server by the spin bit, where both ends let it spin: the
 * client turns it over with each round, the server sends it back. The time from a turn on
 * its way to the server to the same turn on its way back is one round trip. Ends that do
 * not take part send what they like: a time that no path could have silences it. Pure.
 * Source: RFC 9000 §17.4, RFC 9312 §3.8.1.
 */
#ifndef PROTOCOL_SPIN_BIT_H
#define PROTOCOL_SPIN_BIT_H

#include <stdbool.h>

#include "astray/moment.h"

struct spin_bit {
	struct moment turned; /* when the client's bit turned over last */
	bool client, server;  /* the latest bits */
	bool begun[2];        /* by enum exchange_side: a bit was seen */
	bool waiting;         /* for the turn to come back */
	bool silent;          /* what is sent is not a spinning bit */
};

/* A bit on its way to the server. */
void spin_bit_client(struct spin_bit *spin, bool bit, struct moment at);
/* A bit on its way back: a round trip, or negative. least_us: the shortest round trip
 * known of this path, negative: none. */
int64_t spin_bit_server(
	struct spin_bit *spin, bool bit, int64_t least_us, struct moment at);

#endif
