#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "astray/status.h"
#include "dns_builder.h"

struct stage {
	struct dns_builder b;
	struct dns_message message;
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

static void read_it(struct stage *stage)
{
	assert_int_equal(
		dns_message_read(&stage->message, stage->b.bytes, stage->b.len), 0);
}

static void build_many(struct dns_builder *b)
{
	size_t start;

	dns_builder_begin(
		b, 77, DNS_BUILDER_ANSWER | DNS_BUILDER_AA, "eXample.com", DNS_MX);
	dns_builder_host(b, DNS_ANSWER, "EXAMPLE.com", DNS_MX, "MX.example.com");
	dns_builder_address(b, DNS_ANSWER, "example.com", "192.0.2.1");
	start = dns_builder_record(b, DNS_ANSWER, "example.com", DNS_TXT, 5);
	dns_builder_raw(b, "\3a\"\1\1b", 6);
	dns_builder_end(b, start);
	start = dns_builder_record(b, DNS_ANSWER, "example.com", DNS_CAA, 5);
	dns_builder_raw(b, "\0\5issueca.example", 17);
	dns_builder_end(b, start);
	dns_builder_soa(b, DNS_AUTHORITY, "com");
	dns_builder_ds(b, DNS_AUTHORITY, "example.com", 4711);
	dns_builder_address(b, DNS_ADDITIONAL, "mx.example.com", "2001:db8::1");
}

static void records_read_as_people_write_them(void **state)
{
	struct stage *stage = *state;
	const struct dns_record *records = stage->message.records;

	build_many(&stage->b);
	read_it(stage);
	assert_int_equal(stage->message.id, 77);
	assert_true(stage->message.is_answer && stage->message.authoritative);
	assert_string_equal(stage->message.question, "eXample.com");
	assert_int_equal(stage->message.record_count, 7);
	assert_string_equal(records[0].owner, "example.com");
	assert_string_equal(records[0].data, "10 mx.example.com");
	assert_string_equal(records[0].host, "mx.example.com");
	assert_string_equal(records[1].data, "192.0.2.1");
	assert_string_equal(records[2].data, "\"a\\\"\\001\" \"b\"");
	assert_string_equal(records[3].data, "0 issue \"ca.example\"");
	assert_string_equal(records[4].data, "ns.example hostmaster.example 1 2 3 4 5");
	assert_string_equal(records[5].data, "4711 13 2 deadbeef");
	assert_string_equal(records[6].data, "2001:db8::1");
	assert_int_equal(records[6].section, DNS_ADDITIONAL);
}

static void every_short_prefix_is_refused(void **state)
{
	struct stage *stage = *state;

	build_many(&stage->b);
	for (size_t len = 0; len < stage->b.len; len++) {
		void *copy = malloc(len + 1);

		memcpy(copy, stage->b.bytes, len);
		assert_true(dns_message_read(&stage->message, copy, len) < 0);
		free(copy);
	}
	dns_builder_u8(&stage->b, 0);
	assert_true(dns_message_read(&stage->message, stage->b.bytes, stage->b.len) < 0);
}

static void a_record_must_fill_its_length(void **state)
{
	struct stage *stage = *state;
	size_t start;

	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER, "example.com", DNS_A);
	start = dns_builder_record(&stage->b, DNS_ANSWER, "example.com", DNS_A, 5);
	dns_builder_raw(&stage->b, "\1\2\3\4\5", 5);
	dns_builder_end(&stage->b, start);
	assert_int_equal(dns_message_read(&stage->message, stage->b.bytes, stage->b.len),
		STATUS_SYNTAX);
}

static void a_name_that_points_at_itself_is_refused(void **state)
{
	struct stage *stage = *state;
	size_t start;

	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER, "example.com", DNS_NS);
	start = dns_builder_record(&stage->b, DNS_ANSWER, "example.com", DNS_NS, 5);
	dns_builder_u16(&stage->b, 0xc000u | (unsigned)start);
	dns_builder_end(&stage->b, start);
	assert_true(dns_message_read(&stage->message, stage->b.bytes, stage->b.len) < 0);
}

static void more_records_than_the_limit_are_refused(void **state)
{
	struct stage *stage = *state;

	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER, "e", DNS_A);
	for (int i = 0; i <= DNS_MESSAGE_RECORDS; i++)
		dns_builder_address(&stage->b, DNS_ANSWER, "e", "192.0.2.1");
	assert_int_equal(dns_message_read(&stage->message, stage->b.bytes, stage->b.len),
		STATUS_LIMIT);
}

static void a_long_text_keeps_a_trace_of_its_end(void **state)
{
	struct stage *stage = *state;
	char first[OBS_NAME];

	for (int last = 'x'; last <= 'y'; last++) {
		size_t start;

		dns_builder_begin(
			&stage->b, 1, DNS_BUILDER_ANSWER, "example.com", DNS_TXT);
		start = dns_builder_record(
			&stage->b, DNS_ANSWER, "example.com", DNS_TXT, 5);
		for (int i = 0; i < 2; i++) {
			dns_builder_u8(&stage->b, 200);
			memset(stage->b.bytes + stage->b.len, last, 200);
			if (i == 0)
				memset(stage->b.bytes + stage->b.len, 'a', 200);
			stage->b.len += 200;
		}
		dns_builder_end(&stage->b, start);
		read_it(stage);
		assert_int_equal(strlen(stage->message.records[0].data), OBS_NAME - 1);
		if (last == 'x')
			memcpy(first, stage->message.records[0].data, OBS_NAME);
	}
	assert_string_not_equal(first, stage->message.records[0].data);
}

static void upper_bits_of_the_code_come_with_opt(void **state)
{
	struct stage *stage = *state;
	char text[DNS_WORD];
	size_t start;

	dns_builder_begin(&stage->b, 1, DNS_BUILDER_ANSWER, "example.com", DNS_A);
	start = dns_builder_record(&stage->b, DNS_ADDITIONAL, "", DNS_OPT, 1u << 24);
	dns_builder_end(&stage->b, start);
	read_it(stage);
	assert_string_equal(
		dns_message_rcode_text(stage->message.rcode, text), "BADVERS");
	assert_string_equal(dns_message_rcode_text(99, text), "RCODE99");
	assert_string_equal(dns_message_type_text(65, text), "TYPE65");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_head_is_read_where_the_rest_is_cut(void **state)
{
	struct stage *stage = *state;
	struct dns_message_head head;
	size_t whole = 12 + 13 + 4; /* header, example.com, type and class */

	build_many(&stage->b);
	assert_int_equal(dns_message_read_head(&head, stage->b.bytes, whole), 0);
	assert_true(head.is_answer && !head.truncated);
	assert_int_equal(head.id, 77);
	assert_int_equal(head.answer_count, 4);
	assert_int_equal(head.question_type, DNS_MX);
	assert_string_equal(head.question, "example.com");
	for (size_t len = 0; len < whole; len++)
		assert_true(dns_message_read_head(&head, stage->b.bytes, len) < 0);
}

static void what_asks_nothing_has_no_head(void **state)
{
	struct stage *stage = *state;
	struct dns_message_head head;

	build_many(&stage->b);
	stage->b.bytes[2] |= 0x28; /* an update, no question */
	assert_int_equal(dns_message_read_head(&head, stage->b.bytes, stage->b.len),
		STATUS_SYNTAX);
	build_many(&stage->b);
	stage->b.bytes[5] = 2;
	assert_int_equal(dns_message_read_head(&head, stage->b.bytes, stage->b.len),
		STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_read_as_people_write_them),
		TEST(every_short_prefix_is_refused),
		TEST(a_record_must_fill_its_length),
		TEST(a_name_that_points_at_itself_is_refused),
		TEST(more_records_than_the_limit_are_refused),
		TEST(a_long_text_keeps_a_trace_of_its_end),
		TEST(a_head_is_read_where_the_rest_is_cut),
		TEST(what_asks_nothing_has_no_head),
		TEST(upper_bits_of_the_code_come_with_opt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
