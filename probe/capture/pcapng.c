#include "pcapng.h"

#include "astray/cursor.h"
#include "astray/status.h"

#define SECTION 0x0a0d0d0au /* the same in both orders */
#define INTERFACE 1u
#define OLD_PACKET 2u
#define SIMPLE_PACKET 3u
#define STATISTICS 5u
#define PACKET 6u

#define BYTE_ORDER_BIG 0x1a2b3c4du
#define BYTE_ORDER_LITTLE 0x4d3c2b1au
#define FRAME_LEN 12u /* type, and the length before and behind the body */
#define SECTION_LEN_MIN 28u

#define OPTION_END 0
#define PACKET_OPTION_DROPS 4
#define STATISTICS_OPTION_INTERFACE_DROPS 5
#define STATISTICS_OPTION_SYSTEM_DROPS 7
#define DROPS_UNKNOWN UINT16_MAX
#define OPTION_RESOLUTION 9
#define OPTION_OFFSET 14
#define MICROSECONDS 1000000u

static uint16_t take_u16(const struct pcapng *file, struct cursor *cur)
{
	uint16_t value = cursor_take_u16(cur);

	return file->big_endian ? value : __builtin_bswap16(value);
}

static uint32_t take_u32(const struct pcapng *file, struct cursor *cur)
{
	uint32_t value = cursor_take_u32(cur);

	return file->big_endian ? value : __builtin_bswap32(value);
}

static uint64_t take_u64(const struct pcapng *file, struct cursor *cur)
{
	uint64_t first = take_u32(file, cur), second = take_u32(file, cur);

	return file->big_endian ? first << 32 | second : second << 32 | first;
}

int pcapng_block_len(
	struct pcapng *file, const uint8_t head[static PCAPNG_HEAD], uint32_t *len)
{
	struct cursor cur = cursor_over(head, PCAPNG_HEAD), magic = cur;
	bool begins = cursor_take_u32(&cur) == SECTION;
	uint32_t order;

	cursor_skip(&magic, 8);
	order = cursor_take_u32(&magic);
	if (begins && order != BYTE_ORDER_BIG && order != BYTE_ORDER_LITTLE)
		return STATUS_CORRUPT;
	if (!begins && !file->begun)
		return STATUS_CORRUPT;
	if (begins)
		file->big_endian = order == BYTE_ORDER_BIG;
	*len = take_u32(file, &cur);
	if (*len < (begins ? SECTION_LEN_MIN : FRAME_LEN) || *len % 4 != 0)
		return STATUS_CORRUPT;
	return *len > PCAPNG_BLOCK_MAX ? STATUS_LIMIT : 0;
}

static int read_section(struct pcapng *file, struct cursor body)
{
	cursor_skip(&body, 4); /* the byte order */
	if (take_u16(file, &body) != 1)
		return STATUS_UNSUPPORTED;
	file->earlier_drops = pcapng_drops(file);
	file->begun = true;
	file->interface_count = 0;
	return 0;
}

/* A power of ten or, with the highest bit, of two. */
static int read_resolution(struct pcapng_interface *interface, uint8_t power)
{
	bool binary = power & 0x80;

	power &= 0x7f;
	if (power > (binary ? 63 : 19))
		return STATUS_CORRUPT;
	interface->units = 1;
	while (power-- > 0)
		interface->units *= binary ? 2 : 10;
	return 0;
}

/* False at their end. */
static bool next_option(const struct pcapng *file, struct cursor *options, uint16_t *code,
	struct cursor *value)
{
	uint16_t len;

	if (cursor_left(options) < 4)
		return false;
	*code = take_u16(file, options);
	len = take_u16(file, options);
	*value = cursor_take_sub(options, len);
	if (*code == OPTION_END)
		return false;
	cursor_skip(options, (4u - len % 4u) % 4u);
	return true;
}

static int read_option(const struct pcapng *file, struct pcapng_interface *interface,
	uint16_t code, struct cursor value)
{
	int rc = 0;

	if (code == OPTION_RESOLUTION)
		rc = read_resolution(interface, cursor_take_u8(&value));
	else if (code == OPTION_OFFSET)
		interface->offset_s = (int64_t)take_u64(file, &value);
	return value.short_read ? STATUS_CORRUPT : rc;
}

static int read_interface(struct pcapng *file, struct cursor body)
{
	struct pcapng_interface interface = {.units = MICROSECONDS};
	struct cursor value;
	uint16_t code;
	int rc = 0;

	interface.link_type = take_u16(file, &body);
	cursor_skip(&body, 2);
	interface.snaplen = take_u32(file, &body);
	while (rc == 0 && next_option(file, &body, &code, &value))
		rc = read_option(file, &interface, code, value);
	if (rc || body.short_read)
		return STATUS_CORRUPT;
	if (file->interface_count == PCAPNG_INTERFACES)
		return STATUS_LIMIT;
	file->interfaces[file->interface_count++] = interface;
	return 0;
}

static struct moment moment_of(const struct pcapng_interface *interface, uint64_t count)
{
	uint64_t units = interface->units, rest = count % units;
	int64_t seconds;

	if (count / units > (uint64_t)(MOMENT_MAX_US / MOMENT_SECOND_US))
		return (struct moment){-1};
	if (__builtin_add_overflow(
		    (int64_t)(count / units), interface->offset_s, &seconds) ||
		seconds < 0 || seconds > MOMENT_MAX_US / MOMENT_SECOND_US)
		return (struct moment){-1};
	rest = units <= UINT64_MAX / MICROSECONDS ? rest * MICROSECONDS / units
						  : rest / (units / MICROSECONDS);
	return (struct moment){seconds * MOMENT_SECOND_US + (int64_t)rest};
}

static void add_drops(uint64_t *into, uint64_t drops)
{
	*into = drops < UINT64_MAX - *into ? *into + drops : UINT64_MAX;
}

/* Its options may say how many were dropped before it. */
static uint64_t drops_before(const struct pcapng *file, struct cursor options)
{
	struct cursor value;
	uint16_t code;

	while (next_option(file, &options, &code, &value))
		if (code == PACKET_OPTION_DROPS)
			return take_u64(file, &value);
	return 0;
}

static int read_packet(
	struct pcapng *file, struct cursor body, bool is_old, struct pcapng_packet *out)
{
	uint32_t number = is_old ? take_u16(file, &body) : take_u32(file, &body);
	uint64_t drops = is_old ? take_u16(file, &body) : 0;
	uint64_t high, low;
	high = take_u32(file, &body);
	low = take_u32(file, &body);
	out->captured = take_u32(file, &body);
	out->wire_len = take_u32(file, &body);
	if (body.short_read || number >= file->interface_count ||
		out->captured > cursor_left(&body))
		return STATUS_CORRUPT;
	out->at = moment_of(&file->interfaces[number], high << 32 | low);
	out->link_type = file->interfaces[number].link_type;
	out->bytes = body.at;
	cursor_skip(&body, out->captured + (4u - out->captured % 4u) % 4u);
	if (!is_old)
		drops = drops_before(file, body);
	else if (drops == DROPS_UNKNOWN)
		drops = 0;
	add_drops(&file->interfaces[number].counted_drops, drops);
	return 1;
}

/* What an interface has dropped so far; the latest counts. */
static int read_statistics(struct pcapng *file, struct cursor body)
{
	uint32_t number = take_u32(file, &body);
	uint64_t drops = 0;
	struct cursor value;
	uint16_t code;

	cursor_skip(&body, 8);
	if (body.short_read || number >= file->interface_count)
		return STATUS_CORRUPT;
	while (next_option(file, &body, &code, &value))
		if (code == STATISTICS_OPTION_INTERFACE_DROPS ||
			code == STATISTICS_OPTION_SYSTEM_DROPS)
			add_drops(&drops, take_u64(file, &value));
	file->interfaces[number].told_drops = drops;
	return 0;
}

uint64_t pcapng_drops(const struct pcapng *file)
{
	uint64_t drops = file->earlier_drops;

	for (unsigned i = 0; i < file->interface_count; i++) {
		const struct pcapng_interface *interface = &file->interfaces[i];

		add_drops(&drops, interface->told_drops > interface->counted_drops
					  ? interface->told_drops
					  : interface->counted_drops);
	}
	return drops;
}

/* As much as its interface keeps of a packet; it has no time. */
static int read_simple(struct pcapng *file, struct cursor body, struct pcapng_packet *out)
{
	const struct pcapng_interface *interface = file->interfaces;

	out->wire_len = out->captured = take_u32(file, &body);
	if (body.short_read || file->interface_count == 0)
		return STATUS_CORRUPT;
	if (interface->snaplen && out->captured > interface->snaplen)
		out->captured = interface->snaplen;
	if (out->captured > cursor_left(&body))
		return STATUS_CORRUPT;
	out->at = (struct moment){0};
	out->link_type = interface->link_type;
	out->bytes = body.at;
	return 1;
}

int pcapng_read(struct pcapng *file, const uint8_t *block, uint32_t len,
	struct pcapng_packet *out)
{
	struct cursor cur = cursor_over(block, len);
	uint32_t type = take_u32(file, &cur), again;
	struct cursor body;

	cursor_skip(&cur, 4);
	body = cursor_take_sub(&cur, len - FRAME_LEN);
	again = take_u32(file, &cur);
	if (cur.short_read || again != len)
		return STATUS_CORRUPT;
	switch (type) {
	case SECTION:
		return read_section(file, body);
	case INTERFACE:
		return read_interface(file, body);
	case PACKET:
		return read_packet(file, body, false, out);
	case OLD_PACKET:
		return read_packet(file, body, true, out);
	case SIMPLE_PACKET:
		return read_simple(file, body, out);
	case STATISTICS:
		return read_statistics(file, body);
	default:
		return 0;
	}
}
