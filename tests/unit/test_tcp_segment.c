#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "packet_builder.h"

static struct ip_packet ip_over(const uint8_t *bytes, size_t captured, uint32_t len)
{
	return (struct ip_packet){.protocol = 6,
		.id = 9,
		.payload_len = len,
		.payload = cursor_over(bytes, captured)};
}

static void numbers_and_data_are_read(void **state)
{
	uint8_t bytes[64] = {0};
	struct ip_packet ip = ip_over(bytes, 30, 1020);
	struct tcp_segment segment;

	(void)state;
	put_tcp(bytes, 40000, 443, 0x01020304, 0x05060708, TCP_SEGMENT_ACK);
	assert_int_equal(tcp_segment_read(&segment, &ip), 0);
	assert_int_equal(segment.source_port, 40000);
	assert_int_equal(segment.destination_port, 443);
	assert_int_equal(segment.seq, 0x01020304);
	assert_int_equal(segment.ack, 0x05060708);
	assert_int_equal(segment.len, 1000);
	assert_int_equal(segment.captured, 10);
	assert_ptr_equal(segment.data, bytes + 20);
}

static void every_short_header_is_refused(void **state)
{
	uint8_t bytes[40] = {0};
	struct tcp_segment segment;

	(void)state;
	put_tcp(bytes, 1, 2, 3, 4, 0);
	for (size_t len = 0; len < 20; len++) {
		struct ip_packet ip = ip_over(bytes, len, 40);

		assert_int_equal(tcp_segment_read(&segment, &ip), STATUS_SHORT);
	}
}

static void a_header_beyond_the_packet_is_refused(void **state)
{
	uint8_t bytes[64] = {0};
	struct ip_packet ip = ip_over(bytes, 20, 20);
	struct tcp_segment segment;

	(void)state;
	put_tcp(bytes, 1, 2, 3, 4, 0);
	bytes[12] = 0x60;
	assert_int_equal(tcp_segment_read(&segment, &ip), STATUS_SYNTAX);
	bytes[12] = 0x40;
	assert_int_equal(tcp_segment_read(&segment, &ip), STATUS_SYNTAX);
}

/* With timestamps: no-op, no-op, kind 8, length 10, value, echo. */
static uint32_t mark_with(uint16_t id, uint32_t timestamp)
{
	uint8_t bytes[40] = {[20] = 1, 1, 8, 10};
	struct ip_packet ip = ip_over(bytes, 32, 32);
	struct tcp_segment segment;

	put_tcp(bytes, 1, 2, 3, 4, TCP_SEGMENT_ACK);
	bytes[12] = 0x80;
	put_u32(bytes + 24, timestamp);
	ip.id = id;
	assert_int_equal(tcp_segment_read(&segment, &ip), 0);
	return segment.mark;
}

static void a_retransmission_is_marked_otherwise(void **state)
{
	(void)state;
	assert_int_equal(mark_with(5, 100), mark_with(5, 100));
	assert_int_not_equal(mark_with(5, 100), mark_with(6, 100));
	assert_int_not_equal(mark_with(0, 100), mark_with(0, 101));
	assert_int_equal(mark_with(0, 0), 0);
}

static void broken_options_are_survived(void **state)
{
	uint8_t bytes[64] = {0};
	struct ip_packet ip = ip_over(bytes, 60, 60);
	struct tcp_segment segment;

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++)
		for (unsigned len = 0; len < 256; len++) {
			put_tcp(bytes, 1, 2, 3, 4, 0);
			bytes[12] = 0xf0;
			memset(bytes + 20, (int)kind, 40);
			bytes[21] = (uint8_t)len;
			assert_int_equal(tcp_segment_read(&segment, &ip), 0);
			assert_int_equal(segment.len, 0);
		}
}

static void distances_wrap(void **state)
{
	(void)state;
	assert_int_equal(tcp_segment_distance(5, 0xfffffffb), 10);
	assert_int_equal(tcp_segment_distance(0xfffffffb, 5), -10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_data_are_read),
		cmocka_unit_test(every_short_header_is_refused),
		cmocka_unit_test(a_header_beyond_the_packet_is_refused),
		cmocka_unit_test(a_retransmission_is_marked_otherwise),
		cmocka_unit_test(broken_options_are_survived),
		cmocka_unit_test(distances_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
