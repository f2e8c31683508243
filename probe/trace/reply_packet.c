#include "reply_packet.h"

#include <netinet/in.h>

#include "astray/cursor.h"
#include "astray/status.h"
#include "icmp_extension.h"
#include "internet_checksum.h"

#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* The numbers in which ICMP and ICMPv6 differ. */
struct icmp_dialect {
	uint8_t echo_request, echo_reply, unreachable, expired;
	const enum obs_unreachable *whys; /* by the code of unreachable */
	uint8_t why_count;
	uint8_t protocol;
	unsigned quote_unit; /* RFC 4884: the quote's length is counted in these */
	unsigned quote_byte; /* where in the header, from the fifth byte on */
};

/* RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1 */
static const enum obs_unreachable whys_v4[] = {OBS_NETWORK, OBS_HOST, OBS_NO_PROTOCOL,
	OBS_NO_PORT, OBS_FRAGMENTATION, OBS_OTHER_REASON, OBS_NETWORK, OBS_HOST,
	OBS_OTHER_REASON, OBS_PROHIBITED, OBS_PROHIBITED, OBS_NETWORK, OBS_HOST,
	OBS_PROHIBITED, OBS_PROHIBITED, OBS_PROHIBITED};
/* RFC 4443 3.1 */
static const enum obs_unreachable whys_v6[] = {OBS_NETWORK, OBS_PROHIBITED,
	OBS_OTHER_REASON, OBS_HOST, OBS_NO_PORT, OBS_PROHIBITED, OBS_PROHIBITED};

static const struct icmp_dialect icmp_v4 = {.echo_request = 8,
	.echo_reply = 0,
	.unreachable = 3,
	.expired = 11,
	.whys = whys_v4,
	.why_count = sizeof(whys_v4) / sizeof(whys_v4[0]),
	.protocol = IPPROTO_ICMP,
	.quote_unit = 4,
	.quote_byte = 1};

static const struct icmp_dialect icmp_v6 = {.echo_request = 128,
	.echo_reply = 129,
	.unreachable = 1,
	.expired = 3,
	.whys = whys_v6,
	.why_count = sizeof(whys_v6) / sizeof(whys_v6[0]),
	.protocol = IPPROTO_ICMPV6,
	.quote_unit = 8,
	.quote_byte = 0};

#define V6_TOO_BIG 2

static int read_quoted_icmp(
	struct reply_packet *out, const struct icmp_dialect *dialect, struct cursor *cur)
{
	uint8_t type = cursor_take_u8(cur), code = cursor_take_u8(cur);

	out->protocol = OBS_ICMP;
	out->to_port = cursor_take_u16(cur);
	out->from_port = cursor_take_u16(cur);
	out->id = cursor_take_u16(cur);
	return type == dialect->echo_request && code == 0 ? 0 : STATUS_NOT_OURS;
}

static int read_quoted_ports(
	struct reply_packet *out, uint8_t protocol, struct cursor *cur)
{
	out->from_port = cursor_take_u16(cur);
	out->to_port = cursor_take_u16(cur);
	out->cookie = cursor_take_u16(cur); /* UDP: its length, which tells nothing */
	out->id = cursor_take_u16(cur);
	if (protocol == IPPROTO_UDP) {
		out->cookie = 0;
		if (cursor_left(cur) >= 2)
			out->quoted_number = cursor_take_u16(cur);
	}
	out->protocol = protocol == IPPROTO_TCP ? OBS_TCP : OBS_UDP;
	return 0;
}

static int read_quoted_transport(struct reply_packet *out,
	const struct icmp_dialect *dialect, uint8_t protocol, struct cursor *cur)
{
	int rc;

	if (protocol == dialect->protocol)
		rc = read_quoted_icmp(out, dialect, cur);
	else if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		rc = read_quoted_ports(out, protocol, cur);
	else
		rc = STATUS_NOT_OURS;
	return cur->short_read ? STATUS_SHORT : rc;
}

/* What is read of an IP header, one's own or a quoted one. */
struct ip_header {
	uint8_t protocol, ttl, tos;
	uint16_t id; /* 0 with IPv6 */
	struct address from, to;
};

/* The cursor is moved behind it. */
static int read_ipv4(struct cursor *cur, struct ip_header *out)
{
	const uint8_t *header = cursor_take(cur, 20);
	unsigned header_len;

	if (!header)
		return STATUS_SHORT;
	header_len = (header[0] & 0xfu) * 4;
	/* A fragment behind the first holds no transport header. */
	if (header[0] >> 4 != 4 || header_len < 20 || (header[6] & 0x1f) || header[7])
		return STATUS_NOT_OURS;
	*out = (struct ip_header){.protocol = header[9],
		.ttl = header[8],
		.tos = header[1],
		.id = (uint16_t)(header[4] << 8 | header[5]),
		.from = address_v4(header + 12),
		.to = address_v4(header + 16)};
	cursor_skip(cur, header_len - 20);
	return cur->short_read ? STATUS_SHORT : 0;
}

/* No probe has extension headers, so no quote of one has. */
static int read_ipv6(struct cursor *cur, struct ip_header *out)
{
	const uint8_t *header = cursor_take(cur, 40);

	if (!header)
		return STATUS_SHORT;
	if (header[0] >> 4 != 6)
		return STATUS_NOT_OURS;
	*out = (struct ip_header){.protocol = header[6],
		.ttl = header[7],
		.tos = (uint8_t)(header[0] << 4 | header[1] >> 4),
		.from = address_v6(header + 8),
		.to = address_v6(header + 24)};
	return 0;
}

static int read_quote(
	struct reply_packet *out, const struct icmp_dialect *dialect, struct cursor cur)
{
	struct ip_header quoted;
	int rc =
		dialect == &icmp_v4 ? read_ipv4(&cur, &quoted) : read_ipv6(&cur, &quoted);

	if (rc)
		return rc;
	out->to = quoted.to;
	out->quoted_from = quoted.from;
	out->quoted_ttl = quoted.ttl;
	out->quoted_tos = quoted.tos;
	out->second_id = quoted.id;
	return read_quoted_transport(out, dialect, quoted.protocol, &cur);
}

/* A probe that came as far as its destination's host or port has arrived, refused or not.
 */
static void judge_unreachable(
	struct reply_packet *reply, const struct icmp_dialect *dialect, uint8_t code)
{
	enum obs_unreachable why =
		code < dialect->why_count ? dialect->whys[code] : OBS_OTHER_REASON;
	bool port = reply->protocol == OBS_UDP && why == OBS_NO_PORT;

	if (port || address_equal(&reply->from, &reply->to)) {
		reply->kind = REPLY_ARRIVED;
		return;
	}
	reply->kind = REPLY_UNREACHABLE;
	reply->why = why;
}

static uint16_t read_mtu(const struct icmp_dialect *dialect, const uint8_t rest[static 4])
{
	if (dialect == &icmp_v6 && (rest[0] || rest[1]))
		return UINT16_MAX;
	return (uint16_t)(rest[2] << 8 | rest[3]);
}

static bool is_too_big(const struct icmp_dialect *dialect, uint8_t type, uint8_t code)
{
	if (dialect == &icmp_v6)
		return type == V6_TOO_BIG;
	return type == dialect->unreachable && code < dialect->why_count &&
	       dialect->whys[code] == OBS_FRAGMENTATION;
}

static int judge(struct reply_packet *reply, const struct icmp_dialect *dialect,
	uint8_t type, uint8_t code, uint32_t mtu)
{
	if (is_too_big(dialect, type, code)) {
		reply->kind = REPLY_TOO_BIG;
		reply->mtu = mtu < UINT16_MAX ? (uint16_t)mtu : UINT16_MAX;
	} else if (type == dialect->expired && code == 0) {
		reply->kind = REPLY_EXPIRED;
	} else if (type == dialect->unreachable) {
		judge_unreachable(reply, dialect, code);
	} else {
		return STATUS_NOT_OURS; /* expired in reassembly (code 1), and others */
	}
	return 0;
}

static int read_error(struct reply_packet *out, const struct icmp_dialect *dialect,
	uint8_t type, uint8_t code, struct cursor *cur)
{
	const uint8_t *rest = cursor_take(cur, 4);
	int rc;

	if (!rest)
		return STATUS_SHORT;
	rc = read_quote(out, dialect, *cur);
	if (rc)
		return rc;
	if (!is_too_big(dialect, type, code))
		out->mpls_count =
			icmp_extension_read(out->mpls, cur->at, cursor_left(cur),
				(size_t)rest[dialect->quote_byte] * dialect->quote_unit);
	return judge(out, dialect, type, code, read_mtu(dialect, rest));
}

/* The checksum that the request had, which is its flow's mark: only the type differs. */
static uint16_t request_checksum(const struct icmp_dialect *dialect, uint16_t checksum)
{
	uint32_t sum = (uint16_t)~checksum;

	sum += (uint32_t)dialect->echo_request << 8;
	sum += (uint16_t) ~(dialect->echo_reply << 8);
	return (uint16_t)~internet_checksum_fold(sum);
}

static int read_echo_reply(struct reply_packet *out, const struct icmp_dialect *dialect,
	uint16_t checksum, struct cursor *cur)
{
	out->kind = REPLY_ARRIVED;
	out->to = out->from;
	out->protocol = OBS_ICMP;
	out->to_port = request_checksum(dialect, checksum);
	out->from_port = cursor_take_u16(cur);
	out->id = cursor_take_u16(cur);
	return cur->short_read ? STATUS_SHORT : 0;
}

static int read_icmp(
	struct reply_packet *out, const struct icmp_dialect *dialect, struct cursor *cur)
{
	uint8_t type = cursor_take_u8(cur), code = cursor_take_u8(cur);
	uint16_t checksum = cursor_take_u16(cur);

	if (cur->short_read)
		return STATUS_SHORT;
	if (type == dialect->echo_reply)
		return read_echo_reply(out, dialect, checksum, cur);
	if (type != dialect->expired && type != dialect->unreachable &&
		!is_too_big(dialect, type, code))
		return STATUS_NOT_OURS;
	return read_error(out, dialect, type, code, cur);
}

/* TCP's checksum stays unread: segments that never left the machine have none yet. */
static int read_tcp(struct reply_packet *out, struct cursor *cur)
{
	uint32_t probe_seq;
	uint8_t flags;

	out->kind = REPLY_ARRIVED;
	out->to = out->from;
	out->protocol = OBS_TCP;
	out->to_port = cursor_take_u16(cur);
	out->from_port = cursor_take_u16(cur);
	cursor_skip(cur, 4);
	probe_seq = cursor_take_u32(cur) - 1; /* a SYN counts as one byte */
	cursor_skip(cur, 1);
	flags = cursor_take_u8(cur);
	cursor_skip(cur, 6);
	if (cur->short_read)
		return STATUS_SHORT;
	out->cookie = (uint16_t)(probe_seq >> 16);
	out->id = (uint16_t)probe_seq;
	if (!(flags & TCP_ACK) || !(flags & (TCP_SYN | TCP_RST)))
		return STATUS_NOT_OURS;
	return 0;
}

#define DNS_HEADER 12
#define DNS_IS_ANSWER 0x8000

bool reply_packet_read_dns_number(
	uint16_t *number, uint16_t port, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	uint16_t first = cursor_take_u16(&cur), flags = cursor_take_u16(&cur);

	if (port != PROBE_PACKET_DNS_PORT || len < DNS_HEADER || !(flags & DNS_IS_ANSWER))
		return false;
	*number = first;
	return true;
}

/* Whatever it says: the destination's own port has spoken. UDP's checksum stays unread as
 * TCP's. */
static int read_udp(struct reply_packet *out, struct cursor *cur)
{
	out->kind = REPLY_ARRIVED;
	out->to = out->from;
	out->protocol = OBS_UDP;
	out->is_data = true;
	out->to_port = cursor_take_u16(cur);
	out->from_port = cursor_take_u16(cur);
	cursor_skip(cur, 4);
	if (cur->short_read)
		return STATUS_SHORT;
	(void)reply_packet_read_dns_number(
		&out->dns_number, out->to_port, cur->at, cursor_left(cur));
	return 0;
}

int reply_packet_read_v4(struct reply_packet *out, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	struct ip_header header;
	int rc;

	*out = (struct reply_packet){0};
	rc = read_ipv4(&cur, &header);
	if (rc)
		return rc;
	out->from = header.from;
	out->ttl = header.ttl;
	if (header.protocol == IPPROTO_TCP)
		return read_tcp(out, &cur);
	if (header.protocol == IPPROTO_UDP)
		return read_udp(out, &cur);
	if (header.protocol != IPPROTO_ICMP)
		return STATUS_NOT_OURS;
	/* Raw sockets are handed ICMP before the kernel has looked at it. */
	if (internet_checksum_fold(internet_checksum_add(0, cur.at, cursor_left(&cur))) !=
		0xffff)
		return STATUS_CORRUPT;
	return read_icmp(out, &icmp_v4, &cur);
}

int reply_packet_read_v6(struct reply_packet *out, const struct address *from,
	uint8_t protocol, const void *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);

	*out = (struct reply_packet){.from = *from};
	if (protocol == IPPROTO_TCP)
		return read_tcp(out, &cur);
	if (protocol == IPPROTO_UDP)
		return read_udp(out, &cur);
	if (protocol == IPPROTO_ICMPV6)
		return read_icmp(out, &icmp_v6, &cur);
	return STATUS_NOT_OURS;
}

/* ICMPv6's checksum counts addresses in: a translator makes another of it (RFC 1624), if
 * it did not choose its address so that it stays (RFC 6296). */
static bool is_translated_mark(
	const struct reply_packet *reply, const struct probe_flow *flow)
{
	uint32_t sum = (uint16_t)~flow->to_port;

	if (reply->protocol != OBS_ICMP || reply->quoted_from.family != 6)
		return false;
	for (unsigned i = 0; i < 16; i += 2)
		sum += (uint16_t) ~(flow->from.bytes[i] << 8 | flow->from.bytes[i + 1]);
	sum = internet_checksum_add(sum, reply->quoted_from.bytes, 16);
	return (reply->to_port ^ internet_checksum_fold(sum)) == 0xffff;
}

bool reply_packet_answers(
	const struct reply_packet *reply, const struct probe_flow *flow, bool numbered)
{
	/* UDP's checksum leaves no room for a cookie in a raw packet. */
	bool cookie = numbered && flow->protocol == OBS_TCP;

	return reply->protocol == flow->protocol && reply->from_port == flow->from_port &&
	       (reply->to_port == flow->to_port || is_translated_mark(reply, flow)) &&
	       (!cookie || reply->cookie == flow->cookie) &&
	       address_equal(&reply->to, &flow->to);
}

static uint16_t swapped(uint16_t value)
{
	return (uint16_t)(value << 8 | value >> 8);
}

bool reply_packet_is_translated(
	const struct reply_packet *reply, const struct probe_flow *flow)
{
	if (reply->quoted_from.family == 0)
		return false;
	if (!address_equal(&reply->quoted_from, &flow->from))
		return true;
	/* Old BSDs quote the identification in their own byte order. */
	return reply->second_id && reply->second_id != reply->id &&
	       swapped(reply->second_id) != reply->id;
}

int reply_packet_read_echo(struct reply_packet *out, const struct address *from,
	const void *bytes, size_t len)
{
	const struct icmp_dialect *dialect = from->family == 6 ? &icmp_v6 : &icmp_v4;
	struct cursor cur = cursor_over(bytes, len);
	uint8_t type = cursor_take_u8(&cur);
	uint16_t checksum;

	*out = (struct reply_packet){.from = *from};
	(void)cursor_take_u8(&cur);
	checksum = cursor_take_u16(&cur);
	if (cur.short_read)
		return STATUS_SHORT;
	if (type != dialect->echo_reply)
		return STATUS_NOT_OURS;
	return read_echo_reply(out, dialect, checksum, &cur);
}

int reply_packet_judge(
	struct reply_packet *reply, uint8_t type, uint8_t code, uint32_t mtu)
{
	return judge(reply, reply->to.family == 6 ? &icmp_v6 : &icmp_v4, type, code, mtu);
}
