#include "icmp_extension.h"

#include "astray/cursor.h"
#include "internet_checksum.h"

#define QUOTE_MIN \
	128 /* RFC 4884 5.1: a quote with something behind it is padded to this */
#define VERSION 2
#define CLASS_MPLS 1
#define TYPE_INCOMING_STACK 1

static unsigned read_labels(
	struct obs_mpls labels[static OBS_MPLS], unsigned count, struct cursor stack)
{
	while (cursor_left(&stack) >= 4) {
		uint32_t entry = cursor_take_u32(&stack);

		if (count == OBS_MPLS)
			break;
		labels[count++] = (struct obs_mpls){.label = entry >> 12,
			.tc = entry >> 9 & 7,
			.s = entry >> 8 & 1,
			.ttl = (uint8_t)entry};
	}
	return count;
}

static unsigned read_objects(
	struct obs_mpls labels[static OBS_MPLS], struct cursor objects)
{
	unsigned count = 0;

	while (cursor_left(&objects) >= 4) {
		uint16_t len = cursor_take_u16(&objects);
		uint8_t class = cursor_take_u8(&objects);
		uint8_t type = cursor_take_u8(&objects);
		struct cursor object;

		if (len < 4)
			return 0;
		object = cursor_take_sub(&objects, len - 4u);
		if (object.short_read)
			return 0;
		if (class == CLASS_MPLS && type == TYPE_INCOMING_STACK)
			count = read_labels(labels, count, object);
	}
	return count;
}

unsigned icmp_extension_read_at(
	struct obs_mpls labels[static OBS_MPLS], const uint8_t *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	uint8_t version = cursor_take_u8(&cur) >> 4;
	uint16_t checksum;

	cursor_skip(&cur, 1);
	checksum = cursor_take_u16(&cur);
	if (cur.short_read || version != VERSION)
		return 0;
	if (checksum != 0 && /* RFC 4884 7: 0 says that none was computed */
		internet_checksum_fold(internet_checksum_add(0, bytes, len)) != 0xffff)
		return 0;
	return read_objects(labels, cur);
}

unsigned icmp_extension_read(struct obs_mpls labels[static OBS_MPLS], const uint8_t *body,
	size_t len, size_t quoted_len)
{
	size_t start = quoted_len ? quoted_len : QUOTE_MIN;

	if (start < QUOTE_MIN || len < start + 4)
		return 0;
	return icmp_extension_read_at(labels, body + start, len - start);
}
