#include "lab_packet.h"

#include <netinet/in.h>
#include <string.h>

#include "astray/status.h"
#include "internet_checksum.h"

#define HEAD4 20
#define HEAD6 40
#define QUOTE4 548  /* RFC 1812 4.3.2.3: an error is at most 576 bytes long */
#define QUOTE6 1232 /* RFC 4443 2.4 (c): at most the least MTU, 1280 */
#define QUOTE_WITH_EXTENSION 128

enum { ECHO_REPLY = 0, UNREACHABLE = 3, ECHO = 8, ECHO6 = 128, ECHO_REPLY6 = 129 };
enum { TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

static uint16_t read_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read_u32(const uint8_t *at)
{
	return (uint32_t)read_u16(at) << 16 | read_u16(at + 2);
}

static void write_u16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void write_u32(uint8_t *at, uint32_t value)
{
	write_u16(at, value >> 16);
	write_u16(at + 2, value);
}

static uint16_t checksum(uint32_t sum, const void *bytes, size_t len)
{
	return (uint16_t)~internet_checksum_fold(internet_checksum_add(sum, bytes, len));
}

int lab_packet_read(struct lab_packet *out, const uint8_t *bytes, size_t len)
{
	*out = (struct lab_packet){.bytes = bytes, .len = len};
	if (len < HEAD4 || len > LAB_PACKET_MAX)
		return STATUS_SHORT;
	out->version = bytes[0] >> 4;
	if (out->version == 4) {
		out->body_at = (size_t)(bytes[0] & 15) * 4;
		out->ttl = bytes[8];
		out->protocol = bytes[9];
		out->dont_fragment = bytes[6] & 0x40;
		out->from = address_v4(bytes + 12);
		out->to = address_v4(bytes + 16);
	} else if (out->version == 6 && len >= HEAD6) {
		out->body_at = HEAD6;
		out->ttl = bytes[7];
		out->protocol = bytes[6];
		out->dont_fragment = true;
		out->from = address_v6(bytes + 8);
		out->to = address_v6(bytes + 24);
	}
	return out->body_at >= HEAD4 && out->body_at + 8 <= len ? 0 : STATUS_SHORT;
}

bool lab_packet_is_multicast(const struct lab_packet *packet)
{
	return packet->version == 4 ? packet->to.bytes[0] >= 224
				    : packet->to.bytes[0] == 0xff;
}

uint64_t lab_packet_flow(const struct lab_packet *packet, uint64_t salt)
{
	uint64_t hash = address_hash(&packet->to, address_hash(&packet->from, salt));

	hash ^= (uint64_t)packet->protocol << 32 |
		read_u32(packet->bytes + packet->body_at);
	hash ^= hash >> 33; /* MurmurHash3's last steps: every bit into every other */
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ hash >> 33;
}

void lab_packet_set_ttl(uint8_t *bytes, uint8_t ttl)
{
	if (bytes[0] >> 4 == 6) {
		bytes[7] = ttl;
		return;
	}
	bytes[8] = ttl;
	write_u16(bytes + 10, 0);
	write_u16(bytes + 10, checksum(0, bytes, (size_t)(bytes[0] & 15) * 4));
}

/* RFC 1624: the checksum after some bytes that it covers became others. */
static void adjust(uint8_t *at, const uint8_t *before, const uint8_t *after, size_t len)
{
	uint32_t sum = (uint16_t)~read_u16(at);

	for (size_t i = 0; i < len; i += 2)
		sum += (uint16_t)~read_u16(before + i) + (uint32_t)read_u16(after + i);
	write_u16(at, (uint16_t)~internet_checksum_fold(sum));
}

static void set_address(
	uint8_t *bytes, size_t len, size_t at, const struct address *address)
{
	struct lab_packet packet;
	size_t size = address->family == 4 ? 4 : 16, checksum_at;
	uint8_t before[16];

	if (lab_packet_read(&packet, bytes, len) < 0 || packet.version != address->family)
		return;
	memcpy(before, bytes + at, size);
	memcpy(bytes + at, address->bytes, size);
	lab_packet_set_ttl(bytes, packet.ttl);
	checksum_at = packet.body_at + (packet.protocol == IPPROTO_TCP          ? 16
					       : packet.protocol == IPPROTO_UDP ? 6
										: 2);
	if (packet.protocol != IPPROTO_ICMP && checksum_at + 2 <= len)
		adjust(bytes + checksum_at, before, address->bytes, size);
}

void lab_packet_set_source(uint8_t *bytes, size_t len, const struct address *source)
{
	set_address(bytes, len, source->family == 4 ? 12 : 8, source);
}

void lab_packet_set_destination(uint8_t *bytes, size_t len, const struct address *to)
{
	set_address(bytes, len, to->family == 4 ? 16 : 24, to);
}

void lab_packet_set_tos(uint8_t *bytes, uint8_t tos)
{
	if (bytes[0] >> 4 == 4) {
		bytes[1] = tos;
		lab_packet_set_ttl(bytes, bytes[8]);
		return;
	}
	bytes[0] = (uint8_t)(0x60 | tos >> 4);
	bytes[1] = (uint8_t)(tos << 4 | (bytes[1] & 15));
}

/* Puts the IP header before a body of len bytes, and the checksum where its protocol has
 * it. */
static size_t finish(uint8_t *out, const struct lab_packet *about,
	const struct address *from, uint8_t protocol, uint8_t ttl, size_t len)
{
	size_t head = about->version == 4 ? HEAD4 : HEAD6;
	uint8_t *body = out + head;
	size_t at = protocol == IPPROTO_TCP ? 16 : 2;
	uint32_t pseudo = 0;

	memset(out, 0, head);
	if (about->version == 4) {
		out[0] = 0x45;
		write_u16(out + 2, (uint32_t)(head + len));
		out[9] = protocol;
		memcpy(out + 12, from->bytes, 4);
		memcpy(out + 16, about->from.bytes, 4);
	} else {
		out[0] = 0x60;
		write_u16(out + 4, (uint32_t)len);
		out[6] = protocol;
		memcpy(out + 8, from->bytes, 16);
		memcpy(out + 24, about->from.bytes, 16);
	}
	lab_packet_set_ttl(out, ttl);
	if (protocol != IPPROTO_ICMP)
		pseudo = internet_checksum_add_pseudo(
			0, from, &about->from, protocol, len);
	write_u16(body + at, 0);
	write_u16(body + at, checksum(pseudo, body, len));
	return head + len;
}

static size_t add_extension(uint8_t *at, const struct lab_error *error)
{
	size_t stack = 4 * (size_t)error->label_count, len = 8 + stack;

	memset(at, 0, 8);
	at[0] = 0x20; /* version 2 */
	write_u16(at + 4, (uint32_t)(4 + stack));
	at[6] = at[7] = 1; /* class MPLS, type incoming stack */
	for (unsigned i = 0; i < error->label_count; i++) {
		uint32_t bottom = i + 1 == error->label_count;

		write_u32(
			at + 8 + 4 * (size_t)i, error->labels[i] << 12 | bottom << 8 | 1);
	}
	write_u16(at + 2, checksum(0, at, len));
	return len;
}

size_t lab_packet_error(uint8_t *out, const struct lab_packet *about,
	const struct address *from, const struct lab_error *error)
{
	bool v4 = about->version == 4;
	uint8_t *body = out + (v4 ? HEAD4 : HEAD6), *quote = body + 8;
	size_t quoted = error->quote ? error->quote : v4 ? QUOTE4 : QUOTE6;
	size_t len = 8;

	if (quoted > about->len)
		quoted = about->len;
	body[0] = error->type;
	body[1] = error->code;
	write_u32(body + 4, error->rest);
	if (error->label_count && quoted > QUOTE_WITH_EXTENSION)
		quoted = QUOTE_WITH_EXTENSION;
	memcpy(quote, about->bytes, quoted);
	lab_packet_set_ttl(quote, about->ttl);
	len += quoted;
	if (error->label_count) {
		memset(quote + quoted, 0, QUOTE_WITH_EXTENSION - quoted);
		if (!error->bare_extension)
			body[v4 ? 5 : 4] =
				v4 ? QUOTE_WITH_EXTENSION / 4 : QUOTE_WITH_EXTENSION / 8;
		len = 8 + QUOTE_WITH_EXTENSION;
		len += add_extension(body + len, error);
	}
	return finish(
		out, about, from, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, error->ttl, len);
}

static size_t answer_syn(uint8_t *out, const struct lab_packet *about, bool listens)
{
	const uint8_t *tcp = about->bytes + about->body_at;
	uint8_t *body = out + (about->version == 4 ? HEAD4 : HEAD6);

	if (about->len < about->body_at + 20 ||
		(tcp[13] & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return 0;
	memset(body, 0, 20);
	memcpy(body, tcp + 2, 2);
	memcpy(body + 2, tcp, 2);
	write_u32(body + 8, read_u32(tcp + 4) + 1);
	body[12] = 5 << 4;
	body[13] = TCP_ACK | (listens ? TCP_SYN : TCP_RST);
	return finish(out, about, &about->to, IPPROTO_TCP, 64, 20);
}

static size_t answer_echo(uint8_t *out, const struct lab_packet *about)
{
	const uint8_t *icmp = about->bytes + about->body_at;
	uint8_t *body = out + (about->version == 4 ? HEAD4 : HEAD6);
	size_t len = about->len - about->body_at;

	if (icmp[0] != (about->version == 4 ? ECHO : ECHO6))
		return 0;
	memcpy(body, icmp, len);
	body[0] = about->version == 4 ? ECHO_REPLY : ECHO_REPLY6;
	return finish(out, about, &about->to, about->protocol, 64, len);
}

size_t lab_packet_arrival(uint8_t *out, const struct lab_packet *about, bool listens)
{
	struct lab_error closed = {.type = UNREACHABLE, .code = 3, .ttl = 64};

	if (about->version == 6)
		closed = (struct lab_error){.type = 1, .code = 4, .ttl = 64};
	if (about->protocol == IPPROTO_TCP)
		return answer_syn(out, about, listens);
	if (about->protocol == IPPROTO_UDP)
		return lab_packet_error(out, about, &about->to, &closed);
	if (about->protocol == IPPROTO_ICMP || about->protocol == IPPROTO_ICMPV6)
		return answer_echo(out, about);
	return 0;
}

size_t lab_packet_forgery(
	uint8_t *out, const struct lab_packet *about, const struct address *from)
{
	static const struct lab_error expired[] = {
		{.type = 11, .ttl = 250}, {.type = 3, .ttl = 250}};
	uint8_t changed[LAB_PACKET_MAX];
	struct lab_packet forged = *about;
	size_t mark = about->body_at + (about->protocol == IPPROTO_UDP ? 6 : 7);

	memcpy(changed, about->bytes, about->len);
	changed[mark] ^= 0x55;
	if (about->version == 4)
		changed[4] ^= 0x55; /* the identification may tell probes apart, too */
	changed[about->protocol == IPPROTO_TCP ? about->body_at + 4 : mark - 1] ^= 0xa5;
	forged.bytes = changed;
	return lab_packet_error(out, &forged, from, &expired[about->version == 6]);
}
