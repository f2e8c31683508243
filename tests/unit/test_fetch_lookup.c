#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include <cmocka.h>

#include "fetch_lookup.h"

struct found {
	unsigned calls;
	int rc;
	unsigned count;
	struct address first;
};

static void found(void *arg, int rc, const struct address *list, unsigned count)
{
	struct found *found = arg;

	found->calls++;
	found->rc = rc;
	found->count = count;
	if (count)
		found->first = list[0];
}

static struct found look_up(const char *host, bool cancel)
{
	struct fetch_lookup *lookup;
	struct found answer = {0};
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(fetch_lookup_start(&lookup, &loop, host, found, &answer), 0);
	assert_int_equal(answer.calls, 0);
	if (cancel)
		fetch_lookup_cancel(lookup);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	return answer;
}

static void a_name_has_its_addresses(void **state)
{
	struct found answer = look_up("localhost", false);

	(void)state;
	assert_int_equal(answer.calls, 1);
	assert_int_equal(answer.rc, 0);
	assert_true(answer.count >= 1);
	assert_true(address_is_private(&answer.first));
}

static void what_is_no_name_is_refused(void **state)
{
	struct found answer = look_up("no such name", false);

	(void)state;
	assert_int_equal(answer.calls, 1);
	assert_true(answer.rc < 0);
	assert_int_equal(answer.count, 0);
}

static void who_cancelled_hears_nothing(void **state)
{
	(void)state;
	assert_int_equal(look_up("localhost", true).calls, 0);
	fetch_lookup_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_has_its_addresses),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(who_cancelled_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
