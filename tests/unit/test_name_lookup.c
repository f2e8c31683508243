#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>
#include <cmocka.h>

#include "name_lookup.h"

static struct service list[2] = {
	{.name = "here", .host_count = 2, .port_count = 1, .ports = {80}},
	{.name = "there", .host_count = 1, .port_count = 1, .ports = {80}},
};

struct bench {
	uv_loop_t loop;
	struct services services;
	struct address_book *book;
	struct name_lookup *lookup;
	unsigned changes;
	bool closed;
};

static void book_changed(void *arg)
{
	struct bench *bench = arg;

	bench->changes++;
	uv_stop(&bench->loop);
}

static void lookup_closed(void *arg)
{
	struct bench *bench = arg;

	bench->closed = true;
}

static void bench_begin(struct bench *bench)
{
	static const struct log silent = {0};

	*bench = (struct bench){.services = {2, list}};
	(void)strcpy(list[0].hosts[0], "*.example"); /* no name to be looked up */
	(void)strcpy(list[0].hosts[1], "localhost");
	(void)strcpy(list[1].hosts[0], "203.0.113.7");
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	assert_int_equal(address_book_new(&bench->book, &bench->services), 0);
	assert_int_equal(name_lookup_open(&bench->lookup, &bench->loop, &silent,
				 &bench->services, bench->book, book_changed, bench),
		0);
}

static void bench_end(struct bench *bench)
{
	name_lookup_close(bench->lookup, lookup_closed, bench);
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
	assert_true(bench->closed);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	address_book_free(bench->book);
}

static int find(const struct bench *bench, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(&address, text), 0);
	return address_book_find(bench->book, &address, 80);
}

static void names_that_can_be_looked_up_fill_the_book(void **state)
{
	struct bench bench;

	(void)state;
	bench_begin(&bench);
	(void)uv_run(&bench.loop, UV_RUN_DEFAULT);
	assert_int_equal(bench.changes, 1);
	assert_int_equal(find(&bench, "127.0.0.1"), 0);
	assert_int_equal(find(&bench, "203.0.113.7"), 1);
	bench_end(&bench);
}

static void it_may_be_closed_while_it_asks(void **state)
{
	struct bench bench;

	(void)state;
	bench_begin(&bench);
	(void)uv_run(&bench.loop, UV_RUN_NOWAIT);
	bench_end(&bench);
	assert_int_equal(bench.changes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_can_be_looked_up_fill_the_book),
		cmocka_unit_test(it_may_be_closed_while_it_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
