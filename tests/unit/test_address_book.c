#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "address_book.h"

#define NOW ((struct moment){INT64_C(1590854700000000)})

static struct service list[2] = {
	{.name = "exchange", .port_count = 1, .ports = {443}, .address_count = 1},
	{.name = "wiki", .port_count = 2, .ports = {443, 80}},
};

static struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(&parsed, text), 0);
	return parsed;
}

static struct address_book *make_book(void)
{
	static const struct services services = {2, list};
	struct address_book *book;

	list[0].addresses[0] = address("203.0.113.1");
	assert_int_equal(address_book_new(&book, &services), 0);
	return book;
}

static int find(const struct address_book *book, const char *text, uint16_t port)
{
	struct address wanted = address(text);

	return address_book_find(book, &wanted, port);
}

static bool learn(
	struct address_book *book, unsigned service, const char *text, struct moment now)
{
	struct address learned = address(text);

	return address_book_learn(book, service, &learned, now);
}

static void configured_addresses_are_known(void **state)
{
	struct address_book *book = make_book();

	(void)state;
	assert_int_equal(find(book, "203.0.113.1", 443), 0);
	assert_int_equal(find(book, "203.0.113.1", 80), ADDRESS_BOOK_NOBODY);
	assert_int_equal(find(book, "203.0.113.1", 0), 0);
	assert_int_equal(find(book, "203.0.113.2", 443), ADDRESS_BOOK_NOBODY);
	address_book_free(book);
}

static void a_shared_address_is_nobodys(void **state)
{
	struct address_book *book = make_book();

	(void)state;
	assert_true(learn(book, 1, "203.0.113.1", NOW));
	assert_int_equal(find(book, "203.0.113.1", 443), ADDRESS_BOOK_SHARED);
	assert_int_equal(find(book, "203.0.113.1", 80), 1);
	address_book_free(book);
}

static void what_is_learned_is_forgotten_after_an_hour(void **state)
{
	struct address_book *book = make_book();
	struct moment later = moment_plus_us(NOW, MOMENT_HOUR_US);
	uint32_t version = address_book_version(book);

	(void)state;
	assert_true(learn(book, 1, "2001:db8::1", NOW));
	assert_int_not_equal(address_book_version(book), version);
	assert_false(learn(book, 1, "2001:db8::1", NOW));
	assert_true(learn(book, 1, "2001:db8::2", later));
	assert_false(address_book_forget(book, later));
	assert_true(address_book_forget(book, moment_plus_us(later, 1)));
	assert_int_equal(find(book, "2001:db8::1", 80), ADDRESS_BOOK_NOBODY);
	assert_int_equal(find(book, "2001:db8::2", 80), 1);
	assert_true(address_book_forget(book, moment_plus_us(later, MOMENT_HOUR_US + 1)));
	assert_int_equal(find(book, "203.0.113.1", 443), 0);
	address_book_free(book);
}

static void a_full_book_refuses_and_counts(void **state)
{
	struct address_book *book = make_book();
	struct address many = address("2001:db8::1");

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		many.bytes[14] = (uint8_t)(i >> 8);
		many.bytes[15] = (uint8_t)i;
		(void)address_book_learn(book, 1, &many, NOW);
	}
	assert_int_equal(address_book_refused(book), 3000 + 1 - 2048);
	address_book_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configured_addresses_are_known),
		cmocka_unit_test(a_shared_address_is_nobodys),
		cmocka_unit_test(what_is_learned_is_forgotten_after_an_hour),
		cmocka_unit_test(a_full_book_refuses_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
