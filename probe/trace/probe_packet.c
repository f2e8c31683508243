#include "probe_packet.h"

#include <netinet/in.h>
#include <string.h>

#include "internet_checksum.h"
#include "syn_mark.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define UDP_PAYLOAD 4
#define ICMP_LEN 12 /* the header, and four bytes of payload */
#define TCP_LEN 24  /* the header, and the MSS option: bare SYNs are dropped by some */
#define DONT_FRAGMENT 0x40

/* Which addresses the root has: none, so the answer is short, whoever gives it. */
static const uint8_t dns_question[] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1};

static void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_ipv4(uint8_t *at, const struct probe_flow *flow, uint8_t protocol,
	uint8_t ttl, uint16_t id, size_t payload_len, size_t padding)
{
	memset(at, 0, IPV4_HEADER);
	at[0] = 0x45;
	put_u16(at + 2, (unsigned)(IPV4_HEADER + payload_len + padding));
	put_u16(at + 4, id);
	at[6] = padding ? DONT_FRAGMENT : 0;
	at[8] = ttl;
	at[9] = protocol;
	memcpy(at + 12, flow->from.bytes, 4);
	memcpy(at + 16, flow->to.bytes, 4);
}

/* The flow label stays 0: some routers choose by it. */
static void put_ipv6(uint8_t *at, const struct probe_flow *flow, uint8_t protocol,
	uint8_t ttl, size_t payload_len)
{
	memset(at, 0, 8);
	at[0] = 0x60;
	put_u16(at + 4, (unsigned)payload_len);
	at[6] = protocol;
	at[7] = ttl;
	memcpy(at + 8, flow->from.bytes, 16);
	memcpy(at + 24, flow->to.bytes, 16);
}

/* What is still to be added for the sum to be right; zeros behind add only to the length.
 */
static uint16_t lacking(const struct probe_flow *flow, uint8_t protocol,
	const uint8_t *at, size_t len, size_t padding)
{
	uint32_t sum = internet_checksum_add(0, at, len);

	if (protocol != IPPROTO_ICMP)
		sum = internet_checksum_add_pseudo(
			sum, &flow->from, &flow->to, protocol, len + padding);
	return (uint16_t)~internet_checksum_fold(sum);
}

static bool asks_dns(const struct probe_flow *flow)
{
	return flow->protocol == OBS_UDP && flow->to_port == PROBE_PACKET_DNS_PORT;
}

static size_t udp_payload_len(const struct probe_flow *flow)
{
	return asks_dns(flow) ? sizeof(dns_question) : UDP_PAYLOAD;
}

size_t probe_packet_payload(uint8_t payload[static PROBE_PACKET_MAX],
	const struct probe_flow *flow, uint16_t id)
{
	if (asks_dns(flow))
		memcpy(payload, dns_question, sizeof(dns_question));
	else
		put_u16(payload + 2, flow->cookie);
	put_u16(payload, id);
	return udp_payload_len(flow);
}

/* All but the two bytes of payload that make the checksum right. */
static size_t put_udp_header(
	uint8_t *at, const struct probe_flow *flow, uint16_t id, size_t padding)
{
	size_t len = UDP_HEADER + udp_payload_len(flow);

	memset(at, 0, len);
	put_u16(at, flow->from_port);
	put_u16(at + 2, flow->to_port);
	put_u16(at + 4, (unsigned)(len + padding));
	put_u16(at + 6, id);
	if (asks_dns(flow))
		memcpy(at + UDP_HEADER, dns_question, sizeof(dns_question));
	return len;
}

static size_t put_udp(
	uint8_t *at, const struct probe_flow *flow, uint16_t id, size_t padding)
{
	size_t len = put_udp_header(at, flow, id, padding);

	put_u16(at + UDP_HEADER, lacking(flow, IPPROTO_UDP, at, len, padding));
	return len;
}

uint16_t probe_packet_id_of_number(const struct probe_flow *flow, uint16_t number)
{
	uint8_t packet[PROBE_PACKET_MAX];
	size_t len = put_udp_header(packet, flow, 0, 0);

	/* The checksum and the number make up for each other. */
	put_u16(packet + UDP_HEADER, number);
	return lacking(flow, IPPROTO_UDP, packet, len, 0);
}

static void put_icmp(uint8_t *at, const struct probe_flow *flow, uint8_t protocol,
	uint16_t id, size_t padding)
{
	memset(at, 0, ICMP_LEN);
	at[0] = protocol == IPPROTO_ICMP ? 8 : 128;
	put_u16(at + 2, flow->to_port);
	put_u16(at + 4, flow->from_port);
	put_u16(at + 6, id);
	put_u16(at + 8, lacking(flow, protocol, at, ICMP_LEN, padding));
}

static void put_tcp(
	uint8_t *at, const struct probe_flow *flow, uint16_t id, size_t padding)
{
	static const uint8_t mss_1460[] = {2, 4, 0x05, 0xb4};

	memset(at, 0, TCP_LEN);
	put_u16(at, flow->from_port);
	put_u16(at + 2, flow->to_port);
	put_u16(at + 4, flow->cookie);
	put_u16(at + 6, id);
	at[12] = (TCP_LEN / 4) << 4;
	at[13] = 0x02; /* SYN */
	put_u16(at + 14, SYN_MARK_WINDOW);
	memcpy(at + 20, mss_1460, sizeof(mss_1460));
	put_u16(at + 16, lacking(flow, IPPROTO_TCP, at, TCP_LEN, padding));
}

static uint8_t ip_protocol(const struct probe_flow *flow)
{
	switch (flow->protocol) {
	case OBS_TCP:
		return IPPROTO_TCP;
	case OBS_UDP:
		return IPPROTO_UDP;
	case OBS_ICMP:
		break;
	}
	return flow->to.family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static size_t put_transport(uint8_t *at, const struct probe_flow *flow, uint8_t protocol,
	uint16_t id, size_t padding)
{
	switch (flow->protocol) {
	case OBS_TCP:
		put_tcp(at, flow, id, padding);
		return TCP_LEN;
	case OBS_UDP:
		return put_udp(at, flow, id, padding);
	case OBS_ICMP:
		break;
	}
	put_icmp(at, flow, protocol, id, padding);
	return ICMP_LEN;
}

size_t probe_packet_build_padded(uint8_t packet[static PROBE_PACKET_MAX],
	const struct probe_flow *flow, uint8_t ttl, uint16_t id, size_t padding)
{
	bool v6 = flow->to.family == 6;
	size_t header_len = v6 ? IPV6_HEADER : IPV4_HEADER;
	uint8_t protocol = ip_protocol(flow);
	size_t len = put_transport(packet + header_len, flow, protocol, id, padding);

	if (v6)
		put_ipv6(packet, flow, protocol, ttl, len + padding);
	else
		put_ipv4(packet, flow, protocol, ttl, id, len, padding);
	return header_len + len;
}

size_t probe_packet_build(uint8_t packet[static PROBE_PACKET_MAX],
	const struct probe_flow *flow, uint8_t ttl, uint16_t id)
{
	return probe_packet_build_padded(packet, flow, ttl, id, 0);
}

size_t probe_packet_len(const struct probe_flow *flow)
{
	size_t header_len = flow->to.family == 6 ? IPV6_HEADER : IPV4_HEADER;

	switch (flow->protocol) {
	case OBS_TCP:
		return header_len + TCP_LEN;
	case OBS_UDP:
		return header_len + UDP_HEADER + udp_payload_len(flow);
	case OBS_ICMP:
		break;
	}
	return header_len + ICMP_LEN;
}
