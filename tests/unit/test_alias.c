#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "alias.h"
#include "dns_builder.h"

#define NAME "www.exchange.example"

struct stage {
	struct dns_builder builder;
	struct dns_message message;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	dns_builder_begin(&stage->builder, 1, DNS_BUILDER_ANSWER, NAME, DNS_A);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static const struct dns_message *read_it(struct stage *stage)
{
	assert_int_equal(dns_message_read(&stage->message, stage->builder.bytes,
				 stage->builder.len),
		0);
	return &stage->message;
}

static void alias(struct stage *stage, const char *from, const char *to)
{
	dns_builder_host(&stage->builder, DNS_ANSWER, from, DNS_CNAME, to);
}

static void a_name_that_is_no_alias_ends_at_itself(void **state)
{
	struct stage *stage = *state;

	dns_builder_address(&stage->builder, DNS_ANSWER, NAME, "203.0.113.10");
	assert_null(alias_find(read_it(stage), NAME));
	assert_string_equal(alias_end(&stage->message, NAME), NAME);
	assert_null(alias_open_end(&stage->message, NAME, DNS_A));
}

static void an_alias_without_its_records_is_open(void **state)
{
	struct stage *stage = *state;

	alias(stage, NAME, "a.cdn.example");
	alias(stage, "a.cdn.example", "b.cdn.example");
	dns_builder_address(
		&stage->builder, DNS_ANSWER, "other.cdn.example", "203.0.113.10");
	assert_string_equal(alias_end(read_it(stage), NAME), "b.cdn.example");
	assert_string_equal(
		alias_open_end(&stage->message, NAME, DNS_A), "b.cdn.example");
}

static void an_alias_with_its_records_is_not(void **state)
{
	struct stage *stage = *state;

	alias(stage, NAME, "a.cdn.example");
	dns_builder_address(&stage->builder, DNS_ANSWER, "a.cdn.example", "203.0.113.10");
	assert_null(alias_open_end(read_it(stage), NAME, DNS_A));
	assert_string_equal(
		alias_open_end(&stage->message, NAME, DNS_AAAA), "a.cdn.example");
}

static void a_circle_leads_nowhere(void **state)
{
	struct stage *stage = *state;

	alias(stage, NAME, "a.cdn.example");
	alias(stage, "a.cdn.example", NAME);
	assert_null(alias_open_end(read_it(stage), NAME, DNS_A));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_that_is_no_alias_ends_at_itself),
		TEST(an_alias_without_its_records_is_open),
		TEST(an_alias_with_its_records_is_not),
		TEST(a_circle_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
