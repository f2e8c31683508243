#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "astray/address.h"
#include "astray/status.h"

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return address;
}

static void text_is_that_of_rfc_5952(void **state)
{
	static const struct {
		const char *given, *text;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"::", "::"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
	};
	char buf[ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address address = address_of(rows[i].given);

		assert_string_equal(address_text(&address, buf), rows[i].text);
	}
	assert_string_equal(address_text(&(struct address){0}, buf), "-");
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const wrong[] = {"", "192.0.2", "192.0.2.256", "192.0.2.01",
		" 192.0.2.1", "192.0.2.1 ", "2001:db8:::1", "2001:db8::1%eth0", "[::1]",
		"exchange.example"};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(address_parse(&address, wrong[i]), STATUS_SYNTAX);
		assert_int_equal(address.family, 0);
	}
}

static void the_kernels_form_goes_both_ways(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct address address = address_of(texts[i]), back;
		struct sockaddr_storage storage;
		uint16_t port = 0;

		assert_int_not_equal(address_to_sockaddr(&address, 443, &storage), 0);
		assert_int_equal(
			address_from_sockaddr(&back, &port, (struct sockaddr *)&storage),
			0);
		assert_true(address_equal(&address, &back));
		assert_int_equal(port, 443);
	}
}

static void other_families_are_refused(void **state)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_storage storage;
	struct address address;

	(void)state;
	assert_int_equal(address_from_sockaddr(&address, NULL, (struct sockaddr *)&local),
		-EAFNOSUPPORT);
	assert_int_equal(address_to_sockaddr(&(struct address){0}, 1, &storage), 0);
}

static void order_is_by_family_then_bytes(void **state)
{
	struct address low = address_of("192.0.2.1"), high = address_of("192.0.2.2");
	struct address six = address_of("2001:db8::1");

	(void)state;
	assert_true(address_compare(&low, &high) < 0);
	assert_true(address_compare(&high, &low) > 0);
	assert_true(address_compare(&high, &six) < 0);
	assert_int_equal(address_compare(&six, &six), 0);
}

static void hashes_differ_by_address_and_by_seed(void **state)
{
	struct address low = address_of("192.0.2.1"), high = address_of("192.0.2.2");

	(void)state;
	assert_true(address_hash(&low, 7) == address_hash(&low, 7));
	assert_true(address_hash(&low, 7) != address_hash(&high, 7));
	assert_true(address_hash(&low, 7) != address_hash(&low, 8));
}

static void private_ranges_end_where_they_should(void **state)
{
	static const struct {
		const char *text;
		bool private;
	} rows[] = {
		{"10.255.255.255", true},
		{"11.0.0.0", false},
		{"172.15.255.255", false},
		{"172.16.0.0", true},
		{"172.31.255.255", true},
		{"172.32.0.0", false},
		{"192.168.0.1", true},
		{"192.169.0.1", false},
		{"100.63.255.255", false},
		{"100.64.0.0", true},
		{"100.127.255.255", true},
		{"100.128.0.0", false},
		{"169.254.1.1", true},
		{"127.0.0.1", true},
		{"203.0.113.1", false},
		{"::1", true},
		{"fe80::1", true},
		{"febf::1", true},
		{"fec0::1", false},
		{"fd00::1", true},
		{"2001:db8::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address address = address_of(rows[i].text);

		assert_int_equal(address_is_private(&address), rows[i].private);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_that_of_rfc_5952),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(the_kernels_form_goes_both_ways),
		cmocka_unit_test(other_families_are_refused),
		cmocka_unit_test(order_is_by_family_then_bytes),
		cmocka_unit_test(hashes_differ_by_address_and_by_seed),
		cmocka_unit_test(private_ranges_end_where_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
