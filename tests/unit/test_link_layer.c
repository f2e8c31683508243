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
	uint8_t bytes[32];
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
	static const uint8_t many_tags[34] = {[12] = 0x81,
		0,
		0,
		0,
		0x81,
		0,
		0,
		0,
		0x81,
		0,
		0,
		0,
		0x81,
		0,
		0,
		0,
		0x81,
		0,
		0,
		0,
		0x08,
		0};
	static const uint8_t family[4] = {0, 0, 0, 99};
	struct cursor cur = cursor_over(arp, sizeof(arp));

	(void)state;
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_NOT_OURS);
	cur = cursor_over(many_tags, sizeof(many_tags));
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_ETHERNET), STATUS_NOT_OURS);
	cur = cursor_over(family, sizeof(family));
	assert_int_equal(link_layer_enter(&cur, LINK_LAYER_LOOP), STATUS_NOT_OURS);
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
		cmocka_unit_test(an_unknown_link_type_is_unsupported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
