#include "quic_packet.h"

#include <string.h>

#include "astray/status.h"

#define LONG_HEADER 0x80u
#define SPIN_BIT 0x20u
#define RETRY_TAG_LEN 16

uint64_t quic_packet_take_number(struct cursor *cur)
{
	uint8_t first = cursor_take_u8(cur);
	uint64_t value = first & 0x3fu;

	for (unsigned more = (1u << (first >> 6)) - 1; more > 0; more--)
		value = value << 8 | cursor_take_u8(cur);
	return value;
}

bool quic_packet_same_id(const struct quic_packet_id *a, const struct quic_packet_id *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static int take_id(struct quic_packet_id *out, struct cursor *cur)
{
	const uint8_t *bytes;

	out->len = cursor_take_u8(cur);
	if (out->len > QUIC_PACKET_ID_MAX)
		return STATUS_SYNTAX;
	bytes = cursor_take(cur, out->len);
	if (bytes && out->len)
		memcpy(out->bytes, bytes, out->len);
	return 0;
}

/* Version 2 only turns the numbers of the four types. */
static enum quic_packet_type type_of(uint32_t version, uint8_t first)
{
	static const enum quic_packet_type types[] = {QUIC_PACKET_INITIAL,
		QUIC_PACKET_EARLY, QUIC_PACKET_HANDSHAKE, QUIC_PACKET_RETRY};
	unsigned bits = first >> 4 & 3u;

	if (version == 0)
		return QUIC_PACKET_NEGOTIATION;
	if (version == QUIC_PACKET_VERSION_1)
		return types[bits];
	if (version == QUIC_PACKET_VERSION_2)
		return types[(bits + 3u) % 4u];
	return QUIC_PACKET_FOREIGN;
}

static void take_rest(struct quic_packet *out, struct cursor *cur)
{
	cursor_skip(cur, cursor_left(cur));
	out->len = (size_t)(cur->at - out->bytes);
}

/* Numbered packets say how long they are, so that others may follow. */
static int read_numbered(struct quic_packet *out, struct cursor *cur)
{
	uint64_t len;

	if (out->type == QUIC_PACKET_INITIAL) {
		len = quic_packet_take_number(cur); /* of the token */
		if (len > cursor_left(cur))
			return STATUS_SHORT;
		cursor_skip(cur, (size_t)len);
	}
	len = quic_packet_take_number(cur);
	if (cur->short_read)
		return STATUS_SHORT;
	out->number_at = (size_t)(cur->at - out->bytes);
	out->whole = len <= cursor_left(cur);
	cursor_skip(cur, out->whole ? (size_t)len : cursor_left(cur));
	out->len = (size_t)(cur->at - out->bytes);
	return 0;
}

static int read_long(struct quic_packet *out, struct cursor *cur, uint8_t first)
{
	int rc;

	out->version = cursor_take_u32(cur);
	out->type = type_of(out->version, first);
	rc = take_id(&out->destination, cur);
	if (rc == 0)
		rc = take_id(&out->source, cur);
	if (rc)
		return rc;
	if (cur->short_read)
		return STATUS_SHORT;
	if (out->type == QUIC_PACKET_INITIAL || out->type == QUIC_PACKET_EARLY ||
		out->type == QUIC_PACKET_HANDSHAKE)
		return read_numbered(out, cur);
	if (out->type == QUIC_PACKET_RETRY && cursor_left(cur) < RETRY_TAG_LEN)
		return STATUS_SHORT;
	take_rest(out, cur);
	return 0;
}

int quic_packet_next(struct quic_packet *out, struct cursor *datagram)
{
	uint8_t first;

	*out = (struct quic_packet){
		.type = QUIC_PACKET_SHORT, .bytes = datagram->at, .whole = true};
	first = cursor_take_u8(datagram);
	if (datagram->short_read)
		return STATUS_SHORT;
	if (first & LONG_HEADER)
		return read_long(out, datagram, first);
	out->spin = first & SPIN_BIT;
	take_rest(out, datagram);
	return 0;
}
