#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "metric_text.h"

static char *written(bool openmetrics, const char *label)
{
	const struct metric_label labels[] = {{"service", label}, {0}};
	struct metric_text *text;
	size_t len;

	assert_int_equal(metric_text_new(&text, openmetrics), 0);
	metric_text_family(
		text, "astray_service_requests_total", METRIC_COUNTER, "Requests.");
	metric_text_sample(text, labels, 3);
	metric_text_number(
		text, "astray_ready", METRIC_GAUGE, "Whether it has caught up.", 1);
	return metric_text_finish(text, &len);
}

static void both_forms_name_the_same_sample(void **state)
{
	char *plain = written(false, "exchange"), *open = written(true, "exchange");

	(void)state;
	assert_non_null(strstr(plain, "# TYPE astray_service_requests_total counter\n"));
	assert_non_null(strstr(open, "# TYPE astray_service_requests counter\n"));
	assert_non_null(
		strstr(plain, "astray_service_requests_total{service=\"exchange\"} 3\n"));
	assert_non_null(
		strstr(open, "astray_service_requests_total{service=\"exchange\"} 3"));
	free(plain);
	free(open);
}

static void only_openmetrics_says_where_it_ends(void **state)
{
	char *plain = written(false, "exchange"), *open = written(true, "exchange");

	(void)state;
	assert_null(strstr(plain, "# EOF"));
	assert_string_equal(open + strlen(open) - 6, "# EOF\n");
	free(plain);
	free(open);
}

static void a_hostile_label_stays_one_label(void **state)
{
	char *text = written(false, "a\"} 9\nforged\\");

	(void)state;
	assert_non_null(strstr(text, "{service=\"a\\\"} 9\\nforged\\\\\"} 3\n"));
	free(text);
}

static void bytes_that_are_no_text_become_question_marks(void **state)
{
	char *text = written(false, "\xff"
				    "b");

	(void)state;
	assert_non_null(strstr(text, "{service=\"?b\"}"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_name_the_same_sample),
		cmocka_unit_test(only_openmetrics_says_where_it_ends),
		cmocka_unit_test(a_hostile_label_stays_one_label),
		cmocka_unit_test(bytes_that_are_no_text_become_question_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
