#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <string.h>
#include <cmocka.h>

#include "internet_checksum.h"
#include "probe_packet.h"
#include "probe_replies.h"
#include "syn_mark.h"

static const enum obs_protocol protocols[] = {OBS_TCP, OBS_UDP, OBS_ICMP};

static size_t header_len(unsigned family)
{
	return family == 6 ? 40 : 20;
}

static void for_every_flow(void (*check)(const struct probe_flow *flow, unsigned family))
{
	for (unsigned i = 0; i < 3; i++) {
		struct probe_flow v4 = test_flow(protocols[i], 4);
		struct probe_flow v6 = test_flow(protocols[i], 6);

		check(&v4, 4);
		check(&v6, 6);
		v4.to_port = v6.to_port = PROBE_PACKET_DNS_PORT;
		check(&v4, 4);
		check(&v6, 6);
	}
}

static void check_first_bytes(const struct probe_flow *flow, unsigned family)
{
	uint8_t first[PROBE_PACKET_MAX], other[PROBE_PACKET_MAX];
	size_t at = header_len(family);

	(void)probe_packet_build(first, flow, 1, 1);
	for (unsigned id = 2; id < 0xffff; id += 7) {
		(void)probe_packet_build(other, flow, (uint8_t)(id % 64), (uint16_t)id);
		assert_memory_equal(first + at, other + at, 4);
	}
}

static void what_routers_choose_by_is_the_same_in_a_whole_flow(void **state)
{
	(void)state;
	for_every_flow(check_first_bytes);
}

static uint16_t sum_of(
	const struct probe_flow *flow, unsigned family, const uint8_t *packet, size_t len)
{
	static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6};
	size_t at = header_len(family);
	uint32_t sum = 0;

	if (flow->protocol != OBS_ICMP || family == 6)
		sum = internet_checksum_add_pseudo(
			sum, &flow->from, &flow->to, numbers[flow->protocol], len - at);
	return internet_checksum_fold(internet_checksum_add(sum, packet + at, len - at));
}

static void check_checksum(const struct probe_flow *flow, unsigned family)
{
	uint8_t packet[PROBE_PACKET_MAX];

	for (unsigned id = 1; id < 0xffff; id += 3) {
		size_t len = probe_packet_build(packet, flow, 9, (uint16_t)id);

		assert_int_equal(sum_of(flow, family, packet, len), 0xffff);
	}
}

static void every_checksum_is_right(void **state)
{
	(void)state;
	for_every_flow(check_checksum);
}

static void check_padded(const struct probe_flow *flow, unsigned family)
{
	uint8_t packet[1500] = {0}, bare[PROBE_PACKET_MAX];
	size_t padding = 1500 - probe_packet_len(flow), at = header_len(family);
	size_t len = probe_packet_build_padded(packet, flow, 9, 0x1234, padding);

	assert_int_equal(len, probe_packet_len(flow));
	assert_int_equal(len + padding, 1500);
	assert_int_equal(sum_of(flow, family, packet, 1500), 0xffff);
	(void)probe_packet_build(bare, flow, 1, 1);
	assert_memory_equal(bare + at, packet + at, 4); /* the same flow */
	if (family == 4)
		assert_int_equal(packet[6], 0x40); /* not to be fragmented */
	assert_int_equal(packet[family == 4 ? 2 : 4] << 8 | packet[family == 4 ? 3 : 5],
		family == 4 ? 1500 : 1460);
}

static void a_padded_packet_is_right_with_the_zeros_behind_it(void **state)
{
	(void)state;
	for_every_flow(check_padded);
}

static void the_ip_header_is_complete(void **state)
{
	struct probe_flow flow = test_flow(OBS_UDP, 4);
	uint8_t packet[PROBE_PACKET_MAX];
	size_t len = probe_packet_build(packet, &flow, 17, 0x1234);

	(void)state;
	assert_int_equal(len, 32);
	assert_int_equal(packet[0], 0x45);
	assert_int_equal(packet[3], len);
	assert_int_equal(packet[8], 17);
	assert_int_equal(packet[9], IPPROTO_UDP);
	assert_memory_equal(packet + 12, flow.from.bytes, 4);
	assert_memory_equal(packet + 16, flow.to.bytes, 4);

	flow = test_flow(OBS_ICMP, 6);
	len = probe_packet_build(packet, &flow, 17, 0x1234);
	assert_int_equal(len, 52);
	assert_memory_equal(packet, "\x60\0\0\0\0\x0c\x3a\x11", 8); /* flow label 0 */
	assert_memory_equal(packet + 8, flow.from.bytes, 16);
	assert_memory_equal(packet + 24, flow.to.bytes, 16);
}

static void the_id_stands_within_the_eight_bytes_that_are_quoted(void **state)
{
	struct probe_flow tcp = test_flow(OBS_TCP, 4), udp = test_flow(OBS_UDP, 4),
			  icmp = test_flow(OBS_ICMP, 4);
	uint8_t packet[PROBE_PACKET_MAX];

	(void)state;
	(void)probe_packet_build(packet, &tcp, 3, 0x1234);
	assert_memory_equal(packet + 24, "\xbe\xef\x12\x34", 4);
	(void)probe_packet_build(packet, &udp, 3, 0x1234);
	assert_memory_equal(packet + 26, "\x12\x34", 2);
	(void)probe_packet_build(packet, &icmp, 3, 0x1234);
	assert_memory_equal(packet + 26, "\x12\x34", 2);
}

static void check_question(const struct probe_flow *flow, unsigned family)
{
	uint8_t packet[PROBE_PACKET_MAX], payload[PROBE_PACKET_MAX];
	const uint8_t *question = packet + header_len(family) + 8;
	size_t len;

	if (flow->protocol != OBS_UDP || flow->to_port != PROBE_PACKET_DNS_PORT)
		return;
	for (unsigned id = 1; id < 0xffff; id += 3) {
		len = probe_packet_build(packet, flow, 1, (uint16_t)id);
		assert_int_equal(len, probe_packet_len(flow));
		assert_int_equal(probe_packet_id_of_number(flow,
					 (uint16_t)(question[0] << 8 | question[1])),
			id);
	}
	/* RFC 1035 4.1: one question, no answers; the root's name is one zero. */
	assert_int_equal(question[5], 1);
	len = probe_packet_payload(payload, flow, 0x1234);
	assert_int_equal(len, 17);
	assert_int_equal(payload[0] << 8 | payload[1], 0x1234);
	assert_memory_equal(payload + 2, question + 2, len - 2);
}

static void a_dns_question_tells_its_probe_by_its_number(void **state)
{
	(void)state;
	for_every_flow(check_question);
}

static void a_syn_can_be_told_from_a_connection(void **state)
{
	struct probe_flow flow = test_flow(OBS_TCP, 4);
	uint8_t packet[PROBE_PACKET_MAX];

	(void)state;
	(void)probe_packet_build(packet, &flow, 3, 0x1234);
	assert_int_equal(packet[33], 0x02); /* SYN alone */
	assert_int_equal(packet[34] << 8 | packet[35], SYN_MARK_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_routers_choose_by_is_the_same_in_a_whole_flow),
		cmocka_unit_test(every_checksum_is_right),
		cmocka_unit_test(a_padded_packet_is_right_with_the_zeros_behind_it),
		cmocka_unit_test(the_ip_header_is_complete),
		cmocka_unit_test(the_id_stands_within_the_eight_bytes_that_are_quoted),
		cmocka_unit_test(a_dns_question_tells_its_probe_by_its_number),
		cmocka_unit_test(a_syn_can_be_told_from_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
