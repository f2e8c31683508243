#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "link_layer.h"
#include "packet_builder.h"
#include "unwrap.h"

#define ALL (UNWRAP_GRE | UNWRAP_IP_IN_IP | UNWRAP_VXLAN | UNWRAP_GENEVE)
#define INNER_LEN 28 /* IPv4 header and eight bytes */

/* A frame that is written from its front. */
struct frame {
	size_t len;
	uint8_t bytes[1024];
};

static void put_bytes(struct frame *frame, const void *bytes, size_t len)
{
	memcpy(frame->bytes + frame->len, bytes, len);
	frame->len += len;
}

#define PUT(frame, ...)                                  \
	put_bytes(frame, (const uint8_t[]){__VA_ARGS__}, \
		sizeof((const uint8_t[]){__VA_ARGS__}))

static void put_ethernet(struct frame *frame, unsigned ethertype)
{
	frame->len += 12;
	put_u16(frame->bytes + frame->len, ethertype);
	frame->len += 2;
}

/* An IPv4 header in front of `len` bytes. */
static void put_v4(struct frame *frame, const char *from, const char *to,
	uint8_t protocol, size_t len)
{
	struct address source, destination;
	uint8_t *at = frame->bytes + frame->len;

	(void)address_parse(&source, from);
	(void)address_parse(&destination, to);
	frame->len += put_ip(at, &source, &destination, 7, len);
	at[9] = protocol;
	at[6] = 0;
}

static void put_inner(struct frame *frame)
{
	put_v4(frame, "192.0.2.1", "192.0.2.2", 6, INNER_LEN - 20);
	PUT(frame, 1, 2, 3, 4, 5, 6, 7, 8);
}

static void put_outer(struct frame *frame, uint8_t protocol, size_t len)
{
	put_ethernet(frame, 0x0800);
	put_v4(frame, "198.51.100.1", "198.51.100.2", protocol, len);
}

static void put_udp(struct frame *frame, unsigned port, size_t len)
{
	put_outer(frame, 17, 8 + len);
	put_u16(frame->bytes + frame->len, 40000);
	put_u16(frame->bytes + frame->len + 2, port);
	put_u16(frame->bytes + frame->len + 4, (unsigned)len + 8);
	frame->len += 8;
}

static void make_ip_in_ip(struct frame *frame)
{
	put_outer(frame, 4, INNER_LEN);
	put_inner(frame);
}

static void make_gre(struct frame *frame)
{
	put_outer(frame, 47, 4 + INNER_LEN);
	PUT(frame, 0, 0, 0x08, 0x00);
	put_inner(frame);
}

static void make_gre_with_all_fields(struct frame *frame)
{
	put_outer(frame, 47, 16 + 14 + INNER_LEN);
	PUT(frame, 0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1);
	put_ethernet(frame, 0x0800);
	put_inner(frame);
}

static void make_erspan_2(struct frame *frame)
{
	put_outer(frame, 47, 16 + 14 + INNER_LEN);
	PUT(frame, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0);
	put_ethernet(frame, 0x0800);
	put_inner(frame);
}

static void make_erspan_3(struct frame *frame)
{
	put_outer(frame, 47, 28 + 14 + INNER_LEN);
	PUT(frame, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 0, 0);
	put_ethernet(frame, 0x0800);
	put_inner(frame);
}

static void make_vxlan(struct frame *frame)
{
	put_udp(frame, 4789, 8 + 14 + INNER_LEN);
	PUT(frame, 8, 0, 0, 0, 0, 0, 42, 0);
	put_ethernet(frame, 0x0800);
	put_inner(frame);
}

static void make_geneve(struct frame *frame)
{
	put_udp(frame, 6081, 12 + 14 + INNER_LEN);
	PUT(frame, 1, 0, 0x65, 0x58, 0, 0, 42, 0, 1, 2, 3, 4);
	put_ethernet(frame, 0x0800);
	put_inner(frame);
}

typedef void (*make_fn)(struct frame *frame);

static const make_fn makers[] = {make_ip_in_ip, make_gre, make_gre_with_all_fields,
	make_erspan_2, make_erspan_3, make_vxlan, make_geneve};

#define MAKERS (sizeof(makers) / sizeof(makers[0]))

static int unwrap_frame(struct unwrap *unwrap, struct ip_packet *ip,
	const struct frame *frame, size_t captured)
{
	/* An exact copy, so that reading one byte too far is seen. */
	uint8_t *bytes = malloc(captured ? captured : 1);
	int rc;

	memcpy(bytes, frame->bytes, captured);
	rc = unwrap_packet(unwrap, ip, LINK_LAYER_ETHERNET,
		(struct moment){1590854700000000}, bytes, (uint32_t)captured,
		(uint32_t)frame->len);
	free(bytes);
	return rc;
}

static void every_tunnel_is_looked_into(void **state)
{
	struct unwrap_counts counts;
	struct unwrap *unwrap;
	struct ip_packet ip;
	struct address inner;

	(void)state;
	(void)address_parse(&inner, "192.0.2.1");
	assert_int_equal(unwrap_new(&unwrap, ALL), 0);
	for (unsigned i = 0; i < MAKERS; i++) {
		struct frame frame = {0};

		makers[i](&frame);
		assert_int_equal(unwrap_frame(unwrap, &ip, &frame, frame.len), 0);
		assert_true(address_equal(&ip.source, &inner));
		assert_int_equal(ip.protocol, 6);
		assert_int_equal(ip.payload_len, 8);
		assert_int_equal(cursor_left(&ip.payload), 8);
	}
	unwrap_count(unwrap, &counts);
	assert_int_equal(counts.tunnelled, MAKERS);
	unwrap_free(unwrap);
}

static void no_tunnel_is_looked_into_unasked(void **state)
{
	struct unwrap_counts counts;
	struct unwrap *unwrap;
	struct ip_packet ip;
	struct address outer;

	(void)state;
	(void)address_parse(&outer, "198.51.100.1");
	assert_int_equal(unwrap_new(&unwrap, 0), 0);
	for (unsigned i = 0; i < MAKERS; i++) {
		struct frame frame = {0};

		makers[i](&frame);
		assert_int_equal(unwrap_frame(unwrap, &ip, &frame, frame.len), 0);
		assert_true(address_equal(&ip.source, &outer));
	}
	unwrap_count(unwrap, &counts);
	assert_int_equal(counts.tunnelled, 0);
	unwrap_free(unwrap);
}

/* A header that is cut inside a UDP tunnel leaves the outer packet, which is no TCP. */
static void a_cut_tunnel_shows_no_tcp(void **state)
{
	struct unwrap *unwrap;
	struct ip_packet ip;

	(void)state;
	assert_int_equal(unwrap_new(&unwrap, ALL), 0);
	for (unsigned i = 0; i < MAKERS; i++) {
		struct frame frame = {0};

		makers[i](&frame);
		for (size_t len = 0; len < frame.len - 8; len++) {
			int rc = unwrap_frame(unwrap, &ip, &frame, len);

			assert_true(rc == STATUS_SHORT || (rc == 0 && ip.protocol == 17));
		}
	}
	unwrap_free(unwrap);
}

static void an_ordinary_packet_on_a_tunnels_port_is_itself(void **state)
{
	struct frame frame = {0};
	struct unwrap *unwrap;
	struct ip_packet ip;

	(void)state;
	assert_int_equal(unwrap_new(&unwrap, ALL), 0);
	put_udp(&frame, 4789, 12);
	PUT(&frame, 0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0);
	assert_int_equal(unwrap_frame(unwrap, &ip, &frame, frame.len), 0);
	assert_int_equal(ip.protocol, 17);
	assert_int_equal(ip.payload_len, 20);
	unwrap_free(unwrap);
}

static void other_tunnels_are_set_aside_and_counted(void **state)
{
	struct frame pptp = {0}, clear = {0}, arp = {0};
	struct unwrap_counts counts;
	struct unwrap *unwrap;
	struct ip_packet ip;

	(void)state;
	assert_int_equal(unwrap_new(&unwrap, ALL), 0);
	put_outer(&pptp, 47, 8);
	PUT(&pptp, 0x30, 0x01, 0x88, 0x0b, 0, 0, 0, 0);
	assert_int_equal(unwrap_frame(unwrap, &ip, &pptp, pptp.len), STATUS_UNSUPPORTED);
	put_outer(&clear, 47, 8);
	PUT(&clear, 0, 0, 0x00, 0x01, 0, 0, 0, 0);
	assert_int_equal(
		unwrap_frame(unwrap, &ip, &clear, clear.len), STATUS_UNSUPPORTED);
	put_ethernet(&arp, 0x0806);
	assert_int_equal(unwrap_frame(unwrap, &ip, &arp, arp.len), STATUS_NOT_OURS);
	unwrap_count(unwrap, &counts);
	assert_int_equal(counts.unread, 2);
	assert_int_equal(counts.not_ip, 1);
	unwrap_free(unwrap);
}

/* So many times IP in IP. */
static struct frame make_nest(unsigned depth)
{
	struct frame frame = {0};

	put_ethernet(&frame, 0x0800);
	for (; depth > 0; depth--)
		put_v4(&frame, "198.51.100.1", "198.51.100.2", 4,
			20 * (depth - 1) + INNER_LEN);
	put_inner(&frame);
	return frame;
}

static void nests_have_a_bound(void **state)
{
	struct frame deep = make_nest(4), deeper = make_nest(5);
	struct unwrap_counts counts;
	struct unwrap *unwrap;
	struct ip_packet ip;

	(void)state;
	assert_int_equal(unwrap_new(&unwrap, ALL), 0);
	assert_int_equal(unwrap_frame(unwrap, &ip, &deep, deep.len), 0);
	assert_int_equal(ip.protocol, 6);
	assert_int_equal(unwrap_frame(unwrap, &ip, &deeper, deeper.len), STATUS_LIMIT);
	unwrap_count(unwrap, &counts);
	assert_int_equal(counts.too_deep, 1);
	assert_int_equal(counts.tunnelled, 2);
	unwrap_free(unwrap);
}

/* Bytes [from, to) of the packet as a fragment of it. */
static struct frame make_fragment(const struct frame *whole, size_t from, size_t to)
{
	struct frame part = {0};
	uint8_t *ip = part.bytes + 14;

	put_bytes(&part, whole->bytes, 34);
	put_bytes(&part, whole->bytes + 34 + from, to - from);
	put_u16(ip + 2, (unsigned)(20 + to - from));
	put_u16(ip + 6, (unsigned)(from / 8 | (34 + to < whole->len ? 0x2000 : 0)));
	return part;
}

static void a_fragmented_tunnel_is_put_together_first(void **state)
{
	struct frame whole = {0}, first, second;
	struct unwrap_counts counts;
	struct unwrap *unwrap;
	struct ip_packet ip;

	(void)state;
	assert_int_equal(unwrap_new(&unwrap, ALL), 0);
	make_vxlan(&whole);
	first = make_fragment(&whole, 0, 40);
	second = make_fragment(&whole, 40, whole.len - 34);
	assert_int_equal(unwrap_frame(unwrap, &ip, &second, second.len), STATUS_LATER);
	assert_int_equal(unwrap_frame(unwrap, &ip, &first, first.len), 0);
	assert_int_equal(ip.protocol, 6);
	assert_int_equal(ip.payload_len, 8);
	assert_memory_equal(ip.payload.at, whole.bytes + whole.len - 8, 8);
	unwrap_count(unwrap, &counts);
	assert_int_equal(counts.fragments.joined, 1);
	unwrap_free(unwrap);
}

/* A part of eight bytes, at `part_at`, of a packet of IPv6 whose payload is itself a
 * part. */
static struct frame nested_part(unsigned part_at)
{
	struct address source, destination;
	struct frame frame = {0};

	(void)address_parse(&source, "2001:db8::1");
	(void)address_parse(&destination, "2001:db8::2");
	put_ethernet(&frame, 0x86dd);
	frame.len += put_ip(frame.bytes + frame.len, &source, &destination, 0, 16);
	frame.bytes[PACKET_ETHERNET + 6] = 44;
	PUT(&frame, part_at ? 6 : 44, 0, 0, (uint8_t)(part_at | (part_at ? 0 : 1)), 0, 0,
		0, 9);
	PUT(&frame, 6, 0, 0, 0x51, 0, 0, 0, 8); /* and the part inside of it */
	return frame;
}

static void parts_of_parts_are_refused(void **state)
{
	struct frame first = nested_part(0), second = nested_part(8);
	struct unwrap *unwrap;
	struct ip_packet ip;

	(void)state;
	assert_int_equal(unwrap_new(&unwrap, 0), 0);
	assert_int_equal(unwrap_frame(unwrap, &ip, &first, first.len), STATUS_LATER);
	assert_int_equal(unwrap_frame(unwrap, &ip, &second, second.len), STATUS_SYNTAX);
	unwrap_free(unwrap);
}

static void tunnels_have_names(void **state)
{
	unsigned tunnels = 99;

	(void)state;
	assert_int_equal(unwrap_parse_tunnels(&tunnels, ""), 0);
	assert_int_equal(tunnels, 0);
	assert_int_equal(unwrap_parse_tunnels(&tunnels, "vxlan,gre"), 0);
	assert_int_equal(tunnels, UNWRAP_VXLAN | UNWRAP_GRE);
	assert_int_equal(unwrap_parse_tunnels(&tunnels, "ipip,geneve,gre,vxlan"), 0);
	assert_int_equal(tunnels, ALL);
	assert_int_equal(unwrap_parse_tunnels(&tunnels, "gre,l2tp"), STATUS_UNKNOWN);
	assert_int_equal(unwrap_parse_tunnels(&tunnels, "gr"), STATUS_UNKNOWN);
	assert_int_equal(unwrap_parse_tunnels(&tunnels, ",gre"), STATUS_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tunnel_is_looked_into),
		cmocka_unit_test(no_tunnel_is_looked_into_unasked),
		cmocka_unit_test(a_cut_tunnel_shows_no_tcp),
		cmocka_unit_test(an_ordinary_packet_on_a_tunnels_port_is_itself),
		cmocka_unit_test(other_tunnels_are_set_aside_and_counted),
		cmocka_unit_test(nests_have_a_bound),
		cmocka_unit_test(a_fragmented_tunnel_is_put_together_first),
		cmocka_unit_test(parts_of_parts_are_refused),
		cmocka_unit_test(tunnels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
