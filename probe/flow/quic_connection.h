/*
 * One QUIC connection followed datagram by datagram and told in the ledger, as
 * connection.h does for TCP. Pure.
 *
 * connect_us runs from the client's first Initial packet to the server's first packet,
 * client_connect_us from there to the client's next; neither when the client said its
 * hello twice. tls_us runs from the first Initial to the client's first packet of
 * application data. Timed out: nobody answers within QUIC_CONNECTION_ANSWER_US. Refused:
 * the server closes in an Initial packet, or speaks none of the versions that the client
 * tries; or an ICMP message that quotes a packet of the client's says no. rtt_us:
 * connect_us, and what the spin bit tells. Requests are estimates.
 */
#ifndef FLOW_QUIC_CONNECTION_H
#define FLOW_QUIC_CONNECTION_H

#include "connection.h"
#include "udp_datagram.h"

#define QUIC_CONNECTION_ANSWER_US CONNECTION_ANSWER_US

/* What all of them share: keys at work, and room for what they open. */
struct quic_connection_desk;

int quic_connection_desk_new(struct quic_connection_desk **out);
void quic_connection_desk_free(struct quic_connection_desk *desk);

/* Whether the datagram begins a connection; or, between the ends of one that is followed,
 * another. */
bool quic_connection_may_begin(
	struct quic_connection_desk *desk, const struct udp_datagram *datagram);
bool quic_connection_is_another(struct quic_connection_desk *desk,
	const struct flow *flow, enum exchange_side sender,
	const struct udp_datagram *datagram);

/* Puts a new entry into its first state, before its first datagram. */
void quic_connection_begin(struct flow *flow);
void quic_connection_datagram(struct connection_world *world,
	struct quic_connection_desk *desk, struct flow *flow, enum exchange_side sender,
	const struct udp_datagram *datagram, struct moment at);
/* Somebody on the way says that a datagram of the client's, of which this is the
 * beginning, cannot arrive: believed when that calls the server by the name that the
 * client uses. */
void quic_connection_refuse(struct connection_world *world, struct flow *flow,
	struct cursor quoted, struct moment at);
void quic_connection_end(
	struct connection_world *world, struct flow *flow, struct moment at);
void quic_connection_time_out(struct connection_world *world, struct flow *flow);

#endif
