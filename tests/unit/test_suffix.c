#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "astray/status.h"
#include "astray/suffix.h"

static void expect_domain(const char *name, const char *domain)
{
	char out[OBS_NAME];

	assert_int_equal(suffix_registrable(out, name), 0);
	assert_string_equal(out, domain);
}

static void what_one_can_register_ends_in_a_public_suffix(void **state)
{
	(void)state;
	expect_domain("ns-1515.awsdns-61.org", "awsdns-61.org");
	expect_domain("ns-1536.awsdns-00.co.uk", "awsdns-00.co.uk");
	expect_domain("ns1.dns.ne.jp", "dns.ne.jp");
	expect_domain("example.com", "example.com");
}

static void an_unknown_top_level_is_a_suffix(void **state)
{
	(void)state;
	expect_domain("mail.exchange.example", "exchange.example");
}

static void nobody_registers_a_suffix(void **state)
{
	char out[OBS_NAME];

	(void)state;
	assert_int_equal(suffix_registrable(out, "co.uk"), STATUS_MISSING);
	assert_int_equal(suffix_registrable(out, "jp"), STATUS_MISSING);
	assert_int_equal(suffix_registrable(out, ""), STATUS_MISSING);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_can_register_ends_in_a_public_suffix),
		cmocka_unit_test(an_unknown_top_level_is_a_suffix),
		cmocka_unit_test(nobody_registers_a_suffix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
