#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "uplink_verdict.h"

static struct fetch_answer answer(long status, const char *body)
{
	return (struct fetch_answer){.status = status,
		.body = body,
		.body_len = strlen(body),
		.retry_after_s = OBS_ABSENT};
}

static struct uplink_verdict judge(long status, const char *body)
{
	struct fetch_answer given = answer(status, body);

	return uplink_verdict_of(&given, 42);
}

static void only_its_own_number_makes_a_batch_forgotten(void **state)
{
	static const char *const others[] = {"", "{}", "{\"acknowledged\":41}",
		"{\"acknowledged\":\"42\"}", "{\"acknowledged\":42", "[42]", "42",
		"{\"acknowledged\":42}{\"acknowledged\":42}",
		"<html><title>Welcome to the hotel</title></html>"};

	(void)state;
	assert_int_equal(judge(200, "{\"acknowledged\":42}").deed, UPLINK_FORGET);
	assert_int_equal(judge(200, "{\"acknowledged\":42}\n").deed, UPLINK_FORGET);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct uplink_verdict verdict = judge(200, others[i]);

		assert_int_equal(verdict.deed, UPLINK_RETRY);
		assert_non_null(strstr(verdict.why, "collector.url"));
	}
}

static void every_short_prefix_of_an_acknowledgement_is_none(void **state)
{
	static const char body[] = "{\"acknowledged\":42}";

	(void)state;
	for (size_t len = 0; len < sizeof(body) - 1; len++) {
		struct fetch_answer given = answer(200, body);

		given.body_len = len;
		assert_int_equal(uplink_verdict_of(&given, 42).deed, UPLINK_RETRY);
	}
}

static void a_refusal_in_the_collectors_words_sets_aside(void **state)
{
	struct uplink_verdict verdict = judge(
		400, "{\"error\":\"is missing\",\"line\":3,\"field\":\"hops[2].ttl\"}");

	(void)state;
	assert_int_equal(verdict.deed, UPLINK_SET_ASIDE);
	assert_string_equal(verdict.why, "line 3: hops[2].ttl: is missing");
	verdict = judge(400, "{\"error\":\"no batch line\"}");
	assert_int_equal(verdict.deed, UPLINK_SET_ASIDE);
	assert_string_equal(verdict.why, "no batch line");
	verdict = judge(400, "{\"error\":\"x\",\"line\":1,\"field\":null}");
	assert_string_equal(verdict.why, "line 1: x");
}

static void a_strangers_refusal_does_not(void **state)
{
	(void)state;
	assert_int_equal(judge(400, "<html>400 Bad Request</html>").deed, UPLINK_RETRY);
	assert_int_equal(judge(404, "{\"error\":\"no such page\"}").deed, UPLINK_RETRY);
	assert_int_equal(judge(302, "").deed, UPLINK_RETRY);
	assert_int_equal(judge(204, "").deed, UPLINK_RETRY);
}

static void an_unknown_probe_keeps_its_batch_and_is_told_what_to_look_at(void **state)
{
	(void)state;
	for (long status = 401; status <= 403; status += 2) {
		struct uplink_verdict verdict = judge(status, "");

		assert_int_equal(verdict.deed, UPLINK_RETRY);
		assert_non_null(strstr(verdict.why, "token_file"));
	}
}

static void too_large_is_for_good(void **state)
{
	(void)state;
	assert_int_equal(judge(413, "").deed, UPLINK_SET_ASIDE);
}

static void retry_after_is_honoured_within_bounds(void **state)
{
	static const struct {
		int64_t said_s, not_before_us;
	} cases[] = {{OBS_ABSENT, 0}, {0, 0}, {7, 7000000}, {3600, 3600000000},
		{1000000, UPLINK_VERDICT_WAIT_MAX_US},
		{INT64_MAX, UPLINK_VERDICT_WAIT_MAX_US}};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fetch_answer given = answer(i % 2 ? 503 : 429, "");
		struct uplink_verdict verdict;

		given.retry_after_s = cases[i].said_s;
		verdict = uplink_verdict_of(&given, 42);
		assert_int_equal(verdict.deed, UPLINK_RETRY);
		assert_int_equal(verdict.not_before_us, cases[i].not_before_us);
	}
}

static void no_answer_and_a_failing_collector_keep_the_batch(void **state)
{
	struct fetch_answer given = {.rc = -ECONNREFUSED, .status = 0};

	(void)state;
	assert_int_equal(uplink_verdict_of(&given, 42).deed, UPLINK_RETRY);
	assert_string_equal(uplink_verdict_of(&given, 42).why, "Connection refused");
	(void)strcpy(given.error_text, "certificate has expired");
	assert_string_equal(uplink_verdict_of(&given, 42).why, "certificate has expired");
	assert_int_equal(judge(500, "").deed, UPLINK_RETRY);
	assert_int_equal(judge(502, "{\"acknowledged\":42}").deed, UPLINK_RETRY);
}

static void a_truncated_answer_acknowledges_nothing(void **state)
{
	struct fetch_answer given = answer(200, "{\"acknowledged\":42}");

	(void)state;
	given.truncated = true;
	assert_int_equal(uplink_verdict_of(&given, 42).deed, UPLINK_RETRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_own_number_makes_a_batch_forgotten),
		cmocka_unit_test(every_short_prefix_of_an_acknowledgement_is_none),
		cmocka_unit_test(a_refusal_in_the_collectors_words_sets_aside),
		cmocka_unit_test(a_strangers_refusal_does_not),
		cmocka_unit_test(
			an_unknown_probe_keeps_its_batch_and_is_told_what_to_look_at),
		cmocka_unit_test(too_large_is_for_good),
		cmocka_unit_test(retry_after_is_honoured_within_bounds),
		cmocka_unit_test(no_answer_and_a_failing_collector_keep_the_batch),
		cmocka_unit_test(a_truncated_answer_acknowledges_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
