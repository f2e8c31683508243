#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include <cmocka.h>

#include "host_addresses.h"

struct answer {
	unsigned calls;
	int rc;
	unsigned count;
	struct address first;
};

static void answered(void *arg, int rc, const struct address *addresses, unsigned count)
{
	struct answer *answer = arg;

	answer->calls++;
	answer->rc = rc;
	answer->count = count;
	if (count)
		answer->first = addresses[0];
}

static void gone(void *arg)
{
	*(bool *)arg = true;
}

static void close_all(struct host_addresses *hosts, uv_loop_t *loop)
{
	bool closed = false;

	host_addresses_close(hosts, gone, &closed);
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_true(closed);
	assert_int_equal(uv_loop_close(loop), 0);
}

static struct answer ask(const char *host, uint8_t family)
{
	struct answer answer = {0};
	struct host_addresses *hosts;
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(host_addresses_open(&hosts, &loop), 0);
	assert_int_equal(host_addresses_find(hosts, host, family, answered, &answer), 0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	close_all(hosts, &loop);
	assert_int_equal(answer.calls, 1);
	return answer;
}

static void check_itself(const char *text, uint8_t family)
{
	struct answer answer = ask(text, family);
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	assert_int_equal(answer.rc, 0);
	assert_int_equal(answer.count, 1);
	assert_true(address_equal(&answer.first, &address));
}

static void an_address_stands_for_itself(void **state)
{
	(void)state;
	check_itself("192.0.2.1", 0);
	check_itself("192.0.2.1", 4);
	check_itself("2001:db8::1", 0);
	check_itself("2001:db8::1", 6);
}

static void an_address_of_the_other_family_is_none(void **state)
{
	(void)state;
	assert_true(ask("2001:db8::1", 4).rc < 0);
	assert_int_equal(ask("2001:db8::1", 4).count, 0);
	assert_true(ask("192.0.2.1", 6).rc < 0);
}

static void all_of_many_are_answered(void **state)
{
	struct answer answers[50] = {0};
	struct host_addresses *hosts;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(host_addresses_open(&hosts, &loop), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(
			host_addresses_find(hosts, "192.0.2.1", 0, answered, &answers[i]),
			0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(answers[i].calls, 1);
	close_all(hosts, &loop);
}

static void nothing_is_answered_once_it_is_closed(void **state)
{
	struct answer answers[50] = {0};
	struct host_addresses *hosts;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(host_addresses_open(&hosts, &loop), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(
			host_addresses_find(hosts, "192.0.2.1", 0, answered, &answers[i]),
			0);
	close_all(hosts, &loop);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(answers[i].calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_stands_for_itself),
		cmocka_unit_test(an_address_of_the_other_family_is_none),
		cmocka_unit_test(all_of_many_are_answered),
		cmocka_unit_test(nothing_is_answered_once_it_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
