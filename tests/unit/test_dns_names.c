#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "dns_names.h"

struct stage {
	struct dns_names *names;
	struct services services;
	struct service service;
	struct address client, other_client, server;
	struct moment now;
};

static void begin(struct stage *stage, const char *host)
{
	*stage = (struct stage){.now = {INT64_C(1590854700000000)}};
	if (host) {
		stage->service.host_count = 1;
		(void)strcpy(stage->service.hosts[0], host);
		stage->services = (struct services){1, &stage->service};
	}
	(void)address_parse(&stage->client, "192.0.2.7");
	(void)address_parse(&stage->other_client, "192.0.2.8");
	(void)address_parse(&stage->server, "198.51.100.1");
	assert_int_equal(dns_names_new(&stage->names, &stage->services, 42), 0);
}

static void learn(struct stage *stage, const char *name, uint32_t ttl_s)
{
	dns_names_learn(
		stage->names, &stage->client, &stage->server, name, ttl_s, stage->now);
}

static const char *name_after(const struct stage *stage, int64_t seconds)
{
	return dns_names_of(stage->names, &stage->client, &stage->server,
		moment_plus_us(stage->now, seconds * MOMENT_SECOND_US));
}

static void a_name_holds_for_its_time_and_its_client(void **state)
{
	struct stage stage;

	(void)state;
	begin(&stage, NULL);
	learn(&stage, "exchange.example", 60);
	assert_string_equal(name_after(&stage, 0), "exchange.example");
	assert_string_equal(name_after(&stage, 59), "exchange.example");
	assert_null(name_after(&stage, 60));
	assert_null(
		dns_names_of(stage.names, &stage.other_client, &stage.server, stage.now));
	learn(&stage, "exchange.example", 0); /* may be used, not kept */
	assert_non_null(name_after(&stage, 4));
	assert_null(name_after(&stage, 5));
	learn(&stage, "exchange.example", UINT32_MAX);
	assert_null(name_after(&stage, 86400));
	dns_names_free(stage.names);
}

static void the_latest_of_two_names_counts(void **state)
{
	struct stage stage;

	(void)state;
	begin(&stage, NULL);
	learn(&stage, "exchange.example", 600);
	learn(&stage, "wiki.example", 60);
	assert_string_equal(name_after(&stage, 0), "wiki.example");
	dns_names_free(stage.names);
}

static void names_that_are_not_watched_are_not_kept_but_make_forget(void **state)
{
	struct stage stage;

	(void)state;
	begin(&stage, "*.exchange.example");
	learn(&stage, "private.example", 600);
	assert_null(name_after(&stage, 0));
	learn(&stage, "www.exchange.example", 600);
	assert_string_equal(name_after(&stage, 0), "www.exchange.example");
	learn(&stage, "private.example", 600); /* whose is the address now? */
	assert_null(name_after(&stage, 0));
	dns_names_free(stage.names);
}

static void what_has_no_row_left_is_counted_and_the_latest_stay(void **state)
{
	struct stage stage;
	uint8_t bytes[4] = {198, 18, 0, 0};
	struct address address;

	(void)state;
	begin(&stage, NULL);
	for (unsigned i = 0; i < 4096; i++) {
		bytes[2] = (uint8_t)(i >> 8);
		bytes[3] = (uint8_t)i;
		address = address_v4(bytes);
		dns_names_learn(stage.names, &stage.client, &address, "exchange.example",
			600 + i, stage.now);
		assert_non_null(
			dns_names_of(stage.names, &stage.client, &address, stage.now));
	}
	assert_true(dns_names_displaced(stage.names) >= 4096 - 1024);
	dns_names_free(stage.names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_holds_for_its_time_and_its_client),
		cmocka_unit_test(the_latest_of_two_names_counts),
		cmocka_unit_test(names_that_are_not_watched_are_not_kept_but_make_forget),
		cmocka_unit_test(what_has_no_row_left_is_counted_and_the_latest_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
