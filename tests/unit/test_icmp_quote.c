#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "icmp_quote.h"

/* Port unreachable, which quotes the SYN of 192.0.2.7:40000 to 198.51.100.1:443. */
static const uint8_t refused_syn[] = {3, 3, 0, 0, 0, 0, 0, 0, /* */
	0x45, 0, 0, 60, 0, 1, 0x40, 0, 63, 6, 0, 0, 192, 0, 2, 7, 198, 51, 100, 1, 0x9c,
	0x40, 0x01, 0xbb, 0x11, 0x22, 0x33, 0x44};

/* The same of a datagram with eight bytes, of which four are quoted. */
static const uint8_t refused_datagram[] = {3, 3, 0, 0, 0, 0, 0, 0, /* */
	0x45, 0, 0, 36, 0, 1, 0x40, 0, 63, 17, 0, 0, 192, 0, 2, 7, 198, 51, 100, 1, 0x9c,
	0x40, 0x00, 0x35, 0, 16, 0, 0, 'a', 'b', 'c', 'd'};

static const uint8_t client[] = {192, 0, 2, 7};

static int read_bytes(struct icmp_quote *out, const uint8_t *bytes, size_t len)
{
	/* An exact copy, so that reading one byte too far is seen. */
	uint8_t *copy = malloc(len ? len : 1);
	struct ip_packet ip = {.destination = address_v4(client),
		.protocol = ICMP_QUOTE_V4,
		.payload_len = (uint32_t)len,
		.payload = cursor_over(copy, len)};
	int rc;

	memcpy(copy, bytes, len);
	rc = icmp_quote_read(out, &ip);
	free(copy);
	return rc;
}

static void a_quoted_segment_says_whose_it_is(void **state)
{
	struct icmp_quote quote;

	(void)state;
	assert_int_equal(read_bytes(&quote, refused_syn, sizeof(refused_syn)), 0);
	assert_true(quote.final);
	assert_int_equal(quote.packet.protocol, 6);
	assert_int_equal(quote.source_port, 40000);
	assert_int_equal(quote.destination_port, 443);
	assert_int_equal(quote.seq, 0x11223344);
}

static void of_a_datagram_as_much_is_read_as_is_quoted(void **state)
{
	struct icmp_quote quote;

	(void)state;
	assert_int_equal(
		read_bytes(&quote, refused_datagram, sizeof(refused_datagram)), 0);
	assert_int_equal(quote.destination_port, 53);
	assert_int_equal(quote.data_len, 8);
	assert_int_equal(cursor_left(&quote.data), 4);
}

static void all_short_prefixes_are_refused(void **state)
{
	struct icmp_quote quote;

	(void)state;
	for (size_t len = 0; len < sizeof(refused_syn); len++)
		assert_int_equal(read_bytes(&quote, refused_syn, len), STATUS_SHORT);
	for (size_t len = 0; len < sizeof(refused_datagram) - 4; len++)
		assert_int_equal(read_bytes(&quote, refused_datagram, len), STATUS_SHORT);
}

static int read_changed(struct icmp_quote *quote, size_t at, uint8_t value)
{
	uint8_t bytes[sizeof(refused_datagram)];

	memcpy(bytes, refused_datagram, sizeof(bytes));
	bytes[at] = value;
	return read_bytes(quote, bytes, sizeof(bytes));
}

static void what_contradicts_itself_is_refused(void **state)
{
	struct icmp_quote quote;

	(void)state;
	assert_int_equal(read_changed(&quote, 8, 0x55), STATUS_SYNTAX); /* version */
	assert_int_equal(read_changed(&quote, 8, 0x44), STATUS_SYNTAX); /* header */
	assert_int_equal(read_changed(&quote, 33, 7), STATUS_SYNTAX);   /* UDP's length */
	assert_int_equal(read_changed(&quote, 33, 17), STATUS_SYNTAX);  /* beyond IP's */
	assert_int_equal(read_changed(&quote, 23, 8), STATUS_SYNTAX);   /* another's */
	assert_int_equal(
		read_changed(&quote, 5, 5), STATUS_SHORT); /* the quote's length */
}

static void other_messages_and_protocols_are_passed_over(void **state)
{
	struct icmp_quote quote;

	(void)state;
	assert_int_equal(read_changed(&quote, 0, 11), STATUS_UNKNOWN); /* time exceeded */
	assert_int_equal(read_changed(&quote, 17, 1), STATUS_UNKNOWN); /* quotes ICMP */
	assert_int_equal(read_changed(&quote, 15, 1), STATUS_UNKNOWN); /* a later part */
}

static void only_some_codes_are_final(void **state)
{
	static const uint8_t final[] = {2, 3, 6, 7, 8, 9, 10, 13, 14, 15};
	struct icmp_quote quote;
	unsigned found = 0;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		bool is_final = found < sizeof(final) && final[found] == code;

		assert_int_equal(read_changed(&quote, 1, (uint8_t)code), 0);
		assert_int_equal(quote.final, is_final);
		found += is_final;
	}
	assert_int_equal(found, sizeof(final));
}

static void six_is_read_as_four(void **state)
{
	uint8_t bytes[8 + 40 + 8] = {1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 20, 6, 64};
	struct address source = address_v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7");
	struct ip_packet ip = {.destination = source,
		.protocol = ICMP_QUOTE_V6,
		.payload = cursor_over(bytes, sizeof(bytes))};
	struct icmp_quote quote;

	(void)state;
	memcpy(bytes + 16, source.bytes, 16);
	memcpy(bytes + 48, "\x9c\x40\x01\xbb\x11\x22\x33\x44", 8);
	assert_int_equal(icmp_quote_read(&quote, &ip), 0);
	assert_true(quote.final);
	assert_int_equal(quote.source_port, 40000);
	assert_int_equal(quote.seq, 0x11223344);
	bytes[1] = 0; /* no route */
	assert_int_equal(icmp_quote_read(&quote, &ip), 0);
	assert_false(quote.final);
	bytes[0] = 2; /* too big */
	assert_int_equal(icmp_quote_read(&quote, &ip), STATUS_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quoted_segment_says_whose_it_is),
		cmocka_unit_test(of_a_datagram_as_much_is_read_as_is_quoted),
		cmocka_unit_test(all_short_prefixes_are_refused),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(other_messages_and_protocols_are_passed_over),
		cmocka_unit_test(only_some_codes_are_final),
		cmocka_unit_test(six_is_read_as_four),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
