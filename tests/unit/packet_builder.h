/*
 * Frames made in memory, for tests: Ethernet, IPv4 or IPv6, TCP. A struct dialogue is one
 * connection whose two ends keep their numbers, so that a test reads like a conversation.
 */
#ifndef TEST_PACKET_BUILDER_H
#define TEST_PACKET_BUILDER_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "astray/address.h"
#include "astray/moment.h"
#include "exchange.h"
#include "tcp_segment.h"

#define PACKET_MAX 9000
#define PACKET_ETHERNET 14

struct packet {
	struct moment at;
	uint32_t len;      /* as sent */
	uint32_t captured; /* at most len */
	uint8_t bytes[PACKET_MAX];
};

struct dialogue {
	struct address address[2]; /* by enum exchange_side */
	uint16_t port[2];
	uint32_t next[2]; /* sequence numbers */
	uint16_t id[2];
	struct moment now;
	void (*send)(void *arg, const struct packet *packet);
	void *arg;
};

static inline void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value & 0xffff);
}

static inline size_t put_ip(uint8_t *at, const struct address *from,
	const struct address *to, uint16_t id, size_t tcp_len)
{
	if (from->family == 6) {
		memset(at, 0, 40);
		at[0] = 0x60;
		put_u16(at + 4, (unsigned)tcp_len);
		at[6] = 6;
		at[7] = 64;
		memcpy(at + 8, from->bytes, 16);
		memcpy(at + 24, to->bytes, 16);
		return 40;
	}
	memset(at, 0, 20);
	at[0] = 0x45;
	put_u16(at + 2, (unsigned)tcp_len + 20);
	put_u16(at + 4, id);
	at[6] = 0x40;
	at[8] = 64;
	at[9] = 6;
	memcpy(at + 12, from->bytes, 4);
	memcpy(at + 16, to->bytes, 4);
	return 20;
}

static inline void put_tcp(uint8_t *at, uint16_t from, uint16_t to, uint32_t seq,
	uint32_t ack, uint8_t flags)
{
	memset(at, 0, 20);
	put_u16(at, from);
	put_u16(at + 2, to);
	put_u32(at + 4, seq);
	put_u32(at + 8, ack);
	at[12] = 0x50;
	at[13] = flags;
	put_u16(at + 14, 65535);
}

/* One segment of the dialogue with given numbers; the ends' own do not move. */
static inline struct packet dialogue_packet(struct dialogue *dialogue,
	enum exchange_side side, uint32_t seq, uint32_t ack, uint8_t flags,
	const void *data, size_t len)
{
	enum exchange_side peer =
		side == EXCHANGE_CLIENT ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
	bool v6 = dialogue->address[side].family == 6;
	struct packet packet = {.at = dialogue->now};
	uint8_t *ip = packet.bytes + PACKET_ETHERNET;
	size_t ip_len;

	assert(len + 100 < PACKET_MAX);
	put_u16(packet.bytes + 12, v6 ? 0x86dd : 0x0800);
	ip_len = put_ip(ip, &dialogue->address[side], &dialogue->address[peer],
		++dialogue->id[side], 20 + len);
	put_tcp(ip + ip_len, dialogue->port[side], dialogue->port[peer], seq, ack, flags);
	if (len)
		memcpy(ip + ip_len + 20, data, len);
	packet.len = packet.captured = (uint32_t)(PACKET_ETHERNET + ip_len + 20 + len);
	return packet;
}

static inline void dialogue_segment(struct dialogue *dialogue, enum exchange_side side,
	uint8_t flags, const void *data, size_t len)
{
	enum exchange_side peer =
		side == EXCHANGE_CLIENT ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
	struct packet packet = dialogue_packet(dialogue, side, dialogue->next[side],
		dialogue->next[peer], flags, data, len);

	dialogue->next[side] += (uint32_t)len;
	if (flags & (TCP_SEGMENT_SYN | TCP_SEGMENT_FIN))
		dialogue->next[side]++;
	dialogue->send(dialogue->arg, &packet);
}

static inline void dialogue_wait(struct dialogue *dialogue, int64_t us)
{
	dialogue->now = moment_plus_us(dialogue->now, us);
}

static inline void dialogue_say(
	struct dialogue *dialogue, enum exchange_side side, const void *data, size_t len)
{
	dialogue_segment(dialogue, side, TCP_SEGMENT_ACK, data, len);
}

static inline void dialogue_text(
	struct dialogue *dialogue, enum exchange_side side, const char *text)
{
	dialogue_say(dialogue, side, text, strlen(text));
}

/* SYN, SYN-ACK after connect_us, ACK after as much again. */
static inline void dialogue_open(struct dialogue *dialogue, int64_t connect_us)
{
	dialogue_segment(dialogue, EXCHANGE_CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	dialogue_wait(dialogue, connect_us);
	dialogue_segment(
		dialogue, EXCHANGE_SERVER, TCP_SEGMENT_SYN | TCP_SEGMENT_ACK, NULL, 0);
	dialogue_wait(dialogue, connect_us);
	dialogue_segment(dialogue, EXCHANGE_CLIENT, TCP_SEGMENT_ACK, NULL, 0);
}

static inline void dialogue_close(struct dialogue *dialogue)
{
	dialogue_segment(
		dialogue, EXCHANGE_CLIENT, TCP_SEGMENT_FIN | TCP_SEGMENT_ACK, NULL, 0);
	dialogue_segment(
		dialogue, EXCHANGE_SERVER, TCP_SEGMENT_FIN | TCP_SEGMENT_ACK, NULL, 0);
	dialogue_segment(dialogue, EXCHANGE_CLIENT, TCP_SEGMENT_ACK, NULL, 0);
}

static inline struct dialogue dialogue_between(const char *client, uint16_t client_port,
	const char *server, uint16_t server_port)
{
	struct dialogue dialogue = {.port = {client_port, server_port},
		.next = {0xfffffff0u, 0x10u}, /* the client's numbers wrap soon */
		.id = {client_port, server_port},
		.now = {INT64_C(1590854700000000)}};

	(void)address_parse(&dialogue.address[EXCHANGE_CLIENT], client);
	(void)address_parse(&dialogue.address[EXCHANGE_SERVER], server);
	return dialogue;
}

#endif
