#include "ip_layer.h"

#include "astray/status.h"

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60
#define MOBILITY 135

/* The payload as captured: no more than what IP declares. */
static struct cursor captured_part(struct cursor *cur, uint32_t declared_len)
{
	size_t left = cursor_left(cur);

	return cursor_over(cur->at, left < declared_len ? left : declared_len);
}

static int read_v4(struct ip_packet *out, struct cursor cur, uint32_t wire_len)
{
	unsigned header_len = (cursor_take_u8(&cur) & 0x0fu) * 4;
	uint32_t total_len, fragment;
	const uint8_t *addresses;

	cursor_skip(&cur, 1);
	total_len = cursor_take_u16(&cur);
	out->id = cursor_take_u16(&cur);
	fragment = cursor_take_u16(&cur);
	out->ttl = cursor_take_u8(&cur);
	out->protocol = cursor_take_u8(&cur);
	cursor_skip(&cur, 2);
	addresses = cursor_take(&cur, 8);
	if (!addresses)
		return STATUS_SHORT;
	if (total_len == 0)
		total_len = wire_len;
	if (header_len < 20 || total_len < header_len)
		return STATUS_SYNTAX;
	cursor_skip(&cur, header_len - 20);
	if (cur.short_read)
		return STATUS_SHORT;
	out->source = address_v4(addresses);
	out->destination = address_v4(addresses + 4);
	out->is_fragment = fragment & 0x3fff;
	out->more_follow = fragment & 0x2000;
	out->part_at = (uint16_t)((fragment & 0x1fff) * 8);
	out->whole_id = out->id;
	out->payload_len = total_len - header_len;
	out->payload = captured_part(&cur, out->payload_len);
	return 0;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == HOP_BY_HOP || protocol == ROUTING || protocol == FRAGMENT ||
	       protocol == AUTHENTICATION || protocol == DESTINATION ||
	       protocol == MOBILITY;
}

/* Steps over one extension header and returns its length. */
static uint32_t read_extension(struct ip_packet *out, struct cursor *cur)
{
	uint8_t kind = out->protocol;
	uint8_t units;
	uint16_t fragment;
	uint32_t len;

	out->protocol = cursor_take_u8(cur);
	units = cursor_take_u8(cur);
	if (kind == FRAGMENT) {
		fragment = cursor_take_u16(cur);
		out->is_fragment = fragment & 0xfff9;
		out->more_follow = fragment & 1;
		out->part_at = fragment & 0xfff8;
		out->whole_id = cursor_take_u32(cur);
		return 8;
	}
	/* The authentication header counts in fours, the others in eights (RFC 4302). */
	len = kind == AUTHENTICATION ? (units + 2u) * 4 : (units + 1u) * 8;
	cursor_skip(cur, len - 2);
	return len;
}

int ip_layer_step_over_extensions(struct ip_packet *ip)
{
	struct cursor cur = ip->payload;

	while (is_extension(ip->protocol) && !ip->is_fragment) {
		uint32_t len = read_extension(ip, &cur);

		if (len > ip->payload_len)
			return STATUS_SYNTAX;
		if (cur.short_read)
			return STATUS_SHORT;
		ip->payload_len -= len;
	}
	ip->payload = captured_part(&cur, ip->payload_len);
	return 0;
}

static int read_v6(struct ip_packet *out, struct cursor cur, uint32_t wire_len)
{
	const uint8_t *addresses;

	cursor_skip(&cur, 4);
	out->payload_len = cursor_take_u16(&cur);
	out->protocol = cursor_take_u8(&cur);
	out->ttl = cursor_take_u8(&cur);
	addresses = cursor_take(&cur, 32);
	if (!addresses)
		return STATUS_SHORT;
	out->source = address_v6(addresses);
	out->destination = address_v6(addresses + 16);
	/* IPv4 in the disguise of IPv6 is for programs, and never on the wire: who sends
	 * it wants it to be taken for another's (RFC 4942 §2.2). */
	if (out->source.family != 6 || out->destination.family != 6)
		return STATUS_SYNTAX;
	if (out->payload_len == 0 && wire_len > 40)
		out->payload_len = wire_len - 40;
	out->payload = captured_part(&cur, out->payload_len);
	return ip_layer_step_over_extensions(out);
}

int ip_layer_read(struct ip_packet *out, struct cursor cur, uint32_t wire_len)
{
	if (cursor_left(&cur) == 0)
		return STATUS_SHORT;
	out->id = 0;
	out->is_fragment = false;
	switch (cur.at[0] >> 4) {
	case 4:
		return read_v4(out, cur, wire_len);
	case 6:
		return read_v6(out, cur, wire_len);
	default:
		return STATUS_SYNTAX;
	}
}
