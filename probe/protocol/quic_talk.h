/*
 * One QUIC connection as far as it shows without its keys: the name that the client asks
 * for (its Initial packets are opened with the keys that anybody can make), how the
 * handshake goes, and, from the sizes of datagrams alone, whose turn it is to speak.
 *
 * The handshake is over with the client's first packet of application data. From then on
 * a datagram too large to hold nothing but acknowledgements begins a request when the
 * server has spoken since, and the first such datagram of the server is its answer
 * (turns.h): an estimate, and told as such by whoever keeps the accounts. Several
 * requests at one time are seen as one. Pure; fixed size. Source: RFC 9000, RFC 9001.
 */
#ifndef PROTOCOL_QUIC_TALK_H
#define PROTOCOL_QUIC_TALK_H

#include "exchange.h"
#include "quic_crypt.h"
#include "quic_hello.h"
#include "spin_bit.h"
#include "turns.h"

struct quic_talk {
	uint32_t version;
	struct quic_packet_id id; /* that the keys are made of */
	struct quic_hello hello;
	struct spin_bit spin;
	struct turns turns;
	struct moment began;
	uint16_t largest[2]; /* datagrams, by enum exchange_side */
	uint8_t id_len[2];   /* of what that side wants to be called */
	uint8_t opened;      /* server packets that were opened */
	bool named;          /* the host was told, or will not be known */
	bool answered;       /* the server has spoken */
	bool confirmed;      /* and the client since */
	bool established;    /* application data has come from the client */
	bool foreign;        /* the server does not speak the client's version */
};

/* What a datagram changed. */
struct quic_talk_news {
	bool repeated;    /* a client that waits says its hello again */
	bool answered;    /* the server's first */
	bool confirmed;   /* the client's first after that */
	bool established; /* the handshake is over */
	bool refused;     /* the server has ended it before it began */
	int64_t rtt_us;   /* by the spin bit; negative: none */
};

/* Whether a datagram begins a connection: 1200 bytes or more of a client's Initial packet
 * which, in the versions that are known, opens with its own keys; plain has room for the
 * datagram. */
bool quic_talk_may_begin(
	struct quic_crypt *crypt, uint8_t *plain, struct cursor datagram, uint32_t len);

void quic_talk_init(struct quic_talk *talk);
/* Gives its buffer back. */
void quic_talk_drop(struct quic_talk *talk, const struct exchange_sink *sink);

struct quic_talk_scene {
	struct quic_crypt *crypt;
	uint8_t *plain; /* room for any datagram */
	const struct exchange_sink *sink;
	int64_t least_rtt_us; /* negative: not known */
};

/* One datagram: what was captured of len bytes. */
void quic_talk_datagram(struct quic_talk *talk, const struct quic_talk_scene *scene,
	struct quic_talk_news *news, enum exchange_side side, struct cursor datagram,
	uint32_t len, struct moment at);
/* Whether the client may have sent what begins so, by the id that its keys are made of.
 */
bool quic_talk_sent(const struct quic_talk *talk, struct cursor quoted);
/* Nothing more will come. */
void quic_talk_end(struct quic_talk *talk, const struct exchange_sink *sink);
/* Whether a client's datagram begins another connection between the same two ends. */
bool quic_talk_is_another(const struct quic_talk *talk, struct quic_crypt *crypt,
	uint8_t *plain, struct cursor datagram, uint32_t len);

#endif
