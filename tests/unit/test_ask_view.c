#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ask_view.h"

static char *shown(void (*show)(FILE *out, const struct json *answer), const char *text)
{
	struct json_doc *doc;
	char *bytes = NULL;
	size_t len;
	FILE *out = open_memstream(&bytes, &len);

	assert_non_null(out);
	assert_int_equal(json_parse(&doc, text, strlen(text), 0, NULL), 0);
	show(out, json_root(doc));
	json_doc_free(doc);
	assert_int_equal(fclose(out), 0);
	return bytes;
}

static void services_stand_in_a_table(void **state)
{
	char *text = shown(ask_view_services,
		"{\"services\":[{\"name\":\"exchange\","
		"\"state\":\"ok\",\"requests_per_second\":19.04,"
		"\"response_p50_us\":6200,\"check_total_us\":"
		"null,\"last_seen_us\":1590883500000000,\"learning\":["
		"{\"state\":\"learnt\",\"ready_us\":1},"
		"{\"state\":\"policy\",\"ready_us\":1},"
		"{\"state\":\"not_measured\"},"
		"{\"state\":\"learning\",\"ready_us\":"
		"1590969900000000}]}]}");

	(void)state;
	assert_non_null(strstr(text, "exchange"));
	assert_non_null(strstr(text, "19.0"));
	assert_non_null(strstr(text, "6.2 ms"));
	assert_non_null(strstr(text, "2020-05-31T00:05:00Z"));
	assert_non_null(strstr(text, "2 of 3, rest by 2020-06-01T00:05:00Z"));
	free(text);
}

static void incidents_say_when_and_what(void **state)
{
	char *text = shown(ask_view_incidents,
		"{\"incidents\":[{\"id\":\"i-1\",\"state\":\"opened\",\"severity\":"
		"\"page\","
		"\"opened_us\":1590883500000000,\"title\":\"a \\u001b[31mtitle\"}]}");

	(void)state;
	assert_non_null(strstr(text, "i-1"));
	assert_non_null(strstr(text, "page"));
	assert_null(strchr(text, '\033')); /* nothing steers the terminal */
	free(text);
	text = shown(ask_view_incidents, "{\"incidents\":[]}");
	assert_string_equal(text, "no incidents\n");
	free(text);
}

static void paths_are_shown_now_and_before(void **state)
{
	char *text =
		shown(ask_view_paths, "{\"paths\":[{\"name\":\"tcp "
				      "443\",\"site\":\"tokyo\",\"probe\":\"a\",\"now\":{"
				      "\"first_us\":1,\"last_us\":2,\"observation\":{"
				      "\"hops\":[{\"ttl\":1,\"address\":"
				      "\"192.0.2.1\",\"rtt_us\":812,\"place\":{"
				      "\"country\":\"NL\"}},{\"ttl\":2}]}},"
				      "\"before\":null}]}");

	(void)state;
	assert_non_null(strstr(text, "tokyo, probe a, tcp 443"));
	assert_non_null(strstr(text, "192.0.2.1"));
	assert_non_null(strstr(text, "NL"));
	assert_non_null(strstr(text, " 2  *"));
	assert_null(strstr(text, "before"));
	free(text);
}

static void an_answer_of_another_shape_shows_little_and_breaks_nothing(void **state)
{
	static const char *const table[] = {"{}", "[]", "1",
		"{\"services\":1,\"incidents\":1,\"paths\":1}",
		"{\"services\":[1],\"incidents\":[1],\"paths\":[1]}",
		"{\"paths\":[{\"now\":1}]}",
		"{\"paths\":[{\"now\":{\"observation\":1}}]}",
		"{\"paths\":[{\"now\":{\"observation\":{\"hops\":[1]}}}]}"};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		free(shown(ask_view_services, table[i]));
		free(shown(ask_view_incidents, table[i]));
		free(shown(ask_view_paths, table[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_stand_in_a_table),
		cmocka_unit_test(incidents_say_when_and_what),
		cmocka_unit_test(paths_are_shown_now_and_before),
		cmocka_unit_test(
			an_answer_of_another_shape_shows_little_and_breaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
