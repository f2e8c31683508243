#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "probe_replies.h"
#include "reply_packet.h"

#define ID 0x1234

static const enum obs_protocol protocols[] = {OBS_TCP, OBS_UDP, OBS_ICMP};
static const char *const routers[] = {"192.0.2.7", "2001:db8:2::7"};

static void for_every_flow(
	void (*check)(const struct probe_flow *flow, const struct address *router))
{
	for (unsigned i = 0; i < 3; i++)
		for (unsigned v6 = 0; v6 < 2; v6++) {
			struct probe_flow flow = test_flow(protocols[i], v6 ? 6 : 4);
			struct address router = test_address(routers[v6]);

			check(&flow, &router);
		}
}

static void check_match(const struct reply_bytes *bytes, const struct probe_flow *flow,
	enum reply_kind kind, const struct address *from)
{
	struct reply_packet reply;

	assert_int_equal(reply_read(&reply, bytes), 0);
	assert_true(reply_packet_answers(&reply, flow, true));
	assert_int_equal(reply.id, ID);
	assert_int_equal(reply.kind, kind);
	assert_true(address_equal(&reply.from, from));
}

static void check_expired(const struct probe_flow *flow, const struct address *router)
{
	struct reply_bytes bytes = reply_expired(flow, router, ID);

	check_match(&bytes, flow, REPLY_EXPIRED, router);
}

static void a_router_where_the_ttl_ran_out_is_known_by_its_quote(void **state)
{
	(void)state;
	for_every_flow(check_expired);
}

static void check_arrival(const struct probe_flow *flow, const struct address *router)
{
	struct reply_bytes syn_ack = reply_arrival(flow, ID, 0x12);
	struct reply_bytes reset = reply_arrival(flow, ID, 0x14);

	(void)router;
	check_match(&syn_ack, flow, REPLY_ARRIVED, &flow->to);
	check_match(&reset, flow, REPLY_ARRIVED, &flow->to);
}

static void an_answer_of_the_destination_is_an_arrival(void **state)
{
	(void)state;
	for_every_flow(check_arrival);
}

/* Every byte that tells flows and probes apart, changed in turn: the reply must be
 * refused, or be for something else. Bytes of the quote that a router may rewrite are
 * left alone. */
static void check_changes(const struct probe_flow *flow, struct reply_bytes bytes,
	size_t from, size_t until)
{
	for (size_t i = from; i < until; i++) {
		struct reply_bytes changed = bytes;
		struct reply_packet reply;

		changed.bytes[i] ^= 0x41;
		if (changed.protocol != IPPROTO_TCP)
			reply_seal(&changed, &flow->from);
		if (reply_read(&reply, &changed) == 0)
			assert_false(reply_packet_answers(&reply, flow, true) &&
				     reply.id == ID);
	}
}

static void check_changed_quotes(
	const struct probe_flow *flow, const struct address *router)
{
	struct reply_bytes bytes = reply_expired(flow, router, ID);
	bool v6 = router->family == 6;
	size_t quote = bytes.header_len + 8, transport = quote + (v6 ? 40 : 20);

	check_changes(flow, bytes, quote + (v6 ? 6 : 9), quote + (v6 ? 7 : 10));
	check_changes(flow, bytes, quote + (v6 ? 24 : 16), quote + (v6 ? 40 : 20));
	if (flow->protocol == OBS_UDP) { /* its length tells nothing */
		check_changes(flow, bytes, transport, transport + 4);
		check_changes(flow, bytes, transport + 6, transport + 8);
	} else {
		check_changes(flow, bytes, transport, transport + 8);
	}
}

static void a_quote_of_anything_else_is_not_ours(void **state)
{
	(void)state;
	for_every_flow(check_changed_quotes);
}

static void an_answer_to_anything_else_is_not_ours(void **state)
{
	struct probe_flow tcp = test_flow(OBS_TCP, 4), icmp = test_flow(OBS_ICMP, 4);

	(void)state;
	check_changes(&tcp, reply_arrival(&tcp, ID, 0x12), 20, 24);
	check_changes(&tcp, reply_arrival(&tcp, ID, 0x12), 28, 32);
	check_changes(&tcp, reply_arrival(&tcp, ID, 0x12), 12, 16);
	check_changes(&icmp, reply_arrival(&icmp, ID, 0), 20, 21);
	check_changes(&icmp, reply_arrival(&icmp, ID, 0), 24, 28);
	check_changes(&icmp, reply_arrival(&icmp, ID, 0), 12, 16);
}

static void a_datagram_from_the_port_is_an_arrival_without_a_number(void **state)
{
	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		struct probe_flow flow = test_flow(OBS_UDP, family);
		struct reply_bytes bytes = reply_datagram(&flow, "hello, probe", 12);
		struct reply_packet reply;

		assert_int_equal(reply_read(&reply, &bytes), 0);
		assert_int_equal(reply.kind, REPLY_ARRIVED);
		assert_true(reply.is_data);
		assert_int_equal(reply.dns_number, 0);
		assert_true(reply_packet_answers(&reply, &flow, false));
		for (bytes.len = bytes.header_len; bytes.len < bytes.header_len + 8u;
			bytes.len++)
			assert_int_equal(reply_read(&reply, &bytes), STATUS_SHORT);
	}
}

static void a_dns_answer_has_the_number_of_its_question(void **state)
{
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	uint8_t answer[12] = {0x12, 0x34, 0x81, 0x05};
	struct reply_bytes bytes;
	struct reply_packet reply;

	(void)state;
	flow.to_port = PROBE_PACKET_DNS_PORT;
	bytes = reply_datagram(&flow, answer, sizeof(answer));
	assert_int_equal(reply_read(&reply, &bytes), 0);
	assert_int_equal(reply.dns_number, 0x1234);
	answer[2] = 0x01; /* a question */
	bytes = reply_datagram(&flow, answer, sizeof(answer));
	assert_int_equal(reply_read(&reply, &bytes), 0);
	assert_int_equal(reply.dns_number, 0);
	answer[2] = 0x81;
	bytes = reply_datagram(&flow, answer, sizeof(answer) - 1);
	assert_int_equal(reply_read(&reply, &bytes), 0);
	assert_int_equal(reply.dns_number, 0);
}

static void check_prefixes(const struct probe_flow *flow, const struct address *router)
{
	struct reply_bytes whole = reply_expired(flow, router, ID);

	for (size_t len = 0; len < whole.len; len++) {
		uint8_t *exact = malloc(len ? len : 1);
		struct reply_packet reply;

		assert_non_null(exact);
		memcpy(exact, whole.bytes, len);
		if (router->family == 4)
			assert_true(reply_packet_read_v4(&reply, exact, len) < 0);
		else
			assert_int_equal(reply_packet_read_v6(&reply, router,
						 whole.protocol, exact, len),
				STATUS_SHORT);
		free(exact);
	}
}

static void every_short_prefix_is_refused(void **state)
{
	(void)state;
	for_every_flow(check_prefixes);
}

static void a_wrong_icmp_checksum_is_corrupt(void **state)
{
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	struct address router = test_address(routers[0]);
	struct reply_bytes bytes = reply_expired(&flow, &router, ID);
	struct reply_packet reply;

	(void)state;
	bytes.bytes[30] ^= 1;
	assert_int_equal(reply_read(&reply, &bytes), STATUS_CORRUPT);
}

static void only_syn_acks_and_resets_that_acknowledge_are_answers(void **state)
{
	struct probe_flow flow = test_flow(OBS_TCP, 4);
	static const uint8_t others[] = {0x00, 0x02, 0x04, 0x10, 0x18, 0x11};

	(void)state;
	for (size_t i = 0; i < sizeof(others); i++) {
		struct reply_bytes bytes = reply_arrival(&flow, ID, others[i]);
		struct reply_packet reply;

		assert_int_equal(reply_read(&reply, &bytes), STATUS_NOT_OURS);
	}
}

static enum reply_kind kind_of(
	const struct probe_flow *flow, const char *from, uint8_t type, uint8_t code)
{
	struct address router = test_address(from);
	struct reply_bytes bytes = reply_error(flow, &router, type, code, ID, 48);
	struct reply_packet reply;

	assert_int_equal(reply_read(&reply, &bytes), 0);
	return reply.kind;
}

static void who_refuses_and_what_tells_arrival_from_a_closed_way(void **state)
{
	struct probe_flow udp = test_flow(OBS_UDP, 4), tcp = test_flow(OBS_TCP, 4),
			  v6 = test_flow(OBS_UDP, 6);

	(void)state;
	assert_int_equal(kind_of(&udp, "192.0.2.7", 3, 1), REPLY_UNREACHABLE);
	assert_int_equal(kind_of(&udp, "192.0.2.7", 3, 13), REPLY_UNREACHABLE);
	assert_int_equal(kind_of(&udp, "192.0.2.7", 3, 3), REPLY_ARRIVED);
	assert_int_equal(kind_of(&tcp, "192.0.2.7", 3, 3), REPLY_UNREACHABLE);
	assert_int_equal(kind_of(&tcp, "203.0.113.9", 3, 13), REPLY_ARRIVED);
	assert_int_equal(kind_of(&v6, "2001:db8:2::7", 1, 4), REPLY_ARRIVED);
	assert_int_equal(kind_of(&v6, "2001:db8:2::7", 1, 0), REPLY_UNREACHABLE);
	/* A loop's end: the destination's address does not make a TTL's end an arrival.
	 */
	assert_int_equal(kind_of(&udp, "203.0.113.9", 11, 0), REPLY_EXPIRED);
}

static void what_says_nothing_of_the_path_is_not_ours(void **state)
{
	static const uint8_t others[][2] = {{11, 1}, {5, 1}, {8, 0}, {12, 0}};
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	struct address router = test_address(routers[0]);

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct reply_bytes bytes =
			reply_error(&flow, &router, others[i][0], others[i][1], ID, 28);
		struct reply_packet reply;

		assert_int_equal(reply_read(&reply, &bytes), STATUS_NOT_OURS);
	}
}

static enum obs_unreachable why_of(unsigned family, uint8_t code)
{
	struct probe_flow flow = test_flow(OBS_TCP, family);
	struct address router = test_address(routers[family == 6]);
	struct reply_bytes bytes = reply_error(
		&flow, &router, family == 6 ? 1 : 3, code, ID, family == 6 ? 48 : 28);
	struct reply_packet reply;

	assert_int_equal(reply_read(&reply, &bytes), 0);
	assert_int_equal(reply.kind, REPLY_UNREACHABLE);
	return reply.why;
}

static void a_refusal_says_why(void **state)
{
	(void)state;
	assert_int_equal(why_of(4, 0), OBS_NETWORK);
	assert_int_equal(why_of(4, 1), OBS_HOST);
	assert_int_equal(why_of(4, 2), OBS_NO_PROTOCOL);
	assert_int_equal(why_of(4, 3), OBS_NO_PORT);
	assert_int_equal(why_of(4, 10), OBS_PROHIBITED);
	assert_int_equal(why_of(4, 13), OBS_PROHIBITED);
	assert_int_equal(why_of(4, 200), OBS_OTHER_REASON);
	assert_int_equal(why_of(6, 0), OBS_NETWORK);
	assert_int_equal(why_of(6, 1), OBS_PROHIBITED);
	assert_int_equal(why_of(6, 3), OBS_HOST);
	assert_int_equal(why_of(6, 99), OBS_OTHER_REASON);
}

static void a_packet_that_was_too_big_brings_the_mtu(void **state)
{
	static const struct {
		unsigned family;
		uint8_t rest[4];
		uint16_t mtu;
	} cases[] = {{4, {0, 0, 0x05, 0x14}, 1300}, {4, {0}, 0},
		{6, {0, 0, 0x05, 0x00}, 1280}, {6, {0, 1, 0, 0}, UINT16_MAX}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool v6 = cases[i].family == 6;
		struct probe_flow flow = test_flow(OBS_UDP, cases[i].family);
		struct address router = test_address(routers[v6]);
		struct reply_bytes bytes = reply_error(
			&flow, &router, v6 ? 2 : 3, v6 ? 0 : 4, ID, v6 ? 48 : 28);
		struct reply_packet reply;

		memcpy(bytes.bytes + bytes.header_len + 4, cases[i].rest, 4);
		reply_seal(&bytes, &flow.from);
		assert_int_equal(reply_read(&reply, &bytes), 0);
		assert_int_equal(reply.kind, REPLY_TOO_BIG);
		assert_int_equal(reply.mtu, cases[i].mtu);
		assert_int_equal(reply.id, ID);
	}
}

/* Changes one byte of the quoted packet of a reply from a router. */
static struct reply_packet read_changed(unsigned family, size_t at, uint8_t value)
{
	struct probe_flow flow = test_flow(OBS_UDP, family);
	struct address router = test_address(routers[family == 6]);
	struct reply_bytes bytes = reply_expired(&flow, &router, ID);
	struct reply_packet reply;

	bytes.bytes[bytes.header_len + 8 + at] = value;
	reply_seal(&bytes, &flow.from);
	assert_int_equal(reply_read(&reply, &bytes), 0);
	return reply;
}

static void what_was_changed_on_the_way_shows_in_the_quote(void **state)
{
	struct probe_flow v4 = test_flow(OBS_UDP, 4), v6 = test_flow(OBS_UDP, 6);
	struct reply_packet reply = read_changed(4, 8, 1);

	(void)state;
	assert_false(reply_packet_is_translated(&reply, &v4));
	assert_int_equal(reply.quoted_ttl, 1);
	assert_int_equal(reply.quoted_tos, 0);
	assert_int_equal(reply.ttl, 64);
	reply = read_changed(4, 8, 3);
	assert_int_equal(reply.quoted_ttl, 3);
	reply = read_changed(4, 1, 0xb8);
	assert_int_equal(reply.quoted_tos, 0xb8);
	reply = read_changed(4, 12, 10); /* another source */
	assert_true(reply_packet_is_translated(&reply, &v4));
	reply = read_changed(4, 26, 0x77); /* another checksum: the id stands twice */
	assert_true(reply_packet_is_translated(&reply, &v4));
	assert_int_equal(reply.second_id, ID);
	reply = read_changed(6, 1, 0x20);
	assert_int_equal(reply.quoted_tos, 2);
	assert_false(reply_packet_is_translated(&reply, &v6));
	reply = read_changed(6, 15, 0x99);
	assert_true(reply_packet_is_translated(&reply, &v6));
}

static void options_in_a_quoted_header_are_stepped_over(void **state)
{
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	struct address router = test_address(routers[0]);
	struct reply_bytes bytes = reply_error(&flow, &router, 11, 0, ID, 32);

	(void)state;
	memmove(bytes.bytes + 52, bytes.bytes + 48, 8);
	memset(bytes.bytes + 48, 1, 4); /* four "no operation"s */
	bytes.bytes[28] = 0x46;
	reply_seal(&bytes, &flow.from);
	check_match(&bytes, &flow, REPLY_EXPIRED, &router);
}

static void labels_behind_the_quote_are_read(void **state)
{
	static const uint8_t extension[] = {
		0x20, 0, 0, 0, 0, 8, 1, 1, 0x12, 0x34, 0x5b, 0x40};
	struct address router[] = {test_address(routers[0]), test_address(routers[1])};

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct probe_flow flow = test_flow(OBS_UDP, v6 ? 6 : 4);
		struct reply_bytes bytes =
			reply_error(&flow, &router[v6], v6 ? 3 : 11, 0, ID, 128);
		struct reply_packet reply;

		bytes.bytes[bytes.header_len + (v6 ? 4 : 5)] = v6 ? 16 : 32;
		memcpy(bytes.bytes + bytes.len, extension, sizeof(extension));
		bytes.len += sizeof(extension);
		reply_seal(&bytes, &flow.from);
		assert_int_equal(reply_read(&reply, &bytes), 0);
		assert_int_equal(reply.mpls_count, 1);
		assert_int_equal(reply.mpls[0].label, 0x12345);
		assert_int_equal(reply.mpls[0].tc, 5);
		assert_int_equal(reply.mpls[0].s, 1);
		assert_int_equal(reply.mpls[0].ttl, 0x40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_router_where_the_ttl_ran_out_is_known_by_its_quote),
		cmocka_unit_test(an_answer_of_the_destination_is_an_arrival),
		cmocka_unit_test(a_quote_of_anything_else_is_not_ours),
		cmocka_unit_test(an_answer_to_anything_else_is_not_ours),
		cmocka_unit_test(a_datagram_from_the_port_is_an_arrival_without_a_number),
		cmocka_unit_test(a_dns_answer_has_the_number_of_its_question),
		cmocka_unit_test(every_short_prefix_is_refused),
		cmocka_unit_test(a_wrong_icmp_checksum_is_corrupt),
		cmocka_unit_test(only_syn_acks_and_resets_that_acknowledge_are_answers),
		cmocka_unit_test(who_refuses_and_what_tells_arrival_from_a_closed_way),
		cmocka_unit_test(what_says_nothing_of_the_path_is_not_ours),
		cmocka_unit_test(a_refusal_says_why),
		cmocka_unit_test(a_packet_that_was_too_big_brings_the_mtu),
		cmocka_unit_test(what_was_changed_on_the_way_shows_in_the_quote),
		cmocka_unit_test(options_in_a_quoted_header_are_stepped_over),
		cmocka_unit_test(labels_behind_the_quote_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
