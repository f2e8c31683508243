#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "ip_layer.h"
#include "packet_builder.h"

static size_t make_v4(uint8_t bytes[static 64], size_t payload_len)
{
	struct address from, to;

	memset(bytes, 0, 64);
	assert_int_equal(address_parse(&from, "192.0.2.1"), 0);
	assert_int_equal(address_parse(&to, "198.51.100.2"), 0);
	return put_ip(bytes, &from, &to, 7, payload_len) + payload_len;
}

static size_t make_v6(uint8_t bytes[static 128], size_t payload_len)
{
	struct address from, to;

	memset(bytes, 0, 128);
	assert_int_equal(address_parse(&from, "2001:db8::1"), 0);
	assert_int_equal(address_parse(&to, "2001:db8::2"), 0);
	return put_ip(bytes, &from, &to, 0, payload_len) + payload_len;
}

static void the_declared_length_counts_not_the_frames(void **state)
{
	uint8_t bytes[64];
	struct ip_packet ip;
	size_t len = make_v4(bytes, 20);

	(void)state;
	/* Ethernet padding behind, and a cut capture: both leave the length as declared.
	 */
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 46), 46), 0);
	assert_int_equal(ip.payload_len, 20);
	assert_int_equal(cursor_left(&ip.payload), 20);
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, len - 5), 46), 0);
	assert_int_equal(ip.payload_len, 20);
	assert_int_equal(cursor_left(&ip.payload), 15);
	assert_int_equal(ip.protocol, 6);
	assert_int_equal(ip.id, 7);
}

static void an_offloaded_packet_is_as_long_as_its_frame(void **state)
{
	uint8_t bytes[64];
	struct ip_packet ip;

	(void)state;
	(void)make_v4(bytes, 20);
	put_u16(bytes + 2, 0);
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 60), 70020), 0);
	assert_int_equal(ip.payload_len, 70000);
}

static void options_are_stepped_over(void **state)
{
	uint8_t bytes[64];
	struct ip_packet ip;

	(void)state;
	(void)make_v4(bytes, 20);
	bytes[0] = 0x46;
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 40), 40), 0);
	assert_int_equal(ip.payload_len, 16);
	assert_ptr_equal(ip.payload.at, bytes + 24);
}

static void fragments_are_known_as_such(void **state)
{
	uint8_t bytes[64];
	struct ip_packet ip;

	(void)state;
	(void)make_v4(bytes, 20);
	bytes[6] = 0x20;
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 40), 40), 0);
	assert_true(ip.is_fragment && ip.more_follow);
	assert_int_equal(ip.part_at, 0);
	assert_int_equal(ip.whole_id, 7);
	put_u16(bytes + 6, 0x0005);
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 40), 40), 0);
	assert_true(ip.is_fragment && !ip.more_follow);
	assert_int_equal(ip.part_at, 40);
}

/* Hop-by-hop, then a fragment header, then destination options, then TCP. */
static size_t make_extended(uint8_t bytes[static 128], unsigned fragment)
{
	size_t len = make_v6(bytes, 24 + 20);

	bytes[6] = 0;
	bytes[40] = 44;
	bytes[48] = 60;
	put_u16(bytes + 50, fragment);
	put_u32(bytes + 52, 0x01020304);
	bytes[56] = 6;
	return len;
}

static void extension_headers_are_stepped_over(void **state)
{
	uint8_t bytes[128];
	struct ip_packet ip;
	size_t len = make_extended(bytes, 0);

	(void)state;
	/* A fragment that is the whole packet is none. */
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, len), (uint32_t)len), 0);
	assert_int_equal(ip.protocol, 6);
	assert_int_equal(ip.payload_len, 20);
	assert_ptr_equal(ip.payload.at, bytes + 64);
	assert_false(ip.is_fragment);
}

static void a_fragment_ends_at_its_part(void **state)
{
	uint8_t bytes[128];
	struct ip_packet ip;
	size_t len = make_extended(bytes, 0x0001);

	(void)state;
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, len), (uint32_t)len), 0);
	assert_true(ip.is_fragment && ip.more_follow);
	assert_int_equal(ip.protocol, 60);
	assert_int_equal(ip.whole_id, 0x01020304);
	assert_ptr_equal(ip.payload.at, bytes + 56);
	len = make_extended(bytes, 0x0010);
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, len), (uint32_t)len), 0);
	assert_true(ip.is_fragment && !ip.more_follow);
	assert_int_equal(ip.part_at, 16);
}

static void a_packet_put_together_goes_on_behind_its_extensions(void **state)
{
	uint8_t bytes[128];
	struct ip_packet ip;
	size_t len = make_extended(bytes, 0x0001);

	(void)state;
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, len), (uint32_t)len), 0);
	ip.is_fragment = false;
	assert_int_equal(ip_layer_step_over_extensions(&ip), 0);
	assert_int_equal(ip.protocol, 6);
	assert_int_equal(ip.payload_len, 20);
	assert_ptr_equal(ip.payload.at, bytes + 64);
}

static void every_short_header_is_refused(void **state)
{
	uint8_t bytes[128];
	struct ip_packet ip;

	(void)state;
	(void)make_v4(bytes, 20);
	for (size_t len = 0; len < 20; len++)
		assert_int_equal(
			ip_layer_read(&ip, cursor_over(bytes, len), 40), STATUS_SHORT);
	(void)make_extended(bytes, 0);
	for (size_t len = 0; len < 64; len++)
		assert_int_equal(
			ip_layer_read(&ip, cursor_over(bytes, len), 84), STATUS_SHORT);
}

static void contradicting_lengths_are_refused(void **state)
{
	uint8_t bytes[128];
	struct ip_packet ip;

	(void)state;
	(void)make_v4(bytes, 20);
	bytes[0] = 0x44;
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 40), 40), STATUS_SYNTAX);
	bytes[0] = 0x45;
	put_u16(bytes + 2, 19);
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 40), 40), STATUS_SYNTAX);
	bytes[0] = 0x75;
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 40), 40), STATUS_SYNTAX);
	(void)make_extended(bytes, 0);
	put_u16(bytes + 4, 12); /* the headers alone are longer */
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 76), 76), STATUS_SYNTAX);
}

static void four_in_the_disguise_of_six_is_refused(void **state)
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
	uint8_t bytes[128];
	struct ip_packet ip;

	(void)state;
	(void)make_extended(bytes, 0);
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 84), 84), 0);
	memcpy(bytes + 24, mapped, sizeof(mapped));
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 84), 84), STATUS_SYNTAX);
	memcpy(bytes + 8, mapped, sizeof(mapped));
	assert_int_equal(ip_layer_read(&ip, cursor_over(bytes, 84), 84), STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_declared_length_counts_not_the_frames),
		cmocka_unit_test(an_offloaded_packet_is_as_long_as_its_frame),
		cmocka_unit_test(options_are_stepped_over),
		cmocka_unit_test(fragments_are_known_as_such),
		cmocka_unit_test(extension_headers_are_stepped_over),
		cmocka_unit_test(a_fragment_ends_at_its_part),
		cmocka_unit_test(a_packet_put_together_goes_on_behind_its_extensions),
		cmocka_unit_test(every_short_header_is_refused),
		cmocka_unit_test(contradicting_lengths_are_refused),
		cmocka_unit_test(four_in_the_disguise_of_six_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
