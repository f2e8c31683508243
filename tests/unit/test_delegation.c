#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "astray/status.h"
#include "belief.h"
#include "dns_builder.h"

#define ZONE "exchange.example"

struct stage {
	struct dns_builder b;
	struct dns_message message;
	struct delegation before, after;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct stage));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static int read_into(struct stage *stage, struct delegation *delegation)
{
	assert_int_equal(
		dns_message_read(&stage->message, stage->b.bytes, stage->b.len), 0);
	return delegation_read(delegation, &stage->message, ZONE);
}

/* ds: a key tag, or 0 */
static void refer(struct stage *stage, struct delegation *delegation, const char *foreign,
	const char *glue, unsigned ds)
{
	struct dns_builder *b = &stage->b;

	dns_builder_begin(b, 1, DNS_BUILDER_ANSWER, ZONE, DNS_NS);
	dns_builder_host(b, DNS_AUTHORITY, ZONE, DNS_NS, foreign);
	dns_builder_host(b, DNS_AUTHORITY, ZONE, DNS_NS, "ns1." ZONE);
	if (ds)
		dns_builder_ds(b, DNS_AUTHORITY, ZONE, ds);
	else
		dns_builder_end(b,
			dns_builder_record(b, DNS_AUTHORITY, "x.example", DNS_NSEC3, 60));
	if (glue)
		dns_builder_address(b, DNS_ADDITIONAL, "ns1." ZONE, glue);
	dns_builder_address(b, DNS_ADDITIONAL, "a.foreign.example", "192.0.2.99");
	assert_int_equal(read_into(stage, delegation), 0);
}

static void a_referral_tells_servers_glue_and_keys(void **state)
{
	struct stage *stage = *state;
	const struct delegation *told = &stage->before;

	refer(stage, &stage->before, "ns-1.awsdns-00.com", "203.0.113.53", 4711);
	assert_true(told->exists && told->ds_told);
	assert_int_equal(told->server_count, 2);
	assert_string_equal(told->servers[0], "ns-1.awsdns-00.com");
	assert_int_equal(told->ds_count, 1);
	assert_string_equal(told->ds[0], "4711 13 2 deadbeef");
	assert_int_equal(told->glue_count, 1); /* the other lies outside */
	assert_true(delegation_equal(told, told));
}

static void expect_change(struct stage *stage, const char *text)
{
	char buf[DELEGATION_TEXT];

	assert_false(delegation_equal(&stage->before, &stage->after));
	assert_string_equal(
		delegation_changes_text(&stage->before, &stage->after, buf), text);
}

static void every_change_is_named(void **state)
{
	struct stage *stage = *state;

	refer(stage, &stage->before, "ns-1.awsdns-00.com", "203.0.113.53", 4711);
	refer(stage, &stage->after, "ns-1.awsdns-000.com", "203.0.113.53", 4711);
	expect_change(stage, "name server ns-1.awsdns-000.com is new; name server "
			     "ns-1.awsdns-00.com is gone");
	refer(stage, &stage->after, "ns-1.awsdns-00.com", "203.0.113.54", 4711);
	expect_change(stage, "glue of ns1.exchange.example: 203.0.113.54 is new; glue of "
			     "ns1.exchange.example: 203.0.113.53 is gone");
	refer(stage, &stage->after, "ns-1.awsdns-00.com", "203.0.113.53", 0);
	expect_change(stage, "DS is gone");
	refer(stage, &stage->after, "ns-1.awsdns-00.com", "203.0.113.53", 4712);
	expect_change(stage, "DS is another");
}

static void what_is_not_told_is_no_change(void **state)
{
	struct stage *stage = *state;

	refer(stage, &stage->before, "ns-1.awsdns-00.com", "203.0.113.53", 4711);
	refer(stage, &stage->after, "ns-1.awsdns-00.com", NULL, 4711);
	assert_true(delegation_equal(&stage->before, &stage->after));
	stage->after.ds_told = false;
	stage->after.ds_count = 0;
	assert_true(delegation_equal(&stage->before, &stage->after));
}

static void a_clean_no_is_a_delegation_that_is_gone(void **state)
{
	struct stage *stage = *state;
	char buf[DELEGATION_TEXT];

	refer(stage, &stage->before, "ns-1.awsdns-00.com", "203.0.113.53", 4711);
	dns_builder_begin(&stage->b, 1,
		DNS_BUILDER_ANSWER | DNS_BUILDER_AA | DNS_NXDOMAIN, ZONE, DNS_NS);
	dns_builder_soa(&stage->b, DNS_AUTHORITY, "example");
	assert_int_equal(read_into(stage, &stage->after), 0);
	assert_false(stage->after.exists);
	assert_string_equal(delegation_changes_text(&stage->before, &stage->after, buf),
		"the delegation is gone");
}

static void an_error_or_a_lame_answer_says_nothing(void **state)
{
	struct stage *stage = *state;

	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER | DNS_SERVFAIL, ZONE, DNS_NS);
	assert_int_equal(read_into(stage, &stage->before), STATUS_REFUSED);
	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER, ZONE, DNS_NS);
	assert_int_equal(read_into(stage, &stage->before), STATUS_REFUSED);
	/* An upward referral. */
	dns_builder_host(&stage->b, DNS_AUTHORITY, "", DNS_NS, "a.root-servers.net");
	assert_int_equal(read_into(stage, &stage->before), STATUS_REFUSED);
}

static struct delegation_word *word_of(
	struct stage *stage, unsigned server, const char *foreign, bool tcp)
{
	static struct delegation_word word;

	memset(&word, 0, sizeof(word));
	word.server.port = 53;
	word.server.address.family = 4;
	word.server.address.bytes[3] = (uint8_t)server;
	word.tcp = tcp;
	word.answered = true;
	if (foreign)
		refer(stage, &word.delegation, foreign, NULL, 0);
	else
		word.rc = STATUS_REFUSED;
	return &word;
}

#define GOOD "ns-1515.awsdns-61.org"
#define BAD "ns-1515.awsdns-061.org"

static void a_change_wants_two_servers(void **state)
{
	struct stage *stage = *state;
	struct belief *belief = calloc(1, sizeof(*belief));

	assert_non_null(belief);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, GOOD, false), 3), BELIEF_ASK_OTHER);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 2, GOOD, true), 3), BELIEF_REST);
	assert_int_equal(belief->event, BELIEF_BEGUN);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 3, BAD, false), 3), BELIEF_ASK_SAME);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 3, BAD, true), 3), BELIEF_ASK_OTHER);
	assert_int_equal(belief->event, BELIEF_NOTHING);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, BAD, true), 3), BELIEF_REST);
	assert_int_equal(belief->event, BELIEF_CHANGED);
	assert_true(delegation_has_server(&belief->believed, BAD));
	assert_true(delegation_has_server(&belief->before, GOOD));
	free(belief);
}

static void what_tcp_does_not_repeat_is_refuted(void **state)
{
	struct stage *stage = *state;
	struct belief *belief = calloc(1, sizeof(*belief));

	assert_non_null(belief);
	(void)belief_hear(belief, word_of(stage, 1, GOOD, false), 1);
	assert_true(belief->known); /* there is no other to ask */
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, BAD, false), 3), BELIEF_ASK_SAME);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, GOOD, true), 3), BELIEF_REST);
	assert_int_equal(belief->event, BELIEF_REFUTED);
	free(belief);
}

static void one_servers_change_is_spreading_until_another_tells_it(void **state)
{
	struct stage *stage = *state;
	struct belief *belief = calloc(1, sizeof(*belief));

	assert_non_null(belief);
	(void)belief_hear(belief, word_of(stage, 1, GOOD, false), 1);
	(void)belief_hear(belief, word_of(stage, 2, BAD, false), 3);
	(void)belief_hear(belief, word_of(stage, 2, BAD, true), 3);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 3, GOOD, true), 3), BELIEF_ASK_LATER);
	assert_int_equal(belief->event, BELIEF_SPREADING);
	for (int i = 1; i < BELIEF_AGAIN; i++)
		assert_int_equal(belief_hear(belief, word_of(stage, 1, GOOD, true), 3),
			BELIEF_ASK_LATER);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, NULL, true), 3), BELIEF_REST);
	/* The dissenter is known, and asked no further questions. */
	assert_int_equal(
		belief_hear(belief, word_of(stage, 2, BAD, false), 3), BELIEF_REST);
	assert_true(delegation_has_server(&belief->believed, GOOD));
	free(belief);
}

static void what_one_server_repeats_is_no_second_word(void **state)
{
	struct stage *stage = *state;
	struct belief *belief = calloc(1, sizeof(*belief));

	assert_non_null(belief);
	(void)belief_hear(belief, word_of(stage, 1, GOOD, false), 1);
	(void)belief_hear(belief, word_of(stage, 2, BAD, false), 2);
	(void)belief_hear(belief, word_of(stage, 2, BAD, true), 2);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, GOOD, true), 2), BELIEF_ASK_LATER);
	/* There are two, and it is the dissenter's turn. */
	assert_int_equal(
		belief_hear(belief, word_of(stage, 2, BAD, true), 2), BELIEF_ASK_OTHER);
	assert_true(delegation_has_server(&belief->believed, GOOD));
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, GOOD, true), 2), BELIEF_ASK_LATER);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 2, GOOD, true), 2), BELIEF_REST);
	assert_int_equal(belief->stage, BELIEF_CALM);
	free(belief);
}

static void silence_is_no_change(void **state)
{
	struct stage *stage = *state;
	struct belief *belief = calloc(1, sizeof(*belief));

	assert_non_null(belief);
	(void)belief_hear(belief, word_of(stage, 1, GOOD, false), 1);
	assert_int_equal(
		belief_hear(belief, word_of(stage, 1, NULL, false), 3), BELIEF_REST);
	assert_int_equal(belief->event, BELIEF_NOTHING);
	assert_true(delegation_has_server(&belief->believed, GOOD));
	free(belief);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_referral_tells_servers_glue_and_keys),
		TEST(every_change_is_named),
		TEST(what_is_not_told_is_no_change),
		TEST(a_clean_no_is_a_delegation_that_is_gone),
		TEST(an_error_or_a_lame_answer_says_nothing),
		TEST(a_change_wants_two_servers),
		TEST(what_tcp_does_not_repeat_is_refuted),
		TEST(one_servers_change_is_spreading_until_another_tells_it),
		TEST(what_one_server_repeats_is_no_second_word),
		TEST(silence_is_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
