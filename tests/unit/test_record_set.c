#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "record_set.h"

static void an_address_is_its_network_and_mail_its_host(void **state)
{
	struct obs_answer address = {.data = "203.0.113.10"},
			  mail = {.data = "10 mx.example"}, bare = {.data = "mx.example"};
	enum record_set set;

	(void)state;
	address.place.asn = 64501;
	assert_true(record_set_of("AAAA", &set));
	assert_int_equal(set, RECORD_SET_NETWORKS);
	assert_int_equal(record_set_read(set, &address).key, 64501);
	assert_non_null(
		strstr(record_set_read(set, &address).words, "203.0.113.10 (AS64501"));
	assert_true(record_set_of("MX", &set));
	assert_string_equal(record_set_read(set, &mail).words, "mx.example");
	assert_int_equal(
		record_set_read(set, &mail).key, record_set_read(set, &bare).key);
	assert_false(record_set_of("TXT", &set));
}

static void a_policy_is_what_the_operator_wrote_and_is_listed_short(void **state)
{
	struct service *service = calloc(1, sizeof(*service));
	struct record_set_item item = {.key = 64503};
	char text[64];

	(void)state;
	assert_non_null(service);
	assert_false(record_set_has_policy(service, RECORD_SET_NETWORKS));
	service->expect.asns_given = true;
	record_set_write_policy(service, RECORD_SET_NETWORKS, text, sizeof(text));
	assert_string_equal(text, "none");
	service->expect.asn_count = 6;
	for (unsigned i = 0; i < 6; i++)
		service->expect.asns[i] = 64501 + i;
	assert_true(record_set_has_policy(service, RECORD_SET_NETWORKS));
	assert_true(record_set_expects(service, RECORD_SET_NETWORKS, &item));
	item.key = 1;
	assert_false(record_set_expects(service, RECORD_SET_NETWORKS, &item));
	record_set_write_policy(service, RECORD_SET_NETWORKS, text, sizeof(text));
	assert_string_equal(text, "AS64501, AS64502, AS64503, AS64504 and 2 more");
	free(service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_its_network_and_mail_its_host),
		cmocka_unit_test(a_policy_is_what_the_operator_wrote_and_is_listed_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
