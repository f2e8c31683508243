#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "printable.h"

static void plain_text_of_any_script_stays(void **state)
{
	const char *text = "東京 → Amsterdam, naïve 🙂";
	char out[64];

	(void)state;
	printable_copy(out, sizeof(out), text);
	assert_string_equal(out, text);
}

static void controls_and_broken_bytes_are_escaped(void **state)
{
	char out[64];

	(void)state;
	printable_copy(out, sizeof(out), "a\x1b[m\x7f\xc2\x85\xe2\x80\xae\xff");
	assert_string_equal(out, "a\\x1b[m\\x7f\\xc2\\x85\\xe2\\x80\\xae\\xff");
}

static void nothing_is_cut_in_half(void **state)
{
	char out[8];

	(void)state;
	printable_copy(out, 4, "ab\xc3\xa9");
	assert_string_equal(out, "ab");
	printable_copy(out, 5, "ab\xc3\xa9");
	assert_string_equal(out, "ab\xc3\xa9");
	printable_copy(out, 6, "ab\x01");
	assert_string_equal(out, "ab");
	printable_copy(out, 1, "ab");
	assert_string_equal(out, "");
}

static void only_whole_and_shortest_forms_are_characters(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, width;
	} rows[] = {
		{"a", 1, 1},
		{"\xc3\xa9", 2, 2},
		{"\xc3\xa9", 1, 0},
		{"\xc0\xaf", 2, 0},
		{"\xe0\x80\xaf", 3, 0},
		{"\xe0\xa0\x80", 3, 3},
		{"\xed\xa0\x80", 3, 0},
		{"\xef\xbf\xbf", 3, 3},
		{"\xf0\x8f\xbf\xbf", 4, 0},
		{"\xf0\x90\x80\x80", 4, 4},
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"\xf4\x90\x80\x80", 4, 0},
		{"\xf5\x80\x80\x80", 4, 0},
		{"\x80", 1, 0},
		{"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			printable_utf8_length(
				(const unsigned char *)rows[i].bytes, rows[i].len),
			rows[i].width);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_of_any_script_stays),
		cmocka_unit_test(controls_and_broken_bytes_are_escaped),
		cmocka_unit_test(nothing_is_cut_in_half),
		cmocka_unit_test(only_whole_and_shortest_forms_are_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
