#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server_book.h"

static void who_has_answered_is_known(void **state)
{
	struct server_book *book;
	struct address address;
	unsigned known = 0;

	(void)state;
	assert_int_equal(address_parse(&address, "198.51.100.1"), 0);
	assert_int_equal(server_book_new(&book, 42), 0);
	assert_false(server_book_knows(book, &address, 50000));
	server_book_note(book, &address, 50000);
	assert_true(server_book_knows(book, &address, 50000));
	for (uint16_t port = 1; port < 2000; port++)
		known += server_book_knows(book, &address, port);
	assert_int_equal(known, 0);
	assert_int_equal(address_parse(&address, "2001:db8::1"), 0);
	assert_false(server_book_knows(book, &address, 50000));
	server_book_note(book, &address, 50000);
	assert_true(server_book_knows(book, &address, 50000));
	server_book_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_answered_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
