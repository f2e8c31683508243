#include "fragment_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "astray/status.h"

#define WHOLE_MAX 65535
#define UNIT 8 /* fragments begin at multiples of it */
#define UNITS (WHOLE_MAX / UNIT + 1)
#define PATIENCE_US (30 * MOMENT_SECOND_US) /* what Linux gives IPv4 */

enum datagram_state { DATAGRAM_EMPTY, DATAGRAM_WAITS, DATAGRAM_WHOLE, DATAGRAM_SPOILT };

struct datagram {
	enum datagram_state state;
	struct address source, destination;
	uint32_t id;
	uint8_t protocol; /* of the part that comes first */
	struct moment begun;
	uint64_t touched; /* the larger the later */
	uint32_t len;     /* of the whole; 0 until the last part says it */
	uint32_t end;     /* of the farthest part */
	uint32_t known;   /* what lies behind it was cut off, at least in part */
	unsigned units;   /* that came */
	uint8_t came[UNITS / 8];
	uint8_t bytes[UNITS * UNIT];
};

struct fragment_table {
	struct fragment_counts counts;
	uint64_t touches;
	unsigned limit;
	struct datagram datagrams[];
};

int fragment_table_new(struct fragment_table **out, unsigned limit)
{
	struct fragment_table *table =
		calloc(1, sizeof(*table) + (size_t)limit * sizeof(table->datagrams[0]));

	*out = table;
	if (!table)
		return -ENOMEM;
	table->limit = limit;
	return 0;
}

void fragment_table_free(struct fragment_table *table)
{
	free(table);
}

static bool is_part_of(const struct datagram *datagram, const struct ip_packet *ip)
{
	return datagram->state != DATAGRAM_EMPTY && datagram->id == ip->whole_id &&
	       address_equal(&datagram->source, &ip->source) &&
	       address_equal(&datagram->destination, &ip->destination) &&
	       /* Later parts of an IPv6 packet may say another than the first. */
	       (ip->source.family == 6 || datagram->protocol == ip->protocol);
}

static bool is_over(const struct datagram *datagram, struct moment now)
{
	int64_t age_us = moment_since_us(now, datagram->begun);

	return age_us > PATIENCE_US || age_us < -PATIENCE_US;
}

static void begin(struct fragment_table *table, struct datagram *datagram,
	const struct ip_packet *ip, struct moment at)
{
	table->counts.incomplete += datagram->state == DATAGRAM_WAITS;
	datagram->state = DATAGRAM_WAITS;
	datagram->source = ip->source;
	datagram->destination = ip->destination;
	datagram->id = ip->whole_id;
	datagram->protocol = ip->protocol;
	datagram->begun = at;
	datagram->len = datagram->end = 0;
	datagram->known = WHOLE_MAX;
	datagram->units = 0;
	memset(datagram->came, 0, sizeof(datagram->came));
}

static struct datagram *find(
	struct fragment_table *table, const struct ip_packet *ip, struct moment at)
{
	struct datagram *oldest = &table->datagrams[0];

	for (unsigned i = 0; i < table->limit; i++) {
		struct datagram *datagram = &table->datagrams[i];

		if (is_part_of(datagram, ip)) {
			if (is_over(datagram, at))
				begin(table, datagram, ip, at);
			return datagram;
		}
		if (datagram->touched < oldest->touched)
			oldest = datagram;
	}
	begin(table, oldest, ip, at);
	return oldest;
}

static bool has_come(const struct datagram *datagram, unsigned unit)
{
	return datagram->came[unit / 8] >> unit % 8 & 1;
}

static unsigned units_that_came(
	const struct datagram *datagram, unsigned from, unsigned to)
{
	unsigned count = 0;

	for (unsigned unit = from; unit < to; unit++)
		count += has_come(datagram, unit);
	return count;
}

static bool is_copy(const struct datagram *datagram, const struct ip_packet *ip)
{
	unsigned from = ip->part_at / UNIT;
	unsigned to = (ip->part_at + ip->payload_len + UNIT - 1) / UNIT;

	return units_that_came(datagram, from, to) == to - from &&
	       ip->part_at + ip->payload_len <= datagram->end &&
	       memcmp(datagram->bytes + ip->part_at, ip->payload.at,
		       cursor_left(&ip->payload)) == 0;
}

static bool fits(const struct datagram *datagram, const struct ip_packet *ip)
{
	uint32_t end = ip->part_at + ip->payload_len;

	if (units_that_came(datagram, ip->part_at / UNIT, (end + UNIT - 1) / UNIT) > 0)
		return false;
	if (!ip->more_follow)
		return datagram->len == 0 && end >= datagram->end;
	return datagram->len == 0 || end <= datagram->len;
}

static void add(struct datagram *datagram, const struct ip_packet *ip)
{
	uint32_t end = ip->part_at + ip->payload_len;
	uint32_t captured = (uint32_t)cursor_left(&ip->payload);

	memcpy(datagram->bytes + ip->part_at, ip->payload.at, captured);
	for (unsigned unit = ip->part_at / UNIT; unit * UNIT < end; unit++) {
		datagram->came[unit / 8] |= (uint8_t)(1u << unit % 8);
		datagram->units++;
	}
	if (captured < ip->payload_len && ip->part_at + captured < datagram->known)
		datagram->known = ip->part_at + captured;
	if (end > datagram->end)
		datagram->end = end;
	if (!ip->more_follow)
		datagram->len = end;
	if (ip->part_at == 0)
		datagram->protocol = ip->protocol;
}

static bool is_whole(const struct datagram *datagram)
{
	return datagram->len > 0 && datagram->units == (datagram->len + UNIT - 1) / UNIT;
}

static void hand_out(const struct datagram *datagram, struct ip_packet *ip)
{
	ip->protocol = datagram->protocol;
	ip->payload_len = datagram->len;
	ip->payload = cursor_over(datagram->bytes,
		datagram->known < datagram->len ? datagram->known : datagram->len);
	ip->is_fragment = false;
}

static bool makes_sense(const struct ip_packet *ip)
{
	return ip->payload_len > 0 && ip->part_at + ip->payload_len <= WHOLE_MAX &&
	       (!ip->more_follow || ip->payload_len % UNIT == 0);
}

static int spoil(struct fragment_table *table, struct datagram *datagram)
{
	if (datagram->state == DATAGRAM_WAITS)
		table->counts.overlapping++;
	datagram->state = DATAGRAM_SPOILT;
	return STATUS_SYNTAX;
}

int fragment_table_join(
	struct fragment_table *table, struct ip_packet *ip, struct moment at)
{
	struct datagram *datagram;

	table->counts.fragments++;
	if (!makes_sense(ip))
		return STATUS_SYNTAX;
	datagram = find(table, ip, at);
	datagram->touched = ++table->touches;
	if (datagram->state == DATAGRAM_SPOILT)
		return STATUS_SYNTAX;
	if (is_copy(datagram, ip))
		return STATUS_LATER;
	/* Numbers come again. */
	if (datagram->state == DATAGRAM_WHOLE)
		begin(table, datagram, ip, at);
	if (!fits(datagram, ip))
		return spoil(table, datagram);
	add(datagram, ip);
	if (!is_whole(datagram))
		return STATUS_LATER;
	datagram->state = DATAGRAM_WHOLE;
	table->counts.joined++;
	hand_out(datagram, ip);
	return 0;
}

const struct fragment_counts *fragment_table_counts(const struct fragment_table *table)
{
	return &table->counts;
}
