#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "batch_text.h"
#include "wire_lines.h"

#define HEAD(count)                                                                     \
	"{\"kind\":\"batch\",\"v\":1,\"probe\":\"a\",\"boot\":\"b\",\"seq\":42,\"sent_" \
	"us\":1,"                                                                       \
	"\"observations\":" count "}\n"
#define HEALTH "{\"kind\":\"health\",\"at_us\":1}\n"

struct outcome {
	int status;
	struct wire_batch batch;
	struct parcel parcel;
	struct fault fault;
};

static struct outcome read_text(const char *text, size_t len, const char *probe)
{
	struct obs *scratch = malloc(sizeof(*scratch));
	struct outcome out = {0};

	assert_non_null(scratch);
	out.status = batch_text_read(
		&out.batch, &out.parcel, text, len, probe, scratch, &out.fault);
	parcel_free(&out.parcel);
	free(scratch);
	return out;
}

static void a_batch_is_taken_whole(void **state)
{
	static const char text[] = HEAD("2") HEALTH HEALTH;
	struct outcome out = read_text(text, strlen(text), "a");

	(void)state;
	assert_int_equal(out.status, 0);
	assert_int_equal(out.batch.seq, 42);
	assert_int_equal(out.batch.observations, 2);
}

static void every_short_prefix_is_refused(void **state)
{
	static const char text[] = HEAD("2") HEALTH HEALTH;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		struct outcome out = read_text(text, len, "a");

		assert_int_equal(out.status, 400);
		assert_true(out.fault.line >= 1 && out.fault.line <= 3);
		assert_true(*out.fault.why);
	}
}

static void a_refusal_names_line_and_field(void **state)
{
	static const struct {
		const char *text;
		int status;
		unsigned line;
		const char *field;
	} table[] = {
		{"", 400, 1, ""},
		{HEALTH, 400, 1, "kind"},
		{HEAD("1"), 400, 1, "observations"},
		{HEAD("1") HEALTH HEALTH, 400, 3, "observations"},
		{HEAD("2") HEALTH "\n", 400, 3, ""},
		{HEAD("2") HEALTH "{\"kind\":\"health\",\"at_us\":-1}\n", 400, 3,
			"at_us"},
		{HEAD("1") "{\"kind\":\"health\",\"at_us\":1}", 400, 2, ""},
		{HEAD("1") "{\"kind\":\"nothing\",\"at_us\":1}\n", 400, 2, "kind"},
		{HEAD("1") HEAD("0"), 400, 2, "probe"},
		{HEAD("10001"), 400, 1, "observations"},
		{HEAD("1") "{\"rx_us\":1,\"kind\":\"health\",\"at_us\":1}\n", 400, 2,
			"rx_us"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome out = read_text(table[i].text, strlen(table[i].text), "a");

		assert_int_equal(out.status, table[i].status);
		assert_int_equal(out.fault.line, table[i].line);
		if (*table[i].field)
			assert_string_equal(out.fault.field, table[i].field);
	}
}

static void a_probe_speaks_only_for_itself(void **state)
{
	struct outcome out = read_text(HEAD("1") HEALTH, strlen(HEAD("1") HEALTH), "c");

	(void)state;
	assert_int_equal(out.status, 403);
	assert_string_equal(out.fault.field, "probe");
}

static void what_operators_say_no_probe_says(void **state)
{
	char text[4096];
	struct outcome out;

	(void)state;
	(void)snprintf(
		text, sizeof(text), HEAD("1") "%s\n", wire_lines_full[OBS_MAINTENANCE]);
	out = read_text(text, strlen(text), "a");
	assert_int_equal(out.status, 400);
	assert_string_equal(out.fault.field, "kind");
	(void)snprintf(
		text, sizeof(text), HEAD("1") "%s\n", wire_lines_full[OBS_ACKNOWLEDGE]);
	assert_int_equal(read_text(text, strlen(text), "a").status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_taken_whole),
		cmocka_unit_test(every_short_prefix_is_refused),
		cmocka_unit_test(a_refusal_names_line_and_field),
		cmocka_unit_test(a_probe_speaks_only_for_itself),
		cmocka_unit_test(what_operators_say_no_probe_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
