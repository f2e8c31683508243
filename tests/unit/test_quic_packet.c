#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "quic_builder.h"

static void packets_that_share_a_datagram_are_told_apart(void **state)
{
	struct quic_packet_id client = quic_builder_id("0102030405060708");
	struct quic_packet_id server = quic_builder_id("a1a2a3");
	struct quic_builder b = {0};
	struct quic_packet packet;
	struct cursor cur;

	(void)state;
	quic_builder_long(&b, 2, 1, &client, &server, 70); /* Handshake */
	quic_builder_long(&b, 1, QUIC_PACKET_VERSION_1, &client, &server, 30); /* 0-RTT */
	quic_builder_short(&b, true, 40);
	cur = cursor_over(b.bytes, b.len);
	assert_int_equal(quic_packet_next(&packet, &cur), 0);
	assert_int_equal(packet.type, QUIC_PACKET_HANDSHAKE);
	assert_true(packet.whole);
	assert_true(quic_packet_same_id(&packet.destination, &client));
	assert_true(quic_packet_same_id(&packet.source, &server));
	assert_int_equal(quic_packet_next(&packet, &cur), 0);
	assert_int_equal(packet.type, QUIC_PACKET_EARLY);
	assert_int_equal(quic_packet_next(&packet, &cur), 0);
	assert_int_equal(packet.type, QUIC_PACKET_SHORT);
	assert_true(packet.spin);
	assert_int_equal(packet.len, 40);
	assert_int_equal(quic_packet_next(&packet, &cur), STATUS_SHORT);
}

static void versions_number_their_types_apart(void **state)
{
	static const struct {
		uint32_t version;
		unsigned bits;
		enum quic_packet_type type;
	} rows[] = {
		{1, 0, QUIC_PACKET_INITIAL},
		{1, 3, QUIC_PACKET_RETRY},
		{QUIC_PACKET_VERSION_2, 1, QUIC_PACKET_INITIAL},
		{QUIC_PACKET_VERSION_2, 3, QUIC_PACKET_HANDSHAKE},
		{QUIC_PACKET_VERSION_2, 0, QUIC_PACKET_RETRY},
		{0xff00001d, 0, QUIC_PACKET_FOREIGN},
		{0, 2, QUIC_PACKET_NEGOTIATION},
	};
	struct quic_packet_id id = quic_builder_id("0102030405060708");
	struct quic_packet packet;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct quic_builder b = {0};
		struct cursor cur;

		quic_builder_long(&b, rows[i].bits, rows[i].version, &id, &id, 30);
		cur = cursor_over(b.bytes, b.len);
		assert_int_equal(quic_packet_next(&packet, &cur), 0);
		assert_int_equal(packet.type, rows[i].type);
	}
}

static void a_header_that_is_cut_is_refused_and_a_body_told(void **state)
{
	struct quic_packet_id id = quic_builder_id("0102030405060708");
	struct quic_builder b = {0};
	struct quic_packet packet;
	size_t header;

	(void)state;
	quic_builder_long(&b, 2, 1, &id, &id, 70);
	header = b.len - 70;
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *copy = malloc(len + 1);
		struct cursor cur = cursor_over(copy, len);

		memcpy(copy, b.bytes, len);
		assert_int_equal(
			quic_packet_next(&packet, &cur), len < header ? STATUS_SHORT : 0);
		assert_false(len >= header && packet.whole);
		free(copy);
	}
	b.bytes[5] = 21; /* an id longer than there are */
	assert_int_equal(quic_packet_next(&packet,
				 &(struct cursor){b.bytes, b.bytes + b.len, false}),
		STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_that_share_a_datagram_are_told_apart),
		cmocka_unit_test(versions_number_their_types_apart),
		cmocka_unit_test(a_header_that_is_cut_is_refused_and_a_body_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
