#include "icmp_quote.h"

#include "astray/status.h"

#define UNREACHABLE_V4 3
#define UNREACHABLE_V6 1

#define TCP 6
#define UDP 17
#define UDP_HEADER_LEN 8

/* Bits of those codes after which a host gives up, as Linux does; the others say that
 * there is no way now: the network or host may come back, and packets are sent again. */
#define FINAL_V4                                                                \
	(1u << 2 | 1u << 3 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 | \
		1u << 13 | 1u << 14 | 1u << 15)
#define FINAL_V6 (1u << 1 | 1u << 4 | 1u << 5 | 1u << 6)

static bool is_final(uint8_t protocol, uint8_t code)
{
	unsigned codes = protocol == ICMP_QUOTE_V4 ? FINAL_V4 : FINAL_V6;

	return code < 16 && (codes >> code & 1u);
}

/* Extensions stand behind the quote where the message says how long that is, in words of
 * the family's own length. */
static struct cursor take_quote(struct cursor *cur, uint8_t protocol)
{
	const uint8_t *unused = cursor_take(cur, 4);
	size_t len = 0;

	if (unused)
		len = protocol == ICMP_QUOTE_V4 ? unused[1] * 4u : unused[0] * 8u;
	if (len == 0 || len > cursor_left(cur))
		len = cursor_left(cur);
	return cursor_take_sub(cur, len);
}

static int read_transport(struct icmp_quote *out)
{
	struct cursor cur = out->packet.payload;
	uint32_t len;

	out->source_port = cursor_take_u16(&cur);
	out->destination_port = cursor_take_u16(&cur);
	out->seq = 0;
	out->data = cursor_over(NULL, 0);
	out->data_len = 0;
	if (out->packet.protocol == TCP) {
		out->seq = cursor_take_u32(&cur);
		return cur.short_read ? STATUS_SHORT : 0;
	}
	len = cursor_take_u16(&cur);
	cursor_skip(&cur, 2);
	if (cur.short_read)
		return STATUS_SHORT;
	if (len < UDP_HEADER_LEN || len > out->packet.payload_len)
		return STATUS_SYNTAX;
	out->data_len = len - UDP_HEADER_LEN;
	out->data = cursor_over(cur.at,
		cursor_left(&cur) < out->data_len ? cursor_left(&cur) : out->data_len);
	return 0;
}

int icmp_quote_read(struct icmp_quote *out, const struct ip_packet *ip)
{
	uint8_t want = ip->protocol == ICMP_QUOTE_V4 ? UNREACHABLE_V4 : UNREACHABLE_V6;
	struct cursor cur = ip->payload;
	uint8_t type = cursor_take_u8(&cur), code = cursor_take_u8(&cur);
	struct cursor quote;
	int rc;

	cursor_skip(&cur, 2); /* a checksum: anybody can make one that is right */
	if (cur.short_read)
		return STATUS_SHORT;
	if (type != want)
		return STATUS_UNKNOWN;
	out->final = is_final(ip->protocol, code);
	quote = take_quote(&cur, ip->protocol);
	if (cur.short_read)
		return STATUS_SHORT;
	rc = ip_layer_read(&out->packet, quote, (uint32_t)cursor_left(&quote));
	if (rc)
		return rc;
	if (!address_equal(&out->packet.source, &ip->destination))
		return STATUS_SYNTAX;
	if ((out->packet.protocol != TCP && out->packet.protocol != UDP) ||
		(out->packet.is_fragment && out->packet.part_at > 0))
		return STATUS_UNKNOWN;
	return read_transport(out);
}
