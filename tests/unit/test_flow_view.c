#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flow_view.h"

static struct obs_traffic traffic_of(const char *service, enum obs_method method)
{
	struct obs obs;

	obs_init(&obs, OBS_TRAFFIC, (struct moment){1});
	strcpy(obs.traffic.service, service);
	obs.traffic.method = method;
	obs.traffic.window_us = 10;
	obs.traffic.connections = 7;
	obs.traffic.refused = 1;
	obs.traffic.timed_out = 2;
	obs.traffic.retransmits = 3;
	obs.traffic.sent_bytes = 999;
	obs.traffic.received_bytes = 1234567;
	if (method == OBS_PACKETS)
		obs.traffic.reset = obs.traffic.requests = obs.traffic.responses = 40;
	(void)sketch_add(&obs.traffic.sketches[OBS_RTT], 20000);
	return obs.traffic;
}

/* The table as text; the caller frees. */
static char *table_of(const struct obs_traffic *list, size_t count, unsigned rows,
	unsigned columns, bool colour)
{
	struct flow_view_style style = {columns, rows, colour};
	struct traffic_sum *sum;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(traffic_sum_new(&sum, 100), 0);
	for (size_t i = 0; i < count; i++)
		assert_true(traffic_sum_add(sum, &list[i]));
	flow_view_table(out, sum, &style);
	traffic_sum_free(sum);
	(void)fclose(out);
	return text;
}

static void what_the_kernel_does_not_know_has_no_column(void **state)
{
	struct obs_traffic list[2] = {
		traffic_of("exchange", OBS_KERNEL), traffic_of("exchange", OBS_KERNEL)};
	char *text = table_of(list, 2, 0, 0, false);

	(void)state;
	assert_null(strstr(text, "REQUESTS"));
	assert_non_null(strstr(text, "RTT ms"));
	assert_non_null(strstr(
		text, "exchange               14       6       6      2.0k      2.5M"));
	free(text);
}

static void requests_and_failures_are_shown(void **state)
{
	struct obs_traffic one = traffic_of("exchange", OBS_PACKETS);
	char *text = table_of(&one, 1, 0, 0, false);

	(void)state;
	assert_non_null(strstr(text, "REQUESTS"));
	assert_non_null(strstr(
		text, "exchange                7      43       40       40       -"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	text = table_of(&one, 1, 0, 0, true);
	assert_non_null(strstr(text, "\x1b[31mexchange"));
	free(text);
}

static void what_is_rather_an_estimate_is_marked(void **state)
{
	struct obs_traffic one = traffic_of("exchange", OBS_PACKETS);
	char *text;

	(void)state;
	one.estimated = 2; /* of 40 */
	text = table_of(&one, 1, 0, 0, false);
	assert_null(strchr(text, '~'));
	free(text);
	one.estimated = 3;
	text = table_of(&one, 1, 0, 0, false);
	assert_non_null(strstr(text, " ~40 "));
	free(text);
}

static void a_table_fits_its_screen(void **state)
{
	struct obs_traffic list[20];
	unsigned lines = 0;
	char *text;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		list[i] = traffic_of(
			"a-service-with-a-rather-long-name.example:443", OBS_PACKETS);
		list[i].service[0] = (char)('a' + i);
	}
	text = table_of(list, 20, 10, 120, false);
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		assert_true(end - line <= 120);
		lines++;
	}
	assert_int_equal(lines, 10);
	assert_non_null(strstr(text, "and 12 more\n"));
	free(text);
}

static void a_quiet_window_is_no_line(void **state)
{
	struct obs obs;
	char *text = NULL;
	size_t len, before;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	obs_init(&obs, OBS_TRAFFIC, (struct moment){1});
	obs.traffic = traffic_of("exchange", OBS_KERNEL);
	flow_view_window(out, &obs);
	(void)fflush(out);
	assert_non_null(strstr(text, ":00 exchange"));
	obs.traffic.connections = obs.traffic.refused = obs.traffic.timed_out = 0;
	obs.traffic.sent_bytes = obs.traffic.received_bytes = 0;
	(void)fflush(out);
	before = len;
	flow_view_window(out, &obs);
	(void)fflush(out);
	assert_int_equal(len, before);
	(void)fclose(out);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_does_not_know_has_no_column),
		cmocka_unit_test(requests_and_failures_are_shown),
		cmocka_unit_test(what_is_rather_an_estimate_is_marked),
		cmocka_unit_test(a_table_fits_its_screen),
		cmocka_unit_test(a_quiet_window_is_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
