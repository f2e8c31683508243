#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "metric_text.h"

static char *write_all(bool openmetrics)
{
	static const double bounds[] = {0.005, 1}, counts[] = {1, 3};
	const struct metric_label labels[] = {
		{"service", "a\"b\\c\nd\xff\xe6\x9d\xb1"}, {0}};
	struct metric_text *text;
	size_t len;
	char *out;

	assert_int_equal(metric_text_new(&text, openmetrics), 0);
	metric_text_number(
		text, "astray_things_total", METRIC_COUNTER, "Things.", 12345678901);
	metric_text_family(text, "astray_time_seconds", METRIC_HISTOGRAM, "Times.");
	metric_text_histogram(text, labels, bounds, counts, 2, 4, 7.25);
	metric_text_number(text, "astray_odd_ratio", METRIC_GAUGE, "Odd.", NAN);
	out = metric_text_finish(text, &len);
	assert_non_null(out);
	assert_int_equal(strlen(out), len);
	return out;
}

static void the_classic_form_is_exact(void **state)
{
	char *text = write_all(false);

	(void)state;
	assert_string_equal(text,
		"# HELP astray_things_total Things.\n"
		"# TYPE astray_things_total counter\n"
		"astray_things_total 12345678901\n"
		"# HELP astray_time_seconds Times.\n"
		"# TYPE astray_time_seconds histogram\n"
		"astray_time_seconds_bucket{service=\"a\\\"b\\\\c\\nd?\xe6\x9d\xb1\",le="
		"\"0.005\"} 1\n"
		"astray_time_seconds_bucket{service=\"a\\\"b\\\\c\\nd?\xe6\x9d\xb1\",le="
		"\"1.0\"} 3\n"
		"astray_time_seconds_bucket{service=\"a\\\"b\\\\c\\nd?\xe6\x9d\xb1\",le="
		"\"+Inf\"} 4\n"
		"astray_time_seconds_sum{service=\"a\\\"b\\\\c\\nd?\xe6\x9d\xb1\"} 7.25\n"
		"astray_time_seconds_count{service=\"a\\\"b\\\\c\\nd?\xe6\x9d\xb1\"} 4\n"
		"# HELP astray_odd_ratio Odd.\n"
		"# TYPE astray_odd_ratio gauge\n"
		"astray_odd_ratio NaN\n");
	free(text);
}

static void openmetrics_names_the_family_and_ends(void **state)
{
	char *text = write_all(true);

	(void)state;
	assert_non_null(strstr(
		text, "# TYPE astray_things counter\nastray_things_total 12345678901\n"));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_classic_form_is_exact),
		cmocka_unit_test(openmetrics_names_the_family_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
