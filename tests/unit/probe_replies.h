/*
 * Replies made from the very packets that a trace sends, for tests: ICMP errors that
 * quote them, echo replies, SYN-ACKs; each as a raw socket hands it over.
 */
#ifndef TEST_PROBE_REPLIES_H
#define TEST_PROBE_REPLIES_H

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "astray/address.h"
#include "internet_checksum.h"
#include "probe_packet.h"
#include "reply_packet.h"

#define REPLY_MAX 1500

struct reply_bytes {
	struct address from;
	uint8_t protocol;  /* of what follows the IP header */
	size_t header_len; /* 20 with IPv4, 0 with IPv6 */
	size_t len;
	uint8_t bytes[REPLY_MAX];
};

static inline struct address test_address(const char *text)
{
	struct address address;

	(void)address_parse(&address, text);
	return address;
}

static inline struct probe_flow test_flow(enum obs_protocol protocol, unsigned family)
{
	return (struct probe_flow){
		.from = test_address(family == 6 ? "2001:db8::1" : "198.51.100.1"),
		.to = test_address(family == 6 ? "2001:db8:1::99" : "203.0.113.9"),
		.protocol = protocol,
		.from_port = 61003,
		.to_port = protocol == OBS_ICMP ? 33437 : 443,
		.cookie = protocol == OBS_TCP ? 0xbeef : 0};
}

static inline void reply_put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void reply_begin(struct reply_bytes *reply, const struct address *from,
	const struct address *to, uint8_t protocol, size_t len)
{
	memset(reply, 0, sizeof(*reply));
	reply->from = *from;
	reply->protocol = protocol;
	reply->header_len = from->family == 4 ? 20 : 0;
	reply->len = reply->header_len + len;
	if (from->family == 6)
		return;
	reply->bytes[0] = 0x45;
	reply_put_u16(reply->bytes + 2, (unsigned)reply->len);
	reply->bytes[8] = 64;
	reply->bytes[9] = protocol;
	memcpy(reply->bytes + 12, from->bytes, 4);
	memcpy(reply->bytes + 16, to->bytes, 4);
}

/* Makes the checksum of an ICMP message right again. */
static inline void reply_seal(struct reply_bytes *reply, const struct address *to)
{
	uint8_t *icmp = reply->bytes + reply->header_len;
	size_t len = reply->len - reply->header_len;
	uint32_t sum = 0;

	if (reply->from.family == 6)
		sum = internet_checksum_add_pseudo(
			sum, &reply->from, to, IPPROTO_ICMPV6, len);
	icmp[2] = icmp[3] = 0;
	reply_put_u16(icmp + 2,
		(uint16_t)~internet_checksum_fold(internet_checksum_add(sum, icmp, len)));
}

/* An ICMP error from a router that quotes quoted_len bytes (and zeros to fill up). */
static inline struct reply_bytes reply_error(const struct probe_flow *flow,
	const struct address *router, uint8_t type, uint8_t code, uint16_t id,
	size_t quoted_len)
{
	uint8_t packet[PROBE_PACKET_MAX] = {0};
	size_t len = probe_packet_build(packet, flow, 1, id);
	struct reply_bytes reply;
	uint8_t *icmp;

	reply_begin(&reply, router, &flow->from,
		router->family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 8 + quoted_len);
	icmp = reply.bytes + reply.header_len;
	icmp[0] = type;
	icmp[1] = code;
	memcpy(icmp + 8, packet, len < quoted_len ? len : quoted_len);
	reply_seal(&reply, &flow->from);
	return reply;
}

static inline struct reply_bytes reply_expired(
	const struct probe_flow *flow, const struct address *router, uint16_t id)
{
	bool v6 = flow->to.family == 6;

	return reply_error(flow, router, v6 ? 3 : 11, 0, id, v6 ? 48 : 28);
}

/* What the destination itself answers: an echo reply, a SYN-ACK or RST, or that the port
 * is closed. */
static inline struct reply_bytes reply_arrival(
	const struct probe_flow *flow, uint16_t id, uint8_t tcp_flags)
{
	bool v6 = flow->to.family == 6;
	struct reply_bytes reply;
	uint8_t packet[PROBE_PACKET_MAX], *at;
	size_t header_len = v6 ? 40 : 20;
	size_t len = probe_packet_build(packet, flow, 1, id);

	if (flow->protocol == OBS_UDP)
		return reply_error(flow, &flow->to, v6 ? 1 : 3, v6 ? 4 : 3, id, len);
	if (flow->protocol == OBS_ICMP) {
		reply_begin(&reply, &flow->to, &flow->from,
			v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, len - header_len);
		at = reply.bytes + reply.header_len;
		memcpy(at, packet + header_len, len - header_len);
		at[0] = v6 ? 129 : 0;
		reply_seal(&reply, &flow->from);
		return reply;
	}
	reply_begin(&reply, &flow->to, &flow->from, IPPROTO_TCP, 20);
	at = reply.bytes + reply.header_len;
	reply_put_u16(at, flow->to_port);
	reply_put_u16(at + 2, flow->from_port);
	reply_put_u16(at + 8, flow->cookie);
	reply_put_u16(at + 10, id + 1u); /* callers choose ids that do not carry */
	at[12] = 0x50;
	at[13] = tcp_flags;
	return reply;
}

/* What a service on the probed port says. */
static inline struct reply_bytes reply_datagram(
	const struct probe_flow *flow, const void *payload, size_t len)
{
	struct reply_bytes reply;
	uint8_t *at;

	reply_begin(&reply, &flow->to, &flow->from, IPPROTO_UDP, 8 + len);
	at = reply.bytes + reply.header_len;
	reply_put_u16(at, flow->to_port);
	reply_put_u16(at + 2, flow->from_port);
	reply_put_u16(at + 4, (unsigned)(8 + len));
	memcpy(at + 8, payload, len);
	return reply;
}

static inline int reply_read(struct reply_packet *out, const struct reply_bytes *reply)
{
	if (reply->from.family == 4)
		return reply_packet_read_v4(out, reply->bytes, reply->len);
	return reply_packet_read_v6(
		out, &reply->from, reply->protocol, reply->bytes, reply->len);
}

#endif
