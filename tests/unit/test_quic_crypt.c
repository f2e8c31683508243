#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "quic_builder.h"
#include "quic_crypt.h"

/* RFC 9001 Appendix A, RFC 9369 Appendix A. */
#define ID "8394c8f03e515708"
#define CLIENT_FRAMES                                                      \
	"060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868" \
	"04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578" \
	"616d706c652e636f6dff01000100000a00080006001d00170018001000070005" \
	"04616c706e000500050100000000003300260024001d00209370b2c9caa47fba" \
	"baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400" \
	"0d0010000e0403050306030203080408050806002d00020101001c0002400100" \
	"3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000" \
	"75300901100f088394c8f03e51570806048000ffff"
#define SERVER_FRAMES                                                      \
	"02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf739" \
	"88cfc79825df566dc5430b9a045a1200130100002e00330024001d00209d3c94" \
	"0d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00" \
	"020304"
#define SERVER_PACKET                                                      \
	"cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a" \
	"5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3" \
	"dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84" \
	"022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4" \
	"2158407dd074ee"
#define SERVER_PACKET_2                                                    \
	"dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698" \
	"baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17" \
	"f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2" \
	"c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca8" \
	"4bed8521e2e140"

static int open_it(uint8_t *plain, const uint8_t *bytes, size_t len, const char *id,
	bool from_server)
{
	struct quic_packet_id key_id = quic_builder_id(id);
	uint8_t *copy = malloc(len);
	struct cursor cur = cursor_over(copy, len);
	struct quic_packet packet;
	struct quic_crypt *crypt;
	int rc;

	memcpy(copy, bytes, len);
	assert_int_equal(quic_crypt_new(&crypt), 0);
	rc = quic_packet_next(&packet, &cur);
	if (rc == 0)
		rc = quic_crypt_open(crypt, plain, &packet, &key_id, from_server);
	quic_crypt_free(crypt);
	free(copy);
	return rc;
}

static void the_server_s_packets_of_the_standards_are_opened(void **state)
{
	static const char *const packets[] = {SERVER_PACKET, SERVER_PACKET_2};
	uint8_t bytes[256], plain[256], want[256];
	size_t want_len = quic_builder_hex(want, SERVER_FRAMES);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t len = quic_builder_hex(bytes, packets[i]);

		assert_int_equal(open_it(plain, bytes, len, ID, true), want_len);
		assert_memory_equal(plain, want, want_len);
		assert_int_equal(open_it(plain, bytes, len, ID, false), STATUS_SYNTAX);
	}
}

static void the_client_s_packet_of_the_standard_is_opened(void **state)
{
	struct quic_builder b = {0}, frames = {0};
	uint8_t plain[1200], start[38], tag[32];

	(void)state;
	frames.len = quic_builder_hex(frames.bytes, CLIENT_FRAMES);
	quic_builder_padding(&frames, 1162);
	quic_builder_initial(&b,
		&(struct quic_builder_initial){.version = 1,
			.id = quic_builder_id(ID),
			.destination = quic_builder_id(ID),
			.number = 2,
			.number_len = 4},
		frames.bytes, frames.len);
	/* What the standard prints, at its beginning and its end. */
	(void)quic_builder_hex(start,
		"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11"
		"d242b123dc9b");
	(void)quic_builder_hex(
		tag, "7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241");
	assert_int_equal(b.len, 1200);
	assert_memory_equal(b.bytes, start, sizeof(start));
	assert_memory_equal(b.bytes + 1200 - 48, tag, sizeof(tag));
	assert_int_equal(open_it(plain, b.bytes, b.len, ID, false), 1162);
	assert_memory_equal(plain, frames.bytes, 1162);
}

static void what_was_changed_or_cut_is_refused(void **state)
{
	uint8_t bytes[256], plain[256];
	size_t len = quic_builder_hex(bytes, SERVER_PACKET);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x01;
		assert_true(open_it(plain, bytes, len, ID, true) < 0);
		bytes[i] ^= 0x01;
		assert_true(open_it(plain, bytes, i, ID, true) < 0);
	}
	assert_true(open_it(plain, bytes, len, "8394c8f03e515709", true) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_s_packets_of_the_standards_are_opened),
		cmocka_unit_test(the_client_s_packet_of_the_standard_is_opened),
		cmocka_unit_test(what_was_changed_or_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
