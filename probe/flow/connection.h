/*
 * One TCP connection followed segment by segment: its handshake and how that fails, its
 * bytes put in order and handed to the conversation, what is sent again, what is lost,
 * how it ends. Pure: told in the ledger, at the time of the packet.
 *
 * connect_us runs from SYN to SYN-ACK, client_connect_us from SYN-ACK to the client's
 * answer, neither when one of them was sent twice. Refused: a RST answers the SYN, or
 * an ICMP message about that very SYN says no (icmp_quote.h). Timed out: the SYN is sent
 * a third time, or nothing more comes of it for CONNECTION_ANSWER_US. Reset: RST, or the
 * server's FIN, while a request waits for its answer.
 */
#ifndef FLOW_CONNECTION_H
#define FLOW_CONNECTION_H

#include "copy_table.h"
#include "flow_table.h"
#include "ledger.h"
#include "tcp_segment.h"

#define CONNECTION_ANSWER_US (5 * MOMENT_SECOND_US)

struct connection_world {
	struct flow_table *table;
	struct ledger *ledger;
	struct copy_table *copies;
	struct exchange_sink sink; /* of the ledger, with the buffers */
};

/* Puts a new entry into its first state, before its first segment. */
void connection_begin(struct flow *flow, bool mid_stream);
void connection_segment(struct connection_world *world, struct flow *flow,
	enum exchange_side sender, const struct tcp_segment *segment, struct moment at);
/* Its entry is wanted for another: what can be said is said, buffers are given back. */
void connection_end(struct connection_world *world, struct flow *flow, struct moment at);
/* Somebody on the way says that a segment of the client's cannot arrive: believed of a
 * SYN whose number it knows. */
void connection_refuse(struct connection_world *world, struct flow *flow, uint32_t seq,
	struct moment at);
/* A half open connection whose SYN nobody answered in time. */
void connection_time_out(struct connection_world *world, struct flow *flow);

#endif
