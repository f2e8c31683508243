#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "astray/status.h"
#include "listen_text.h"

static void an_address_and_a_port_are_read(void **state)
{
	struct address address;
	char text[ADDRESS_TEXT];
	uint16_t port;

	(void)state;
	assert_int_equal(listen_text_parse(&address, &port, "127.0.0.1:8443"), 0);
	assert_int_equal(port, 8443);
	assert_true(listen_text_is_local(&address));
	assert_int_equal(listen_text_parse(&address, &port, "[::1]:0"), 0);
	assert_int_equal(port, 0);
	assert_true(listen_text_is_local(&address));
	assert_int_equal(listen_text_parse(&address, &port, "[2001:db8::1]:65535"), 0);
	assert_string_equal(address_text(&address, text), "2001:db8::1");
	assert_false(listen_text_is_local(&address));
	assert_int_equal(listen_text_parse(&address, &port, "0.0.0.0:1"), 0);
	assert_false(listen_text_is_local(&address));
}

static void anything_else_is_refused(void **state)
{
	static const char *const table[] = {"", ":", ":80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
		"127.0.0.1:80x", "127.0.0.1:999999", "localhost:80", "::1:80", "[::1]",
		"[::1", "[]:80", "[127.0.0.1]:80", "127.0.0.1 :80", "127.0.0.1:80 ",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1"};
	struct address address;
	uint16_t port;

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(
			listen_text_parse(&address, &port, table[i]), STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_and_a_port_are_read),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
