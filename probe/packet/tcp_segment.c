#include "tcp_segment.h"

#include "astray/status.h"

#define HEADER_LEN 20
#define OPTION_END 0
#define OPTION_NOTHING 1
#define OPTION_TIMESTAMPS 8

/* Nothing to tell copies by is 0; the odd factors only spread the bits. */
static uint32_t mark_of(
	const struct tcp_segment *segment, uint32_t timestamp, uint16_t id)
{
	if (timestamp == 0 && id == 0)
		return 0;
	return (timestamp * 65599u + id) * 31u + segment->ack * 7919u + segment->flags;
}

/* The sender's timestamp, or 0 where it sends none. */
static uint32_t read_timestamp(struct cursor options)
{
	while (cursor_left(&options) > 0) {
		uint8_t kind = cursor_take_u8(&options);
		uint8_t len;

		if (kind == OPTION_NOTHING)
			continue;
		if (kind == OPTION_END)
			return 0;
		len = cursor_take_u8(&options);
		if (kind == OPTION_TIMESTAMPS && len == 10)
			return cursor_take_u32(&options);
		if (len < 2)
			return 0;
		cursor_skip(&options, len - 2u);
	}
	return 0;
}

int tcp_segment_read(struct tcp_segment *out, const struct ip_packet *ip)
{
	struct cursor cur = ip->payload;
	unsigned header_len;
	uint32_t timestamp;

	out->source_port = cursor_take_u16(&cur);
	out->destination_port = cursor_take_u16(&cur);
	out->seq = cursor_take_u32(&cur);
	out->ack = cursor_take_u32(&cur);
	header_len = (cursor_take_u8(&cur) >> 4) * 4u;
	out->flags = cursor_take_u8(&cur);
	out->window = cursor_take_u16(&cur);
	cursor_skip(&cur, 4);
	if (cur.short_read)
		return STATUS_SHORT;
	if (header_len < HEADER_LEN || header_len > ip->payload_len)
		return STATUS_SYNTAX;
	timestamp = read_timestamp(cursor_take_sub(&cur, header_len - HEADER_LEN));
	out->mark = mark_of(out, timestamp, ip->id);
	out->stamped = timestamp != 0 && ip->id != 0;
	out->ttl = ip->ttl;
	out->source = ip->source;
	out->destination = ip->destination;
	out->len = ip->payload_len - header_len;
	out->data = cur.at;
	out->captured = (uint32_t)cursor_left(&cur);
	return 0;
}
