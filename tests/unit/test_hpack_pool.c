#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "hpack_pool.h"

static void field_came(
	void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	char *text = arg;

	(void)strncat(text, name, name_len);
	(void)strcat(text, "=");
	(void)strncat(text, value, value_len);
	(void)strcat(text, " ");
}

static int read_block(struct hpack_pool *pool, uint16_t number, enum exchange_side side,
	const char *block, char *text)
{
	text[0] = 0;
	return hpack_pool_read(pool, number, side, (const uint8_t *)block, strlen(block),
		true, field_came, text);
}

static void sides_remember_each_for_itself(void **state)
{
	struct hpack_pool *pool;
	uint16_t number;
	char text[256];

	(void)state;
	assert_int_equal(hpack_pool_new(&pool, 2), 0);
	number = hpack_pool_take(pool);
	/* RFC 7541 C.6.1: Huffman, and remembered. */
	assert_int_equal(
		read_block(pool, number, EXCHANGE_SERVER, "\x48\x82\x64\x02", text), 0);
	assert_string_equal(text, ":status=302 ");
	assert_int_equal(read_block(pool, number, EXCHANGE_SERVER, "\xbe", text), 0);
	assert_string_equal(text, ":status=302 ");
	assert_int_equal(
		read_block(pool, number, EXCHANGE_CLIENT, "\xbe", text), STATUS_SYNTAX);
	hpack_pool_give(pool, number);
	number = hpack_pool_take(pool); /* a new one knows nothing */
	assert_int_equal(
		read_block(pool, number, EXCHANGE_SERVER, "\xbe", text), STATUS_SYNTAX);
	hpack_pool_give(pool, number);
	hpack_pool_give(pool, HPACK_POOL_NONE);
	hpack_pool_free(pool);
}

static void a_block_may_come_byte_by_byte(void **state)
{
	static const char block[] = "\x82\x86\x41\x0fwww.example.com";
	struct hpack_pool *pool;
	uint16_t number;
	char text[256] = "";

	(void)state;
	assert_int_equal(hpack_pool_new(&pool, 1), 0);
	number = hpack_pool_take(pool);
	for (size_t i = 0; i < sizeof(block) - 1; i++)
		assert_int_equal(
			hpack_pool_read(pool, number, EXCHANGE_CLIENT,
				(const uint8_t *)block + i, 1, false, field_came, text),
			0);
	assert_int_equal(hpack_pool_read(pool, number, EXCHANGE_CLIENT,
				 (const uint8_t *)"", 0, true, field_came, text),
		0);
	assert_string_equal(text, ":method=GET :scheme=http :authority=www.example.com ");
	assert_int_equal(hpack_pool_take(pool), HPACK_POOL_NONE);
	assert_int_equal(hpack_pool_refusals(pool), 1);
	hpack_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_remember_each_for_itself),
		cmocka_unit_test(a_block_may_come_byte_by_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
