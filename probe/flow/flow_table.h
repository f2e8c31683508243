/*
 * The connections that are being followed: a hash table of fixed memory. Each connection
 * is in one of four lists, from the oldest to the latest: half open (a SYN without an
 * answer), young (the server has said nothing yet), open, and closed (kept to recognise
 * stragglers). Who is new takes the place of the oldest closed one; when there is none,
 * of the oldest half open or young one, if these hold more than their share, else of the
 * oldest open one: floods of SYNs, of packets without a connection and of handshakes that
 * lead nowhere push out only themselves.
 */
#ifndef FLOW_FLOW_TABLE_H
#define FLOW_FLOW_TABLE_H

#include "astray/address.h"
#include "conversation.h"
#include "quic_talk.h"
#include "round_trip.h"
#include "tcp_order.h"

/* Both directions of a connection have one key: the lower end stands first. */
struct flow_key {
	struct address low, high;
	uint16_t low_port, high_port;
	uint16_t protocol; /* of the transport header */
};

enum flow_protocol { FLOW_TCP = 6, FLOW_UDP = 17 };

enum flow_list { FLOW_HALF_OPEN, FLOW_YOUNG, FLOW_OPEN, FLOW_CLOSED, FLOW_LISTS };

/* What was counted before the connection's service was known. */
struct flow_held {
	uint32_t sent_bytes, received_bytes;
	uint32_t connect_us, client_connect_us; /* UINT32_MAX: none */
	uint16_t retransmits, lost_packets;
	uint8_t event_count;
	uint8_t events[EXCHANGE_EVENTS_AHEAD]; /* enum exchange_event, and with what */
	uint32_t values_us[EXCHANGE_EVENTS_AHEAD];
};

struct flow {
	struct flow_key key;
	uint32_t chain;        /* the next in its bucket */
	uint32_t older, newer; /* in its list */
	uint32_t held;         /* cell with a struct flow_held, or SLAB_NONE */
	struct moment last;    /* packet, as far as the list needs to know */
	struct moment shaken;  /* the handshake's latest: SYN, then SYN-ACK */
	uint32_t client_start; /* sequence number of the SYN, seen or acknowledged */
	int16_t service;       /* SERVICE_NAMING_UNKNOWN until the connection's name is */
	uint8_t syn_tries, syn_ack_tries;
	uint8_t list;
	bool client_is_low : 1;
	bool connected : 1;    /* the SYN was answered */
	bool timed_out : 1;    /* told already */
	bool acknowledged : 1; /* the client has answered the SYN-ACK */
	bool in_turn : 1;      /* its service is that of the latest request */
	uint32_t holes; /* TCP: cell with two struct tcp_order_hole, or SLAB_NONE */
	struct round_trip trip;
	union {
		struct {                            /* TCP */
			struct tcp_order orders[2]; /* by enum exchange_side */
			struct conversation talk;
		};
		struct quic_talk quic; /* UDP */
	};
};

struct flow_table;

/* seed makes buckets unpredictable to those who choose addresses and ports. */
int flow_table_new(struct flow_table **out, uint32_t capacity, uint64_t seed);
void flow_table_free(struct flow_table *table);

/* Puts a packet's source and destination, as low and high, into their order; true when
 * the source is the lower end. */
bool flow_table_order(struct flow_key *key);
struct flow *flow_table_find(struct flow_table *table, const struct flow_key *key);
/* The flow whose place the next new one will take; NULL while there is room. Its owner
 * drops what it holds and calls flow_table_remove before flow_table_add. */
struct flow *flow_table_victim(struct flow_table *table);
/* A zeroed entry in the list; NULL when the table is full. */
struct flow *flow_table_add(struct flow_table *table, const struct flow_key *key,
	enum flow_list list, struct moment at);
void flow_table_remove(struct flow_table *table, struct flow *flow);
/* Makes it the latest of a list. */
void flow_table_move(struct flow_table *table, struct flow *flow, enum flow_list list,
	struct moment at);
/* It was seen: cheap, and as exact as eviction needs. */
static inline void flow_table_touch(
	struct flow_table *table, struct flow *flow, struct moment at)
{
	if (moment_since_us(at, flow->last) > MOMENT_SECOND_US)
		flow_table_move(table, flow, (enum flow_list)flow->list, at);
}
/* Which of its entries it is. */
uint32_t flow_table_number(const struct flow_table *table, const struct flow *flow);
struct flow *flow_table_oldest(struct flow_table *table, enum flow_list list);
uint32_t flow_table_count(const struct flow_table *table, enum flow_list list);

#endif
