#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "astray/wire.h"
#include "wire_lines.h"

static const char batch_line[] = "{\"kind\":\"batch\",\"v\":1,\"probe\":\"tyo-laptop-"
				 "17\",\"boot\":\"9f2c\",\"seq\":42,"
				 "\"sent_us\":1590854700000000,\"observations\":37}\n";

static void a_batch_goes_both_ways(void **state)
{
	struct wire_batch batch;
	struct fault fault;
	char buf[512];

	(void)state;
	assert_int_equal(
		wire_decode_batch(&batch, batch_line, sizeof(batch_line) - 1, &fault), 0);
	assert_string_equal(batch.probe, "tyo-laptop-17");
	assert_string_equal(batch.boot, "9f2c");
	assert_int_equal(batch.seq, 42);
	assert_int_equal(batch.sent.us, INT64_C(1590854700000000));
	assert_int_equal(batch.observations, 37);
	assert_int_equal(
		wire_encode_batch(buf, sizeof(buf), &batch), sizeof(batch_line) - 1);
	assert_string_equal(buf, batch_line);
	assert_int_equal(wire_encode_batch(buf, 20, &batch), STATUS_LIMIT);
}

static void a_batch_is_refused_by_field(void **state)
{
	static const struct {
		const char *line, *field;
		int rc;
	} rows[] = {
		{"{\"kind\":\"traffic\"}", "kind", STATUS_UNKNOWN},
		{"{\"kind\":\"batch\"}", "v", STATUS_MISSING},
		{"{\"kind\":\"batch\",\"v\":2}", "v", STATUS_RANGE},
		{"{\"kind\":\"batch\",\"v\":1,\"probe\":\"a b\"}", "probe", STATUS_RANGE},
		{"{\"kind\":\"batch\",\"v\":1,\"probe\":\"p\",\"boot\":\"\"}", "boot",
			STATUS_RANGE},
		{"{\"kind\":\"batch\",\"v\":1,\"probe\":\"p\",\"boot\":\"b\",\"seq\":-1}",
			"seq", STATUS_RANGE},
		{"{\"kind\":\"batch\",\"v\":1,\"probe\":\"p\",\"boot\":\"b\",\"seq\":1,"
		 "\"sent_us\":\"now\"}",
			"sent_us", STATUS_SYNTAX},
		{"{\"kind\":\"batch\",\"v\":1,\"probe\":\"p\",\"boot\":\"b\",\"seq\":1,"
		 "\"sent_us\":1,\"observations\":10001}",
			"observations", STATUS_RANGE},
	};
	struct wire_batch batch;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(wire_decode_batch(&batch, rows[i].line,
					 strlen(rows[i].line), &fault),
			rows[i].rc);
		assert_string_equal(fault.field, rows[i].field);
	}
	for (size_t len = 0; len + 2 < sizeof(batch_line); len++)
		assert_int_equal(
			wire_decode_batch(&batch, batch_line, len, &fault), STATUS_SHORT);
}

static void a_record_keeps_the_line_as_it_came(void **state)
{
	const struct wire_origin given = {
		.rx = {1590854701000000}, .probe = "tyo-gw-1", .boot = "9f2c", .seq = 42};
	const char *line = "{ \"kind\":\"health\", \"at_us\":1 }\n";
	struct obs *obs = malloc(sizeof(*obs));
	struct wire_origin origin;
	struct fault fault;
	char buf[256];
	int len = wire_encode_record(buf, sizeof(buf), &given, line, strlen(line));

	(void)state;
	assert_string_equal(buf, "{\"rx_us\":1590854701000000,\"probe\":\"tyo-gw-1\","
				 "\"boot\":\"9f2c\",\"seq\":42, \"kind\":\"health\", "
				 "\"at_us\":1 }\n");
	assert_int_equal(len, strlen(buf));
	assert_int_equal(wire_decode_record(&origin, obs, buf, (size_t)len, &fault), 0);
	assert_int_equal(origin.rx.us, given.rx.us);
	assert_string_equal(origin.probe, "tyo-gw-1");
	assert_string_equal(origin.boot, "9f2c");
	assert_int_equal(origin.seq, 42);
	assert_int_equal(obs->kind, OBS_HEALTH);
	for (size_t cap = 0; cap <= (size_t)len; cap++)
		assert_int_equal(wire_encode_record(buf, cap, &given, line, strlen(line)),
			STATUS_LIMIT);
	free(obs);
}

static void white_space_around_a_line_is_not_recorded(void **state)
{
	const struct wire_origin origin = {.rx = {5}, .probe = "p", .seq = OBS_ABSENT};
	const char *line = " \t{\"kind\":\"health\",\"at_us\":1} \r\n";
	char buf[256];

	(void)state;
	assert_true(
		wire_encode_record(buf, sizeof(buf), &origin, line, strlen(line)) > 0);
	assert_string_equal(
		buf, "{\"rx_us\":5,\"probe\":\"p\",\"kind\":\"health\",\"at_us\":1}\n");
}

static void the_longest_line_can_be_recorded(void **state)
{
	static const char head[] = "{\"kind\":\"health\",\"at_us\":1,\"new\":\"";
	struct wire_origin origin = {.rx = {MOMENT_MAX_US}, .seq = MOMENT_MAX_US};
	char *line = malloc(WIRE_LINE_MAX), *record = malloc(WIRE_RECORD_MAX + 1);
	struct obs *obs = malloc(sizeof(*obs));
	struct fault fault;
	int len;

	(void)state;
	assert_true(line && record && obs);
	memset(line, 'x', WIRE_LINE_MAX);
	memcpy(line, head, sizeof(head) - 1);
	memcpy(line + WIRE_LINE_MAX - 2, "\"}", 2);
	memset(origin.probe, 'p', OBS_WORD - 1);
	memset(origin.boot, 'b', OBS_WORD - 1);
	assert_int_equal(wire_decode(obs, line, WIRE_LINE_MAX, &fault), 0);
	len = wire_encode_record(
		record, WIRE_RECORD_MAX + 1, &origin, line, WIRE_LINE_MAX);
	assert_true(len > WIRE_LINE_MAX);
	assert_int_equal(
		wire_decode_record(&origin, obs, record, (size_t)len, &fault), 0);
	free(line);
	free(record);
	free(obs);
}

static void an_operators_line_has_no_boot_and_no_number(void **state)
{
	const struct wire_origin given = {
		.rx = {5}, .probe = "operator", .seq = OBS_ABSENT};
	const char *line = wire_lines_least[OBS_MAINTENANCE];
	struct obs *obs = malloc(sizeof(*obs));
	struct wire_origin origin;
	struct fault fault;
	char buf[256];
	int len = wire_encode_record(buf, sizeof(buf), &given, line, strlen(line));

	(void)state;
	assert_non_null(strstr(buf, "{\"rx_us\":5,\"probe\":\"operator\",\"kind\""));
	assert_int_equal(wire_decode_record(&origin, obs, buf, (size_t)len, &fault), 0);
	assert_string_equal(origin.boot, "");
	assert_int_equal(origin.seq, OBS_ABSENT);
	free(obs);
}

static void a_record_is_refused_by_field(void **state)
{
	static const struct {
		const char *line, *field;
		int rc;
	} rows[] = {
		{"{\"kind\":\"health\",\"at_us\":1}", "rx_us", STATUS_MISSING},
		{"{\"rx_us\":1,\"kind\":\"health\",\"at_us\":1}", "probe",
			STATUS_MISSING},
		{"{\"rx_us\":1.5,\"probe\":\"p\"}", "rx_us", STATUS_RANGE},
		{"{\"rx_us\":1,\"probe\":\"p\",\"seq\":-1}", "seq", STATUS_RANGE},
		{"{\"rx_us\":1,\"probe\":\"p\",\"boot\":7}", "boot", STATUS_SYNTAX},
		{"{\"rx_us\":1,\"probe\":\"p\",\"at_us\":1}", "kind", STATUS_MISSING},
		{"{\"rx_us\":1,\"probe\":\"p\",\"kind\":\"health\"}", "at_us",
			STATUS_MISSING},
	};
	struct obs *obs = malloc(sizeof(*obs));
	struct wire_origin origin;
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(wire_decode_record(&origin, obs, rows[i].line,
					 strlen(rows[i].line), &fault),
			rows[i].rc);
		assert_string_equal(fault.field, rows[i].field);
	}
	free(obs);
}

static void what_is_no_line_cannot_be_recorded(void **state)
{
	const struct wire_origin origin = {.probe = "p", .seq = OBS_ABSENT};
	char buf[256];

	(void)state;
	assert_int_equal(
		wire_encode_record(buf, sizeof(buf), &origin, "", 0), STATUS_SYNTAX);
	assert_int_equal(
		wire_encode_record(buf, sizeof(buf), &origin, "{}\n", 3), STATUS_SYNTAX);
	assert_int_equal(
		wire_encode_record(buf, sizeof(buf), &origin, "[1]\n", 4), STATUS_SYNTAX);
}

static void lines_come_one_by_one(void **state)
{
	const char *text = "one\n\nthree", *at = text, *end = text + strlen(text);
	bool terminated;
	size_t len;

	(void)state;
	assert_ptr_equal(wire_next_line(&at, end, &len, &terminated), text);
	assert_true(len == 3 && terminated);
	assert_non_null(wire_next_line(&at, end, &len, &terminated));
	assert_true(len == 0 && terminated);
	assert_ptr_equal(wire_next_line(&at, end, &len, &terminated), text + 5);
	assert_true(len == 5 && !terminated);
	assert_null(wire_next_line(&at, end, &len, &terminated));
	assert_null(wire_next_line(&at, end, &len, &terminated));
}

static void words_and_services_have_their_letters(void **state)
{
	char long_word[OBS_WORD + 1] = "";

	(void)state;
	assert_true(wire_word_is_valid("tyo-laptop_17.a"));
	assert_false(wire_word_is_valid(""));
	assert_false(wire_word_is_valid("a b"));
	assert_false(wire_word_is_valid("a/b"));
	assert_false(wire_word_is_valid("a\n"));
	assert_false(wire_word_is_valid("\u00e9"));
	memset(long_word, 'a', OBS_WORD);
	assert_false(wire_word_is_valid(long_word));
	assert_true(wire_word_is_valid(long_word + 1));
	assert_true(wire_service_is_valid("[2001:db8::1]:443/x@y"));
	assert_false(wire_service_is_valid("*"));
	assert_false(wire_service_is_valid("a\"b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_goes_both_ways),
		cmocka_unit_test(a_batch_is_refused_by_field),
		cmocka_unit_test(a_record_keeps_the_line_as_it_came),
		cmocka_unit_test(white_space_around_a_line_is_not_recorded),
		cmocka_unit_test(the_longest_line_can_be_recorded),
		cmocka_unit_test(an_operators_line_has_no_boot_and_no_number),
		cmocka_unit_test(a_record_is_refused_by_field),
		cmocka_unit_test(what_is_no_line_cannot_be_recorded),
		cmocka_unit_test(lines_come_one_by_one),
		cmocka_unit_test(words_and_services_have_their_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
