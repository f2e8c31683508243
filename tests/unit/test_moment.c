#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/moment.h"
#include "astray/status.h"

static int64_t parsed(const char *text)
{
	struct moment at = {INT64_MIN};

	assert_int_equal(moment_parse(&at, text), 0);
	return at.us;
}

static void a_moment_is_written_in_utc(void **state)
{
	struct moment at = {INT64_C(1590883500123456)};
	char buf[MOMENT_TEXT];

	(void)state;
	assert_string_equal(moment_text(at, false, buf), "2020-05-31T00:05:00Z");
	assert_string_equal(moment_text(at, true, buf), "2020-05-31T00:05:00.123Z");
	assert_string_equal(
		moment_text((struct moment){-1}, true, buf), "1969-12-31T23:59:59.999Z");
	assert_string_equal(moment_text((struct moment){INT64_MAX}, false, buf),
		"9223372036854775807 us");
}

static void dates_are_read_with_zones_and_fractions(void **state)
{
	(void)state;
	assert_int_equal(parsed("2020-05-31T00:05:00Z"), INT64_C(1590883500000000));
	assert_int_equal(parsed("2020-05-31T09:05:00+09:00"), INT64_C(1590883500000000));
	assert_int_equal(parsed("2020-05-30t19:35:00-04:30"), INT64_C(1590883500000000));
	assert_int_equal(
		parsed("2020-05-31 00:05:00.1234567z"), INT64_C(1590883500123456));
	assert_int_equal(parsed("2020-02-29T00:00:00Z"), INT64_C(1582934400000000));
	assert_int_equal(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
	assert_int_equal(parsed("1590883500000000"), INT64_C(1590883500000000));
}

static void every_prefix_of_a_date_is_refused(void **state)
{
	const char *whole = "2020-05-31T00:05:00.250+09:00";
	char cut[40];
	struct moment at;

	(void)state;
	for (size_t len = 5; len < strlen(whole); len++) {
		memcpy(cut, whole, len);
		cut[len] = '\0';
		assert_int_equal(moment_parse(&at, cut), STATUS_SYNTAX);
	}
}

static void what_is_no_date_is_refused(void **state)
{
	static const char *const wrong[] = {"", "-", "now", "12 ", "+5", " 5", "0x10",
		"2020- 5-31T00:05:00Z", "-020-05-31T00:05:00Z", "2020-05-31T00:05:00",
		"2020-05-31T00:05:00.Z", "2020-05-31T00:05:00Z ", "2020-05-31",
		"2020-05-31T0:05:000Z", "2020-05-31T00:05:00+9:00"};
	static const char *const never[] = {"2020-13-01T00:00:00Z",
		"2020-00-01T00:00:00Z", "2020-02-30T00:00:00Z", "2021-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2020-05-31T24:00:00Z", "2020-05-31T00:60:00Z",
		"2020-05-31T00:00:61Z", "0000-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01", "9007199254740992"};
	struct moment at;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(moment_parse(&at, wrong[i]), STATUS_SYNTAX);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(moment_parse(&at, never[i]), STATUS_RANGE);
}

static void whatever_is_written_reads_back(void **state)
{
	static const int64_t seconds[] = {INT64_C(-62167219200), INT64_C(-1), 0,
		951782400, INT64_C(4102444800), INT64_C(253402300799)};
	char buf[MOMENT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		struct moment at = {seconds[i] * MOMENT_SECOND_US};

		assert_int_equal(parsed(moment_text(at, false, buf)), at.us);
	}
}

static void spans_read_as_people_say_them(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{-5, "0 us"},
		{812, "812 us"},
		{3140, "3.1 ms"},
		{350000, "350 ms"},
		{1500000, "1.5 s"},
		{12000000, "12 s"},
		{250000000, "4 min 10 s"},
		{300000000, "5 min"},
		{INT64_C(7500000000), "2 h 5 min"},
		{INT64_C(86400000000), "24 h"},
		{INT64_C(259200000000), "3 days"},
	};
	char buf[MOMENT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(moment_span_text(rows[i].us, buf), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_written_in_utc),
		cmocka_unit_test(dates_are_read_with_zones_and_fractions),
		cmocka_unit_test(every_prefix_of_a_date_is_refused),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(whatever_is_written_reads_back),
		cmocka_unit_test(spans_read_as_people_say_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
