#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_value.h"

static void reads_as_strtod(const char *text)
{
	const char *at = text;
	double ours = json_value_number(&at), theirs = strtod(text, NULL);

	assert_memory_equal(&ours, &theirs, sizeof(ours));
	assert_ptr_equal(at, text + strcspn(text, ",]} "));
}

static void numbers_are_those_of_the_c_library(void **state)
{
	static const char *const texts[] = {"0", "-0", "7,", "-12]", "0.1", "123.456}",
		"1590854700000000", "9007199254740993", "99999999999999999999", "1e3 ",
		"1E-7", "-2.5e+300", "1e400", "0.000000000000000000001", "139.7",
		"123456789012345", "1234567890123456", "0.123456789012345"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		reads_as_strtod(texts[i]);
}

static void numbers_of_any_length_are_too(void **state)
{
	uint64_t random = 1;
	char text[64];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		int whole, decimals;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		whole = (int)(random >> 60) + 1;
		decimals = (int)(random >> 55 & 15);
		(void)snprintf(text, sizeof(text), "%s%.*" PRIu64 ".%.*" PRIu64,
			random & 1 ? "-" : "", whole,
			random % (uint64_t)(whole < 9 ? 1000 : 1000000000), decimals + 1,
			random >> 40);
		reads_as_strtod(text);
	}
}

static void reads_text(const char *json, const char *expected)
{
	char copy[128], *into = copy;
	const char *at = json;

	assert_string_equal(json_value_text(&at, &into), expected);
	assert_ptr_equal(at, json + strlen(json));
	assert_ptr_equal(into, copy + strlen(expected) + 1);
	assert_true(strlen(expected) + 1 <= strlen(json));
}

static void texts_lose_their_escapes(void **state)
{
	(void)state;
	reads_text("\"\"", "");
	reads_text("\"plain\"", "plain");
	reads_text("\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\"", "a\"b\\c/d\b\f\n\r\t");
	reads_text("\"\\u0041\\u00e9\\u20ac\\ud83d\\uDE00\"",
		"A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	reads_text("\"\xe6\x9d\xb1\"", "\xe6\x9d\xb1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_the_c_library),
		cmocka_unit_test(numbers_of_any_length_are_too),
		cmocka_unit_test(texts_lose_their_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
