#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "exchange_recorder.h"
#include "tls_hello.h"
#include "tls_records.h"

static void the_server_name_is_found(void **state)
{
	uint8_t record[4096];
	struct tls_hello hello;
	size_t len = make_client_hello(record, "exchange.example", 1700);

	(void)state;
	assert_int_equal(tls_hello_message_len(record + 5, len - 5), len - 5);
	assert_int_equal(tls_hello_read_client(&hello, record + 5, len - 5), 0);
	assert_int_equal(hello.server_name_len, 16);
	assert_memory_equal(hello.server_name, "exchange.example", 16);
}

static void every_short_hello_is_read_as_far_as_it_goes(void **state)
{
	uint8_t record[1024];
	struct tls_hello hello;
	size_t len = make_client_hello(record, "exchange.example", 40);

	(void)state;
	for (size_t cut = 0; cut < len - 5; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, record + 5, cut);
		(void)tls_hello_read_client(&hello, exact, cut);
		assert_null(hello.server_name);
		free(exact);
	}
}

static void a_name_before_the_cut_is_found(void **state)
{
	uint8_t record[2048];
	struct tls_hello hello;

	(void)state;
	(void)make_client_hello(record, "a.example", 10);
	/* The message claims more than came, as when its second segment was lost. */
	record[7] = 0x40;
	assert_int_equal(tls_hello_read_client(&hello, record + 5, 120), STATUS_SHORT);
	assert_memory_equal(hello.server_name, "a.example", 9);
}

static void the_version_is_the_servers_choice(void **state)
{
	uint8_t record[256];
	struct tls_hello hello;
	size_t len = make_server_hello(record, 1);

	(void)state;
	assert_int_equal(tls_hello_read_server(&hello, record + 5, len - 5), 0);
	assert_true(hello.is_1_3);
	assert_false(hello.is_retry);
	len = make_server_hello(record, 0);
	assert_int_equal(tls_hello_read_server(&hello, record + 5, len - 5), 0);
	assert_false(hello.is_1_3);
}

static void another_message_is_refused(void **state)
{
	uint8_t record[256];
	struct tls_hello hello;
	size_t len = make_server_hello(record, 1);

	(void)state;
	assert_int_equal(
		tls_hello_read_client(&hello, record + 5, len - 5), STATUS_SYNTAX);
	assert_null(hello.server_name);
}

static void records_are_cut_out_of_any_segments(void **state)
{
	uint8_t bytes[600];
	size_t len = make_record(bytes, 22, 100);

	(void)state;
	len += make_record(bytes + len, 23, 7);
	len += make_record(bytes + len, 23, 300);
	for (size_t step = 1; step < len; step++) {
		struct tls_records records = {0};
		unsigned begun = 0;
		size_t body = 0;

		for (size_t at = 0; at < len; at += step) {
			struct cursor cur = cursor_over(
				bytes + at, step < len - at ? step : len - at);
			struct tls_piece piece;

			while (tls_records_next(&records, &cur, &piece)) {
				begun += piece.begins;
				body += cursor_left(&piece.body);
			}
		}
		assert_int_equal(begun, 3);
		assert_int_equal(body, 407);
		assert_false(records.lost);
	}
}

static void what_is_no_header_loses_framing(void **state)
{
	static const uint8_t bad[][5] = {{19, 3, 3, 0, 5}, {24, 3, 3, 0, 5},
		{23, 2, 3, 0, 5}, {23, 3, 4, 0, 5}, {23, 3, 3, 0xff, 5},
		{23, 3, 3, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tls_records records = {0};
		struct cursor cur = cursor_over(bad[i], 5);
		struct tls_piece piece;

		assert_false(tls_records_next(&records, &cur, &piece));
		assert_true(records.lost);
	}
}

static void a_gap_within_a_record_does_no_harm(void **state)
{
	uint8_t bytes[200];
	size_t len = make_record(bytes, 23, 100);
	struct tls_records records = {0};
	struct cursor cur = cursor_over(bytes, 50);
	struct tls_piece piece;

	(void)state;
	(void)make_record(bytes + len, 23, 20);
	assert_true(tls_records_next(&records, &cur, &piece));
	assert_true(tls_records_skip(&records, 55));
	cur = cursor_over(bytes + len, 25);
	assert_true(tls_records_next(&records, &cur, &piece));
	assert_true(piece.begins);
	assert_false(tls_records_skip(&records, 1));
	assert_true(records.lost);
	tls_records_resume(&records, (const uint8_t *)"GET / HTTP", 10);
	assert_true(records.lost);
	tls_records_resume(&records, bytes, len);
	assert_false(records.lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_name_is_found),
		cmocka_unit_test(every_short_hello_is_read_as_far_as_it_goes),
		cmocka_unit_test(a_name_before_the_cut_is_found),
		cmocka_unit_test(the_version_is_the_servers_choice),
		cmocka_unit_test(another_message_is_refused),
		cmocka_unit_test(records_are_cut_out_of_any_segments),
		cmocka_unit_test(what_is_no_header_loses_framing),
		cmocka_unit_test(a_gap_within_a_record_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
