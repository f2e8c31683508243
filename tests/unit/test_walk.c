#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <cmocka.h>

#include "astray/status.h"
#include "dns_builder.h"
#include "dns_endpoint.h"
#include "dns_name.h"
#include "walk.h"

#define ZONE "exchange.example"

struct stage {
	struct dns_builder b;
	struct dns_message message;
	struct zone_cut root;
	struct walk walk;
	struct address server;
	const char *host;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct address address;

	if (!stage || address_parse(&address, "198.51.100.53"))
		return -1;
	zone_cut_add_host(&stage->root, "a.root");
	zone_cut_add_address(&stage->root, "a.root", &address);
	walk_begin(&stage->walk, WALK_PARENT, ZONE, DNS_NS, &stage->root, 0);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static enum walk_want next(struct stage *stage)
{
	return walk_next(&stage->walk, &stage->server, &stage->host);
}

/* The answer: `zone` lies with `host`, at `glue`. */
static bool refer(
	struct stage *stage, const char *zone, const char *host, const char *glue)
{
	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER, ZONE, DNS_NS);
	dns_builder_host(&stage->b, DNS_AUTHORITY, zone, DNS_NS, host);
	if (glue)
		dns_builder_address(&stage->b, DNS_ADDITIONAL, host, glue);
	assert_int_equal(
		dns_message_read(&stage->message, stage->b.bytes, stage->b.len), 0);
	return walk_answered(&stage->walk, 0, &stage->message);
}

static void the_parent_is_who_refers(void **state)
{
	struct stage *stage = *state;
	char text[ADDRESS_TEXT];

	assert_int_equal(next(stage), WALK_ASK);
	assert_true(refer(stage, "example", "a.nic.test", "198.51.100.54"));
	assert_int_equal(next(stage), WALK_ASK);
	assert_string_equal(address_text(&stage->server, text), "198.51.100.54");
	assert_false(refer(stage, ZONE, "ns1." ZONE, "203.0.113.53"));
	assert_int_equal(next(stage), WALK_ENDS);
	assert_true(stage->walk.found);
	assert_string_equal(stage->walk.cut.zone, "example");
}

/* Below the root, addresses outside the delegated zone are somebody else's word. */
static void foreign_glue_is_looked_for_instead(void **state)
{
	struct stage *stage = *state;
	struct zone_cut here;

	(void)next(stage);
	(void)refer(stage, "example", "a.nic.example", "198.51.100.54");
	(void)next(stage);
	here = stage->walk.cut;
	walk_begin(&stage->walk, WALK_RECORDS, "www." ZONE, DNS_A, &here, 0);
	assert_int_equal(next(stage), WALK_ASK);
	assert_true(refer(stage, ZONE, "ns.provider.test", "192.0.2.66"));
	assert_int_equal(next(stage), WALK_FIND);
	assert_string_equal(stage->host, "ns.provider.test");
	walk_host_found(&stage->walk, "ns.provider.test", NULL, 0);
	assert_int_equal(next(stage), WALK_ENDS);
	assert_false(stage->walk.found);
}

static void a_referral_sideways_or_up_leads_nowhere(void **state)
{
	struct stage *stage = *state;

	(void)next(stage);
	(void)refer(stage, "example", "a.nic.example", "198.51.100.54");
	(void)next(stage);
	assert_false(refer(stage, "other.example", "ns.other.example", "192.0.2.66"));
	assert_int_equal(next(stage), WALK_ENDS);
	assert_int_equal(stage->walk.rc, STATUS_REFUSED);
}

static void silence_of_all_is_a_timeout(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(next(stage), WALK_ASK);
	assert_false(walk_answered(&stage->walk, -ETIMEDOUT, NULL));
	assert_int_equal(next(stage), WALK_ENDS);
	assert_int_equal(stage->walk.rc, -ETIMEDOUT);
}

static void servers_are_read_as_people_write_them(void **state)
{
	static const char *const bad[] = {"", "192.0.2", "192.0.2.1:", "192.0.2.1:0",
		"192.0.2.1:65536", "192.0.2.1:+5", "[2001:db8::1", "[2001:db8::1]5",
		"name:53"};
	static const char *const good[] = {
		"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"};
	struct dns_endpoint endpoint;
	char text[DNS_ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(dns_endpoint_read(&endpoint, good[i]), 0);
		assert_string_equal(dns_endpoint_text(&endpoint, text), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(dns_endpoint_read(&endpoint, bad[i]) < 0);
}

static void names_are_read_lower_and_without_a_dot(void **state)
{
	static const char *const bad[] = {
		"", "..", ".a", "a..b", "a b", "a\\b", "\xc3\xa9.example"};
	char name[OBS_NAME];

	(void)state;
	assert_int_equal(dns_name_read(name, "Ns1.Example."), 0);
	assert_string_equal(name, "ns1.example");
	assert_int_equal(dns_name_read(name, "."), 0);
	assert_string_equal(name, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(dns_name_read(name, bad[i]) < 0);
	assert_true(dns_name_is_under("a.example", "example"));
	assert_true(dns_name_is_under("example", ""));
	assert_false(dns_name_is_under("notexample", "example"));
	assert_int_equal(dns_name_labels("a.b.example"), 3);
	assert_string_equal(dns_name_above("a.b.example"), "b.example");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_parent_is_who_refers),
		TEST(foreign_glue_is_looked_for_instead),
		TEST(a_referral_sideways_or_up_leads_nowhere),
		TEST(silence_of_all_is_a_timeout),
		cmocka_unit_test(servers_are_read_as_people_write_them),
		cmocka_unit_test(names_are_read_lower_and_without_a_dot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
