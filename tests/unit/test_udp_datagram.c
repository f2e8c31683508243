#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "udp_datagram.h"

static const uint8_t bytes[] = {0xc0, 0x00, 0x00, 0x35, 0, 12, 0, 0, 'a', 'b', 'c', 'd'};

static struct ip_packet packet_of(size_t captured, uint32_t len)
{
	return (struct ip_packet){
		.payload_len = len, .payload = cursor_over(bytes, captured), .ttl = 64};
}

static void a_datagram_is_as_long_as_it_says(void **state)
{
	struct ip_packet ip = packet_of(sizeof(bytes), 20); /* padded */
	struct udp_datagram datagram;

	(void)state;
	assert_int_equal(udp_datagram_read(&datagram, &ip), 0);
	assert_int_equal(datagram.source_port, 0xc000);
	assert_int_equal(datagram.destination_port, 53);
	assert_int_equal(datagram.len, 4);
	assert_int_equal(cursor_left(&datagram.data), 4);
	ip = packet_of(10, 12); /* cut by the capture */
	assert_int_equal(udp_datagram_read(&datagram, &ip), 0);
	assert_int_equal(datagram.len, 4);
	assert_int_equal(cursor_left(&datagram.data), 2);
}

static void what_is_short_or_contradicts_itself_is_refused(void **state)
{
	struct udp_datagram datagram;
	struct ip_packet ip;

	(void)state;
	for (size_t len = 0; len < 8; len++) {
		ip = packet_of(len, 12);
		assert_int_equal(udp_datagram_read(&datagram, &ip), STATUS_SHORT);
	}
	ip = packet_of(sizeof(bytes), 11);
	assert_int_equal(udp_datagram_read(&datagram, &ip), STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_is_as_long_as_it_says),
		cmocka_unit_test(what_is_short_or_contradicts_itself_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
