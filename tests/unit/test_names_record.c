#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dns_builder.h"
#include "names_record.h"

#define ZONE "exchange.example"

struct stage {
	struct dns_builder builder;
	struct dns_message message;
	struct dns_question question;
	struct dns_reply reply;
	struct obs obs;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	(void)snprintf(stage->question.name, OBS_NAME, ZONE);
	stage->question.type = DNS_A;
	(void)dns_endpoint_read(&stage->question.server, "192.0.2.53");
	stage->reply = (struct dns_reply){.question = &stage->question,
		.message = &stage->message,
		.at = {1000},
		.rtt_us = 800};
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void record(struct stage *stage, enum obs_dns_role role)
{
	if (stage->reply.rc == 0)
		assert_int_equal(dns_message_read(&stage->message, stage->builder.bytes,
					 stage->builder.len),
			0);
	names_record_reply(&stage->obs, &stage->reply, "exchange", role, NULL);
}

static void an_alias_is_followed_and_told_of(void **state)
{
	struct stage *stage = *state;
	struct dns_builder *b = &stage->builder;

	dns_builder_begin(b, 1, DNS_BUILDER_ANSWER | DNS_BUILDER_AA, ZONE, DNS_A);
	dns_builder_host(b, DNS_ANSWER, ZONE, DNS_CNAME, "edge.cdn.example");
	dns_builder_address(b, DNS_ANSWER, "edge.cdn.example", "203.0.113.10");
	dns_builder_address(b, DNS_ANSWER, "other.cdn.example", "203.0.113.11");
	record(stage, OBS_RESOLVER);
	assert_int_equal(stage->obs.dns.answer_count, 1);
	assert_string_equal(stage->obs.dns.answers[0].data, "203.0.113.10");
	assert_string_equal(stage->obs.dns.rcode, "NOERROR");
	assert_int_equal(stage->obs.dns.rtt_us, 800);
	assert_true(
		names_record_alias(&stage->obs, &stage->reply, "exchange", OBS_RESOLVER));
	assert_string_equal(stage->obs.dns.type, "CNAME");
	assert_string_equal(stage->obs.dns.answers[0].data, "edge.cdn.example");
}

static void aliases_in_a_circle_end(void **state)
{
	struct stage *stage = *state;
	struct dns_builder *b = &stage->builder;

	dns_builder_begin(b, 1, DNS_BUILDER_ANSWER, ZONE, DNS_A);
	dns_builder_host(b, DNS_ANSWER, ZONE, DNS_CNAME, "a.example");
	dns_builder_host(b, DNS_ANSWER, "a.example", DNS_CNAME, ZONE);
	record(stage, OBS_RESOLVER);
	assert_int_equal(stage->obs.dns.answer_count, 0);
}

static void silence_and_garbage_are_words_of_their_own(void **state)
{
	struct stage *stage = *state;

	stage->reply.rc = -110;
	record(stage, OBS_RESOLVER);
	assert_string_equal(stage->obs.dns.rcode, "TIMEOUT");
	stage->reply.rc = -1003;
	record(stage, OBS_RESOLVER);
	assert_string_equal(stage->obs.dns.rcode, "MALFORMED");
	assert_false(
		names_record_alias(&stage->obs, &stage->reply, "exchange", OBS_RESOLVER));
}

static void a_word_is_servers_then_keys_then_glue_by_host_and_family(void **state)
{
	struct stage *stage = *state;
	struct delegation_word *word = calloc(1, sizeof(*word));
	struct delegation *delegation = &word->delegation;
	unsigned row = 0;

	assert_non_null(word);
	word->answered = true;
	word->server = stage->question.server;
	delegation->exists = delegation->ds_told = true;
	delegation->server_count = 1;
	(void)snprintf(delegation->servers[0], OBS_NAME, "ns1." ZONE);
	delegation->glue_count = 2;
	(void)snprintf(delegation->glue[0].host, OBS_NAME, "ns1." ZONE);
	(void)address_parse(&delegation->glue[0].address, "203.0.113.53");
	(void)snprintf(delegation->glue[1].host, OBS_NAME, "ns1." ZONE);
	(void)address_parse(&delegation->glue[1].address, "2001:db8::53");
	assert_true(names_record_word(&stage->obs, word, ZONE, "exchange", row++, NULL));
	assert_string_equal(stage->obs.dns.type, "NS");
	assert_true(names_record_word(&stage->obs, word, ZONE, "exchange", row++, NULL));
	assert_string_equal(stage->obs.dns.type, "DS");
	assert_int_equal(stage->obs.dns.answer_count, 0);
	assert_true(names_record_word(&stage->obs, word, ZONE, "exchange", row++, NULL));
	assert_string_equal(stage->obs.dns.type, "A");
	assert_string_equal(stage->obs.dns.name, "ns1." ZONE);
	assert_true(names_record_word(&stage->obs, word, ZONE, "exchange", row++, NULL));
	assert_string_equal(stage->obs.dns.type, "AAAA");
	assert_false(names_record_word(&stage->obs, word, ZONE, "exchange", row, NULL));
	/* Answered, and of another zone: no delegation that is gone. */
	word->rc = -1005;
	assert_true(names_record_word(&stage->obs, word, ZONE, "exchange", 0, NULL));
	assert_string_equal(stage->obs.dns.rcode, "LAME");
	assert_false(names_record_word(&stage->obs, word, ZONE, "exchange", 1, NULL));
	free(word);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_alias_is_followed_and_told_of),
		TEST(aliases_in_a_circle_end),
		TEST(silence_and_garbage_are_words_of_their_own),
		TEST(a_word_is_servers_then_keys_then_glue_by_host_and_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
