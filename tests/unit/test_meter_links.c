/*
 * The same conversations in every dress that a capture may show them in: link layers,
 * tags and labels, tunnels, fragments, extension headers, padding, offload. Whatever is
 * around a packet, the answer is the same to the microsecond.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "talk_maker.h"

#define TALKS SPEECHES
#define FRAME_MAX (PACKET_MAX + 512)

/* A frame while it is put together, from its end to its beginning. */
struct frame {
	const struct packet *packet; /* what it carries */
	bool v6;                     /* the outermost of IP so far */
	bool back;                   /* from the server */
	uint8_t *at;                 /* the first byte */
	size_t len;
	uint8_t bytes[FRAME_MAX];
};

static uint8_t *put_before(struct frame *frame, size_t len)
{
	assert_true(frame->at - frame->bytes >= (ptrdiff_t)len);
	frame->at -= len;
	frame->len += len;
	memset(frame->at, 0, len);
	return frame->at;
}

static void put(struct frame *frame, const void *bytes, size_t len)
{
	memcpy(put_before(frame, len), bytes, len);
}

static unsigned ethertype(const struct frame *frame)
{
	return frame->v6 ? 0x86dd : 0x0800;
}

static void put_ethertype(struct frame *frame, unsigned type)
{
	put_u16(put_before(frame, 2), type);
}

static void ethernet(struct frame *frame)
{
	put_ethertype(frame, ethertype(frame));
	(void)put_before(frame, 12);
}

/* Numbers that differ by direction. */
static void tag(struct frame *frame, unsigned type)
{
	put_u16(put_before(frame, 2), type);
	put_u16(put_before(frame, 2), frame->back ? 0x2064 : 0x0065);
}

static void vlan(struct frame *frame)
{
	tag(frame, ethertype(frame));
	put_ethertype(frame, 0x8100);
	(void)put_before(frame, 12);
}

static void qinq(struct frame *frame)
{
	tag(frame, ethertype(frame));
	tag(frame, 0x8100);
	put_ethertype(frame, 0x88a8);
	(void)put_before(frame, 12);
}

static void qinq_of_old(struct frame *frame)
{
	tag(frame, ethertype(frame));
	tag(frame, 0x8100);
	put_ethertype(frame, 0x9100);
	(void)put_before(frame, 12);
}

static void cooked(struct frame *frame)
{
	put_ethertype(frame, ethertype(frame));
	(void)put_before(frame, 14);
}

static void cooked_2(struct frame *frame)
{
	(void)put_before(frame, 18);
	put_ethertype(frame, ethertype(frame));
}

static void raw(struct frame *frame)
{
	(void)frame;
}

static void null_little(struct frame *frame)
{
	const uint8_t family[] = {frame->v6 ? 30 : 2, 0, 0, 0};

	put(frame, family, 4);
}

static void null_big(struct frame *frame)
{
	const uint8_t family[] = {0, 0, 0, frame->v6 ? 28 : 2};

	put(frame, family, 4);
}

static void ppp(struct frame *frame)
{
	put(frame, frame->v6 ? "\0\x57" : "\0\x21", 2);
}

static void ppp_short(struct frame *frame)
{
	put(frame, frame->v6 ? "\x57" : "\x21", 1);
}

static void ppp_serial(struct frame *frame)
{
	ppp(frame);
	put(frame, "\xff\3", 2);
}

static void pppoe_header(struct frame *frame)
{
	uint8_t *at;
	size_t len;

	ppp(frame);
	len = frame->len;
	at = put_before(frame, 6);
	at[0] = 0x11;
	at[3] = frame->back ? 1 : 2;
	put_u16(at + 4, (unsigned)len);
}

static void pppoe(struct frame *frame)
{
	pppoe_header(frame);
	put_ethertype(frame, 0x8864);
	(void)put_before(frame, 12);
}

static void label(struct frame *frame, uint32_t number, bool bottom)
{
	put_u32(put_before(frame, 4), number << 12 | (uint32_t)bottom << 8 | 64);
}

static void mpls(struct frame *frame)
{
	label(frame, frame->back ? 77 : 1000, true);
	label(frame, 16, false);
	label(frame, 17, false);
	put_ethertype(frame, 0x8847);
	(void)put_before(frame, 12);
}

static void mpls_wire(struct frame *frame)
{
	ethernet(frame);
	(void)put_before(frame, 4); /* the control word */
	label(frame, 99, true);
	put_ethertype(frame, 0x8847);
	(void)put_before(frame, 12);
}

static void padded(struct frame *frame)
{
	size_t padding = frame->len < 46 ? 46 - frame->len : 4; /* or a checksum */

	memset(frame->at + frame->len, 0xa5, padding);
	frame->len += padding;
	ethernet(frame);
}

static void outer_ip(struct frame *frame, bool v6, uint8_t protocol)
{
	size_t len = frame->len;
	uint8_t *at = put_before(frame, v6 ? 40 : 20);

	at[0] = v6 ? 0x60 : 0x45;
	at[v6 ? 6 : 9] = protocol;
	at[v6 ? 7 : 8] = 64;
	put_u16(at + (v6 ? 4 : 2), (unsigned)(v6 ? len : len + 20));
	at[v6 ? 23 : 15] = frame->back ? 1 : 2;
	at[v6 ? 39 : 19] = frame->back ? 2 : 1;
	frame->v6 = v6;
}

static void gre(struct frame *frame)
{
	put_u16(put_before(frame, 2), ethertype(frame));
	put_u16(put_before(frame, 2), 0);
	outer_ip(frame, false, 47);
	ethernet(frame);
}

static void gre_bridge(struct frame *frame)
{
	ethernet(frame);
	(void)put_before(frame, 12); /* checksum, key, sequence */
	put_u16(put_before(frame, 2), 0x6558);
	put_u16(put_before(frame, 2), 0xb000);
	outer_ip(frame, true, 47);
	ethernet(frame);
}

static void erspan_2(struct frame *frame)
{
	vlan(frame);
	put_before(frame, 8)[0] = 0x10;
	(void)put_before(frame, 4); /* sequence */
	put_u16(put_before(frame, 2), 0x88be);
	put_u16(put_before(frame, 2), 0x1000);
	outer_ip(frame, false, 47);
	ethernet(frame);
}

static void erspan_3(struct frame *frame)
{
	uint8_t *at;

	ethernet(frame);
	(void)put_before(frame, 8); /* the platform's own */
	at = put_before(frame, 12);
	at[0] = 0x20;
	at[11] = 1;
	(void)put_before(frame, 4);
	put_u16(put_before(frame, 2), 0x22eb);
	put_u16(put_before(frame, 2), 0x1000);
	outer_ip(frame, false, 47);
	ethernet(frame);
}

static void in_four(struct frame *frame)
{
	outer_ip(frame, false, frame->v6 ? 41 : 4);
	ethernet(frame);
}

static void in_six(struct frame *frame)
{
	outer_ip(frame, true, frame->v6 ? 41 : 4);
	ethernet(frame);
}

static void outer_udp(struct frame *frame, unsigned port)
{
	size_t len = frame->len;
	uint8_t *at = put_before(frame, 8);

	put_u16(at, 50000);
	put_u16(at + 2, port);
	put_u16(at + 4, (unsigned)len + 8);
}

static void vxlan_inside(struct frame *frame)
{
	ethernet(frame);
	put(frame, frame->back ? "\x8\0\0\0\0\0\1\0" : "\x8\0\0\0\0\0\2\0", 8);
	outer_udp(frame, 4789);
	outer_ip(frame, false, 17);
}

static void vxlan(struct frame *frame)
{
	vxlan_inside(frame);
	ethernet(frame);
}

static void geneve(struct frame *frame)
{
	ethernet(frame);
	(void)put_before(frame, 8); /* options */
	put(frame, "\2\0\x65\x58\0\0\7\0", 8);
	outer_udp(frame, 6081);
	outer_ip(frame, true, 17);
	ethernet(frame);
}

static void nested(struct frame *frame)
{
	vxlan_inside(frame);
	put_u16(put_before(frame, 2), ethertype(frame));
	put_u16(put_before(frame, 2), 0);
	outer_ip(frame, true, 47);
	outer_ip(frame, false, 41);
	vlan(frame);
}

static void six_extended(struct frame *frame)
{
	static const uint8_t headers[] = {43, 0, 1, 4, 0, 0, 0, 0, /* hop by hop */
		60, 0, 0, 0, 0, 0, 0, 0,                           /* routing */
		6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};  /* destination */
	uint8_t ip[40];

	if (frame->v6) {
		memcpy(ip, frame->at, sizeof(ip));
		ip[6] = 0;
		put_u16(ip + 4, (unsigned)(frame->len - 40 + sizeof(headers)));
		frame->at += 40;
		frame->len -= 40;
		put(frame, headers, sizeof(headers));
		put(frame, ip, sizeof(ip));
	}
	ethernet(frame);
}

/* Segmentation offload: the packet says nothing of how long it is. */
static void offloaded(struct frame *frame)
{
	put_u16(frame->at + (frame->v6 ? 4 : 2), 0);
	ethernet(frame);
}

static const struct dress {
	const char *name;
	int link_type;
	unsigned tunnels;
	void (*put_on)(struct frame *frame);
} dresses[] = {
	{"VLAN", LINK_LAYER_ETHERNET, 0, vlan},
	{"QinQ", LINK_LAYER_ETHERNET, 0, qinq},
	{"QinQ of old", LINK_LAYER_ETHERNET, 0, qinq_of_old},
	{"cooked", LINK_LAYER_COOKED, 0, cooked},
	{"cooked 2", LINK_LAYER_COOKED_2, 0, cooked_2},
	{"raw", LINK_LAYER_RAW, 0, raw},
	{"raw of BSD", LINK_LAYER_RAW_BSD, 0, raw},
	{"raw of OpenBSD", LINK_LAYER_RAW_OPENBSD, 0, raw},
	{"IPv4", LINK_LAYER_IPV4, 0, raw},
	{"IPv6", LINK_LAYER_IPV6, 0, raw},
	{"NULL, little", LINK_LAYER_NULL, 0, null_little},
	{"NULL, big", LINK_LAYER_NULL, 0, null_big},
	{"LOOP", LINK_LAYER_LOOP, 0, null_big},
	{"PPP", LINK_LAYER_PPP, 0, ppp},
	{"PPP, short", LINK_LAYER_PPP, 0, ppp_short},
	{"PPP, serial", LINK_LAYER_PPP_SERIAL, 0, ppp_serial},
	{"PPPoE's own", LINK_LAYER_PPP_ETHER, 0, pppoe_header},
	{"PPPoE", LINK_LAYER_ETHERNET, 0, pppoe},
	{"MPLS", LINK_LAYER_ETHERNET, 0, mpls},
	{"Ethernet over MPLS", LINK_LAYER_ETHERNET, 0, mpls_wire},
	{"padding", LINK_LAYER_ETHERNET, 0, padded},
	{"extension headers", LINK_LAYER_ETHERNET, 0, six_extended},
	{"offload", LINK_LAYER_ETHERNET, 0, offloaded},
	{"GRE", LINK_LAYER_ETHERNET, UNWRAP_GRE, gre},
	{"GRE that bridges", LINK_LAYER_ETHERNET, UNWRAP_GRE, gre_bridge},
	{"ERSPAN II", LINK_LAYER_ETHERNET, UNWRAP_GRE, erspan_2},
	{"ERSPAN III", LINK_LAYER_ETHERNET, UNWRAP_GRE, erspan_3},
	{"in IPv4", LINK_LAYER_ETHERNET, UNWRAP_IP_IN_IP, in_four},
	{"in IPv6", LINK_LAYER_ETHERNET, UNWRAP_IP_IN_IP, in_six},
	{"VXLAN", LINK_LAYER_ETHERNET, UNWRAP_VXLAN, vxlan},
	{"Geneve", LINK_LAYER_ETHERNET, UNWRAP_GENEVE, geneve},
	{"VXLAN in GRE in IPv6 in IPv4", LINK_LAYER_ETHERNET,
		UNWRAP_VXLAN | UNWRAP_GRE | UNWRAP_IP_IN_IP, nested},
};

#define DRESSES (sizeof(dresses) / sizeof(dresses[0]))

static void frame_of(struct frame *frame, const struct packet *packet)
{
	frame->packet = packet;
	frame->len = packet->len - PACKET_ETHERNET;
	frame->at = frame->bytes + 256;
	memcpy(frame->at, packet->bytes + PACKET_ETHERNET, frame->len);
	frame->v6 = frame->at[0] >> 4 == 6;
	frame->back = is_from_server(frame->at);
}

static void give(struct meter *meter, int link_type, const struct frame *frame)
{
	/* An exact copy, so that reading one byte too far is seen. */
	uint8_t *copy = malloc(frame->len);

	memcpy(copy, frame->at, frame->len);
	meter_packet(meter, link_type, frame->packet->at, copy, (uint32_t)frame->len,
		(uint32_t)frame->len);
	free(copy);
}

static void show_dressed(
	struct stage *stage, struct meter *meter, const struct packet *packet)
{
	const struct dress *dress = &dresses[stage->dress];
	struct frame frame;

	frame_of(&frame, packet);
	dress->put_on(&frame);
	give(meter, dress->link_type, &frame);
}

#define PARTS_MAX 16

/* The part of the packet from byte `from` of its payload on, as a fragment. */
static void part_of(struct frame *part, const struct frame *whole, size_t from,
	size_t until, uint32_t number)
{
	size_t header = whole->v6 ? 40 : 20, len = until - from;
	bool more = header + until < whole->len;
	uint8_t *at;

	part->packet = whole->packet;
	part->v6 = whole->v6;
	part->at = part->bytes + 256;
	part->len = len;
	memcpy(part->at, whole->at + header + from, len);
	if (whole->v6) {
		at = put_before(part, 8);
		at[0] = whole->at[6];
		put_u16(at + 2, (unsigned)(from | more));
		put_u32(at + 4, number);
	}
	put(part, whole->at, header);
	at = part->at;
	if (whole->v6) {
		at[6] = 44;
		put_u16(at + 4, (unsigned)(len + 8));
	} else {
		put_u16(at + 2, (unsigned)(len + 20));
		put_u16(at + 4, number);
		put_u16(at + 6, (unsigned)(from / 8 | (more ? 0x2000 : 0)));
	}
	ethernet(part);
}

/* Cut into parts at random places, which come in any order. */
static void show_in_parts(
	struct stage *stage, struct meter *meter, const struct packet *packet)
{
	static struct frame whole, part;
	size_t cuts[PARTS_MAX + 1] = {0}, payload;
	unsigned count = 0, first;

	frame_of(&whole, packet);
	payload = whole.len - (whole.v6 ? 40 : 20);
	while (cuts[count] < payload && count < PARTS_MAX) {
		size_t step = 8 * (1 + roll(stage, 100));

		cuts[count + 1] = cuts[count] + step < payload && count + 1 < PARTS_MAX
					  ? cuts[count] + step
					  : payload;
		count++;
	}
	if (count == 1) {
		ethernet(&whole);
		give(meter, LINK_LAYER_ETHERNET, &whole);
		return;
	}
	first = roll(stage, count);
	for (unsigned i = 0; i < count; i++) {
		unsigned place = (first + i) % count;

		part_of(&part, &whole, cuts[place], cuts[place + 1],
			(uint32_t)stage->late);
		give(meter, LINK_LAYER_ETHERNET, &part);
	}
	stage->late++; /* the number of the next */
}

struct script {
	struct stage *stage;
	struct talk talks[TALKS];
	struct traffic_sum *plain;
};

static void begin(struct script *script, uint32_t round, const struct disturbance *how)
{
	script->stage = raise_stage(round);
	for (unsigned i = 0; i < TALKS; i++)
		make_talk(script->stage, &script->talks[i], (enum speech)i, 4);
	measure_talks(script->stage, script->talks, TALKS, how);
	script->plain = keep_sum(script->stage);
	assert_int_equal(traffic_sum_count(script->plain), 4);
}

static void end(struct script *script)
{
	traffic_sum_free(script->plain);
	strike_stage(script->stage, script->talks, TALKS);
}

static const struct disturbance plainly = {.segment_max = 1400};

static void every_dress_shows_the_same(void **state)
{
	struct script script;

	(void)state;
	begin(&script, 0, &plainly);
	for (unsigned i = 0; i < DRESSES; i++) {
		script.stage->dress = i;
		script.stage->tunnels = dresses[i].tunnels;
		script.stage->show = show_dressed;
		print_message("%s\n", dresses[i].name);
		measure_talks(script.stage, script.talks, TALKS, &plainly);
		assert_same_sums(script.stage, script.plain);
	}
	end(&script);
}

/* All tunnels are looked for in what has none. */
static void looking_for_tunnels_changes_nothing(void **state)
{
	struct script script;

	(void)state;
	begin(&script, 1, &plainly);
	script.stage->tunnels = (1u << UNWRAP_TUNNELS) - 1;
	measure_talks(script.stage, script.talks, TALKS, &plainly);
	assert_same_sums(script.stage, script.plain);
	end(&script);
}

static void fragments_in_any_order_show_the_same(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 4; round++) {
		struct script script;

		begin(&script, round, &plainly);
		script.stage->show = show_in_parts;
		measure_talks(script.stage, script.talks, TALKS, &plainly);
		assert_true(script.stage->late > 100); /* packets were in parts */
		assert_same_sums(script.stage, script.plain);
		end(&script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dress_shows_the_same),
		cmocka_unit_test(looking_for_tunnels_changes_nothing),
		cmocka_unit_test(fragments_in_any_order_show_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
