#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "patience.h"

struct tale {
	struct patience_memory memory;
	struct obs *obs;
};

static struct tale *begin(void)
{
	struct tale *tale = calloc(1, sizeof(*tale));

	assert_non_null(tale);
	tale->obs = malloc(sizeof(*tale->obs));
	assert_non_null(tale->obs);
	return tale;
}

static void finish(struct tale *tale)
{
	free(tale->obs);
	free(tale);
}

static enum patience with_traffic(
	struct tale *tale, const char *service, int64_t requests, int64_t refused)
{
	obs_init(tale->obs, OBS_TRAFFIC, (struct moment){1});
	(void)snprintf(tale->obs->traffic.service, OBS_NAME, "%s", service);
	tale->obs->traffic.requests = requests;
	tale->obs->traffic.refused = refused;
	return patience_with(&tale->memory, tale->obs);
}

static enum patience with_check(
	struct tale *tale, const char *service, enum obs_check_error error)
{
	obs_init(tale->obs, OBS_CHECK, (struct moment){1});
	(void)snprintf(tale->obs->check.service, OBS_NAME, "%s", service);
	tale->obs->check.error = error;
	tale->obs->check.status = 200;
	return patience_with(&tale->memory, tale->obs);
}

static void an_unused_machine_has_much_patience(void **state)
{
	struct tale *tale = begin();

	(void)state;
	assert_int_equal(with_traffic(tale, "exchange", 0, 0), PATIENCE_MUCH);
	assert_int_equal(with_check(tale, "exchange", OBS_CHECK_OK), PATIENCE_MUCH);
	assert_int_equal(with_traffic(tale, "exchange", 1, 0), PATIENCE_SOME);
	/* Not measured is not used. */
	assert_int_equal(with_traffic(tale, "exchange", OBS_ABSENT, 0), PATIENCE_MUCH);
	finish(tale);
}

static void trouble_goes_at_once_when_it_begins(void **state)
{
	struct tale *tale = begin();

	(void)state;
	assert_int_equal(with_check(tale, "exchange", OBS_CHECK_TIMEOUT), PATIENCE_NONE);
	assert_int_equal(with_check(tale, "exchange", OBS_CHECK_TIMEOUT), PATIENCE_SOME);
	assert_int_equal(with_check(tale, "wallet", OBS_CHECK_REFUSED), PATIENCE_NONE);
	assert_int_equal(with_check(tale, "exchange", OBS_CHECK_OK), PATIENCE_MUCH);
	assert_int_equal(with_check(tale, "exchange", OBS_CHECK_TIMEOUT), PATIENCE_NONE);
	finish(tale);
}

static void failing_requests_are_trouble(void **state)
{
	struct tale *tale = begin();

	(void)state;
	assert_int_equal(with_traffic(tale, "exchange", 3, 1), PATIENCE_NONE);
	assert_int_equal(with_traffic(tale, "exchange", 3, 1), PATIENCE_SOME);
	assert_int_equal(with_traffic(tale, "exchange", 3, 0), PATIENCE_SOME);
	assert_int_equal(with_traffic(tale, "exchange", 0, 1), PATIENCE_NONE);
	finish(tale);
}

static void an_answer_of_500_is_trouble(void **state)
{
	struct tale *tale = begin();

	(void)state;
	obs_init(tale->obs, OBS_CHECK, (struct moment){1});
	tale->obs->check.error = OBS_CHECK_OK;
	tale->obs->check.status = 503;
	assert_int_equal(patience_with(&tale->memory, tale->obs), PATIENCE_NONE);
	finish(tale);
}

static void a_hello_waits_for_nobody_and_names_wait_a_little(void **state)
{
	struct tale *tale = begin();

	(void)state;
	obs_init(tale->obs, OBS_HELLO, (struct moment){1});
	assert_int_equal(patience_with(&tale->memory, tale->obs), PATIENCE_NONE);
	obs_init(tale->obs, OBS_DNS, (struct moment){1});
	assert_int_equal(patience_with(&tale->memory, tale->obs), PATIENCE_SOME);
	finish(tale);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_machine_has_much_patience),
		cmocka_unit_test(trouble_goes_at_once_when_it_begins),
		cmocka_unit_test(failing_requests_are_trouble),
		cmocka_unit_test(an_answer_of_500_is_trouble),
		cmocka_unit_test(a_hello_waits_for_nobody_and_names_wait_a_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
