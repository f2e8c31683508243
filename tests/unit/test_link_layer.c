#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "link_layer.h"

struct header {
	int type;
	size_t len;
	uint8_t bytes[40];
};

/* Every one of these stands in front of an IP header. */
static const struct header headers[] = {
	{LINK_LAYER_ETHERNET, 14, {[12] = 0x08, 0x00}},
	{LINK_LAYER_ETHERNET, 14, {[12] = 0x86, 0xdd}},
	{LINK_LAYER_ETHERNET, 18, {[12] = 0x81, 0x00, 0x00, 0x07, 0x08, 0x00}},
	{LINK_LAYER_ETHERNET, 22,
		{[12] = 0x88, 0xa8, 0, 7, 0x81, 0x00, 0, 9, 0x08, 0x00}},
	{LINK_LAYER_COOKED, 16, {[14] = 0x08, 0x00}},
	{LINK_LAYER_COOKED_2, 20, {0x86, 0xdd}},
	{LINK_LAYER_NULL, 4, {2, 0, 0, 0}},
	{LINK_LAYER_NULL, 4, {0, 0, 0, 30}},
	{LINK_LAYER_LOOP, 4, {0, 0, 0, 24}},
	{LINK_LAYER_ETHERNET, 18, {[12] = 0x88, 0x47, 0, 0x01, 0x11, 64, 0x45}},
	{LINK_LAYER_ETHERNET, 22,
		{[12] = 0x88, 0x48, 0, 1, 0x10, 64, 0, 2, 0x21, 64, 0x60}},
	{LINK_LAYER_ETHERNET, 26,
		{[12] = 0x81,
			0x00,
			0,
			7,
			0x88,
			0x47,
			0,
			1,
			0x10,
			64,
			0,
			2,
			0x21,
			64,
			0x45}},
	{LINK_LAYER_ETHERNET, 36, {[12] = 0x88, 0x47, 0, 1, 0x11, 64, [34] = 0x08, 0x00}},
	{LINK_LAYER_ETHERNET, 22, {[12] = 0x88, 0x64, 0x11, 0, 0, 9, 0, 40, 0x00, 0x21}},
	{LINK_LAYER_ETHERNET, 21, {[12] = 0x88, 0x64, 0x11, 0, 0, 9, 0, 40, 0x57}},
	{LINK_LAYER_PPP, 2, {0x00, 0x57}},
	{LINK_LAYER_PPP, 1, {0x21}},
	{LINK_LAYER_PPP_SERIAL, 4, {0xff, 0x03, 0x00, 0x21}},
	{LINK_LAYER_PPP_ETHER, 8, {0x11, 0, 0, 9, 0, 40, 0x00, 0x21}},
	{LINK_LAYER_RAW, 0, {0}},
	{LINK_LAYER_RAW_BSD, 0, {0}},
	{LINK_LAYER_IPV4, 0, {0}},
	{LINK_LAYER_IPV6, 0, {0}},
};

static void every_link_type_leads_to_ip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct cursor cur =
			cursor_over(headers[i].bytes, sizeof(headers[i].bytes));

		assert_int_equal(link_layer_enter(&cur, headers[i].type), 0);
		assert_ptr_equal(cur.at, headers[i].bytes + headers[i].len);
		assert_true(link_layer_is_known(headers[i].type));
	}
}

static void every_short_header_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		for (size_t len = 0; len < headers[i].len; len++) {
			struct cursor cur = cursor_over(headers[i].bytes, len);

			assert_int_equal(
				link_layer_enter(&cur, headers[i].type), STATUS_SHORT);
		}
}

static void what_is_not_ip_is_not_ours(void **state)
{
	static const uint8_t arp[14] = {[12] = 0x08, 0x06};
	static const uint8_t discovery[20] = {[12] = 0x88, 0x64, 0x11, 0x09};
	static const uint8_t bits[19] = {[12] = 0x88, 0x47, 0, 1, 0x11, 64, 0x90};
	static const uint8_t family[4] = {0, 0, 0, 99};
	struct cursor cur = cursor_over(arp, sizeof(arp));

	(void)state;
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_NOT_OURS);
	cur = cursor_over(discovery, sizeof(discovery));
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_NOT_OURS);
	cur = cursor_over(bits, sizeof(bits));
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_NOT_OURS);
	cur = cursor_over(family, sizeof(family));
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_LOOP), STATUS_NOT_OURS);
}

static void tags_without_end_are_refused(void **state)
{
	uint8_t vlans[14 + 4 * 9], labels[14 + 4 * 9] = {[12] = 0x88, 0x47};
	struct cursor cur = cursor_over(labels, sizeof(labels));

	(void)state;
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_LIMIT);
	for (size_t i = 0; i < sizeof(vlans); i += 2) {
		vlans[i] = 0x81;
		vlans[i + 1] = 0x00;
	}
	cur = cursor_over(vlans, sizeof(vlans));
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_LIMIT);
}

static void an_unknown_link_type_is_unsupported(void **state)
{
	struct cursor cur = cursor_over("x", 1);

	(void)state;
	assert_int_equal(link_layer_enter(&cur, 105), STATUS_UNSUPPORTED);
	assert_false(link_layer_is_known(105));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_type_leads_to_ip),
		cmocka_unit_test(every_short_header_is_refused),
		cmocka_unit_test(what_is_not_ip_is_not_ours),
		cmocka_unit_test(tags_without_end_are_refused),
		cmocka_unit_test(an_unknown_link_type_is_unsupported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
