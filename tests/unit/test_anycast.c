#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "anycast.h"
#include "astray/status.h"
#include "geo_tables.h"

static const char *owner_of(const struct anycast *anycast, const char *text)
{
	struct address address;
	const char *owner;

	assert_int_equal(address_parse(&address, text), 0);
	owner = anycast_owner(anycast, &address);
	return owner ? owner : "";
}

static void known_networks_are_found_by_their_narrowest_prefix(void **state)
{
	struct anycast *anycast;

	(void)state;
	assert_int_equal(anycast_new(&anycast, geo_tables_anycast, NULL), 0);
	assert_string_equal(owner_of(anycast, "1.1.1.1"), "Cloudflare");
	assert_string_equal(owner_of(anycast, "13.33.255.255"), "CloudFront");
	assert_string_equal(owner_of(anycast, "13.34.0.0"), "");
	assert_string_equal(owner_of(anycast, "192.0.2.1"), "");
	assert_string_equal(owner_of(anycast, "2606:4700::1"), "Cloudflare");
	assert_string_equal(owner_of(anycast, "2606:4701::1"), "");
	assert_string_equal(owner_of(anycast, "2a06:98c7::1"), "Cloudflare");
	anycast_free(anycast);
	assert_int_equal(
		anycast_new(&anycast, "192.0.2.0/24 wide\n192.0.2.128/25 narrow\n", NULL),
		0);
	assert_string_equal(owner_of(anycast, "192.0.2.1"), "wide");
	assert_string_equal(owner_of(anycast, "192.0.2.129"), "narrow");
	anycast_free(anycast);
}

static void a_bad_line_is_refused_with_its_number(void **state)
{
	static const char *const lines[] = {"192.0.2.0 x", "192.0.2.0/33 x",
		"192.0.2.0/24", "192.0.2/24 x", "2001:db8::/129 x", "192.0.2.0/24 x y"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct fault fault = {0};
		struct anycast *anycast;

		assert_int_equal(anycast_new(&anycast, lines[i], &fault), STATUS_SYNTAX);
		assert_int_equal(fault.line, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_networks_are_found_by_their_narrowest_prefix),
		cmocka_unit_test(a_bad_line_is_refused_with_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
