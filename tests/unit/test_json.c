#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/json.h"
#include "astray/status.h"

static int parse(const char *text, struct fault *fault)
{
	struct json_doc *doc;
	int rc;

	*fault = (struct fault){0};
	rc = json_parse(&doc, text, strlen(text), 0, fault);
	if (rc)
		assert_null(doc);
	json_doc_free(doc);
	return rc;
}

static struct json_doc *parsed(const char *text, unsigned flags)
{
	struct fault fault = {0};
	struct json_doc *doc;

	assert_int_equal(json_parse(&doc, text, strlen(text), flags, &fault), 0);
	return doc;
}

static void values_read_as_what_they_are(void **state)
{
	struct json_doc *doc =
		parsed(" {\"a\":[1,-2.5,\"x\\u00e9\\ud83d\\ude42\"],\"b\":true,"
		       "\"c\":null,\"d\":{}} ",
			0);
	const struct json *root = json_root(doc), *list = json_member(root, "a");
	const struct json *item = json_first(list);
	int64_t whole;
	double number;
	bool flag = false;

	(void)state;
	assert_int_equal(json_type(root), JSON_OBJECT);
	assert_int_equal(json_count(root), 4);
	assert_int_equal(json_count(list), 3);
	assert_true(json_as_int(item, &whole) && whole == 1);
	item = json_next(item);
	assert_false(json_as_int(item, &whole));
	assert_true(json_as_double(item, &number) && number == -2.5);
	assert_string_equal(json_as_text(json_next(item)), "x\u00e9\U0001f642");
	assert_true(json_as_bool(json_member(root, "b"), &flag) && flag);
	assert_int_equal(json_type(json_member(root, "c")), JSON_NULL);
	assert_null(json_first(json_member(root, "d")));
	assert_string_equal(json_key(json_member(root, "d")), "d");
	assert_null(json_member(root, "A"));
	assert_null(json_as_text(NULL));
	json_doc_free(doc);
}

static void whole_numbers_end_at_two_to_the_53(void **state)
{
	static const struct {
		const char *text;
		bool whole;
	} rows[] = {
		{"10.0", true},
		{"1e3", true},
		{"-9007199254740992", true},
		{"9007199254740992", true},
		{"9007199254740994", false},
		{"10.5", false},
		{"1e400", false},
		{"\"10\"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_doc *doc = parsed(rows[i].text, 0);
		int64_t number;

		assert_int_equal(json_as_int(json_root(doc), &number), rows[i].whole);
		json_doc_free(doc);
	}
}

static void what_is_not_strict_json_is_refused(void **state)
{
	static const char *const wrong[] = {"{,}", "[1,]", "{\"a\":1,}", "{a:1}",
		"{'a':1}", "01", "+1", ".5", "1.", "1e", "0x10", "NaN", "Infinity", "nul",
		"True", "1 2", "{} x", "\"\\x41\"", "\"\\u12g4\"", "\"a\tb\"", "\"\x1f\"",
		"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\\ud800\"",
		"\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\\u0000\"", "// no\n1", "/**/1",
		"\xef\xbb\xbf{}", "\v1"};
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int rc = parse(wrong[i], &fault);

		if (rc != STATUS_SYNTAX && rc != STATUS_SHORT)
			fail_msg("%s gives %d", wrong[i], rc);
		assert_string_not_equal(fault.why, "");
	}
	assert_int_equal(json_parse(&(struct json_doc *){NULL}, "1\0", 2, 0, &fault),
		STATUS_SYNTAX);
}

static void every_prefix_is_refused_as_too_short(void **state)
{
	const char *whole =
		"{\"a\":[1.5e+3,true,false,null,\"x\\n\\u00e9\"],\"b\":{\"c\":-2}}";
	struct fault fault;

	(void)state;
	assert_int_equal(parse(whole, &fault), 0);
	for (size_t len = 0; len < strlen(whole); len++) {
		char *cut = strndup(whole, len);

		assert_int_equal(parse(cut, &fault), STATUS_SHORT);
		free(cut);
	}
}

/* "[[[…1…]]]" */
static int parse_nested(unsigned depth)
{
	struct fault fault;
	char text[64];

	memset(text, '[', depth);
	text[depth] = '1';
	memset(text + depth + 1, ']', depth);
	text[depth * 2 + 1] = '\0';
	return parse(text, &fault);
}

static void sixteen_deep_is_the_end(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(JSON_DEPTH), 0);
	assert_int_equal(parse_nested(JSON_DEPTH + 1), STATUS_LIMIT);
}

static void a_number_of_endless_digits_is_refused(void **state)
{
	char text[80];
	struct fault fault;

	(void)state;
	memset(text, '7', sizeof(text));
	text[63] = '\0';
	assert_int_equal(parse(text, &fault), 0);
	text[63] = '7';
	text[64] = '\0';
	assert_int_equal(parse(text, &fault), STATUS_LIMIT);
}

static void a_repeated_key_is_named_with_its_line(void **state)
{
	struct fault fault;

	(void)state;
	assert_int_equal(
		parse("{\"a\":1,\n\"b\":{\"c\":1,\n\"c\":2}}", &fault), STATUS_DUPLICATE);
	assert_string_equal(fault.field, "c");
	assert_int_equal(fault.line, 3);
	assert_int_equal(parse("[{\"a\":1},{\"a\":1}]", &fault), 0);
	assert_int_equal(parse("{\"\\u0061\":1,\"a\":2}", &fault), STATUS_DUPLICATE);
}

static void very_many_keys_take_no_very_long_time(void **state)
{
	enum { KEYS = 30000 };
	char *text = malloc(KEYS * 12);
	size_t len = 0;
	struct fault fault;
	clock_t begin;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < KEYS; i++)
		len += (size_t)sprintf(text + len, "%c\"k%d\":0", i ? ',' : '{', i);
	(void)strcpy(text + len, "}");
	begin = clock();
	assert_int_equal(parse(text, &fault), 0);
	(void)strcpy(text + len, ",\"k777\":1}");
	assert_int_equal(parse(text, &fault), STATUS_DUPLICATE);
	assert_string_equal(fault.field, "k777");
	/* Each with each would be 450 million comparisons. */
	assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
	free(text);
}

static void values_and_faults_know_their_line(void **state)
{
	struct json_doc *doc =
		parsed("{ // services\n\"a\": [1,\n\n2], // \"x\"\n\"b\":\n"
		       "\"//\"\n}",
			JSON_COMMENTS);
	const struct json *root = json_root(doc), *list = json_member(root, "a");
	struct fault fault;

	(void)state;
	assert_int_equal(json_line(doc, root), 1);
	assert_int_equal(json_line(doc, list), 2);
	assert_int_equal(json_line(doc, json_next(json_first(list))), 4);
	assert_int_equal(json_line(doc, json_member(root, "b")), 6);
	assert_string_equal(json_as_text(json_member(root, "b")), "//");
	json_doc_free(doc);
	assert_int_equal(parse("{\n\"a\":1,\n\"b\" 2}", &fault), STATUS_SYNTAX);
	assert_int_equal(fault.line, 3);
}

static void a_file_is_bounded_and_named(void **state)
{
	char path[] = "/tmp/astray-json-XXXXXX";
	int fd = mkstemp(path);
	struct fault fault = {0};
	struct json_doc *doc;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"a\":\n?}", 8), 8);
	assert_int_equal(json_parse_file(&doc, path, 100, 0, &fault), STATUS_SYNTAX);
	assert_string_equal(fault.input, path);
	assert_int_equal(fault.line, 2);
	assert_int_equal(json_parse_file(&doc, path, 7, 0, &fault), STATUS_LIMIT);
	assert_int_equal(json_parse_file(&doc, "/nonexistent", 7, 0, &fault), -ENOENT);
	assert_string_equal(fault.input, "/nonexistent");
	assert_int_equal(json_parse_file(&doc, "/", 100, 0, &fault), -EISDIR);
	(void)close(fd);
	(void)unlink(path);
}

static void what_is_written_is_compact_json(void **state)
{
	struct json *root = json_new_object(), *list;
	char buf[256];

	(void)state;
	json_add_int(root, "at_us", INT64_C(9007199254740991));
	json_add_int(root, "low", -5);
	json_add_double(root, "third", 1.0 / 3);
	json_add_double(root, "none", NAN);
	json_add_text(root, "text", "a\"\\\n\x01\u00e9");
	list = json_add_array(root, "list");
	json_add_bool(list, NULL, true);
	json_add_null(list, NULL);
	json_add_raw(json_add_object(list, NULL), "raw", "[1, 2]xx", 6);
	assert_true(json_print(root, buf, sizeof(buf)) > 0);
	assert_string_equal(buf,
		"{\"at_us\":9007199254740991,\"low\":-5,\"third\":0.3333333333333333,"
		"\"none\":null,\"text\":\"a\\\"\\\\\\n\\u0001\u00e9\","
		"\"list\":[true,null,{\"raw\":[1, 2]}]}");
	json_free(root);
}

static void doubles_read_back_to_the_bit(void **state)
{
	static const double rows[] = {0, 0.1, 1.0 / 3, 2.0 / 3, 5e-324,
		1.7976931348623157e308, 9007199254740993.0, 100.00000000000001, -139.6917,
		12345678.912345678};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json *list = json_new_array();
		char buf[64];
		struct json_doc *doc;
		double back = NAN;

		json_add_double(list, NULL, rows[i]);
		assert_true(json_print(list, buf, sizeof(buf)) > 0);
		json_free(list);
		doc = parsed(buf, 0);
		assert_true(json_as_double(json_first(json_root(doc)), &back));
		assert_memory_equal(&back, &rows[i], sizeof(back));
		json_doc_free(doc);
	}
}

static void bytes_that_are_no_text_cannot_break_the_line(void **state)
{
	struct json *root = json_new_object();
	char buf[64];

	(void)state;
	json_add_text(root, "name", "r\xff\xc3\xa9\xe2\x80");
	assert_true(json_print(root, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"name\":\"r?\xc3\xa9??\"}");
	json_free(root);
}

static void a_buffer_that_just_fits_is_enough(void **state)
{
	struct json *root = json_new_object();
	char buf[8];

	(void)state;
	json_add_int(root, "a", 1);
	assert_int_equal(json_print(root, buf, 8), 7);
	assert_string_equal(buf, "{\"a\":1}");
	assert_int_equal(json_print(root, buf, 7), STATUS_LIMIT);
	assert_int_equal(json_print(root, buf, 0), STATUS_LIMIT);
	json_free(root);
}

static void what_is_added_to_nothing_is_dropped(void **state)
{
	struct json *root = json_new_object();
	char buf[64];

	(void)state;
	/* What is said of a part that could not be made is dropped, and the loss is seen.
	 */
	json_add_int(NULL, "a", 1);
	assert_null(json_add_array(NULL, "b"));
	assert_int_equal(json_print(root, buf, sizeof(buf)), 2);
	json_free(root);
	json_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_read_as_what_they_are),
		cmocka_unit_test(whole_numbers_end_at_two_to_the_53),
		cmocka_unit_test(what_is_not_strict_json_is_refused),
		cmocka_unit_test(every_prefix_is_refused_as_too_short),
		cmocka_unit_test(sixteen_deep_is_the_end),
		cmocka_unit_test(a_number_of_endless_digits_is_refused),
		cmocka_unit_test(a_repeated_key_is_named_with_its_line),
		cmocka_unit_test(very_many_keys_take_no_very_long_time),
		cmocka_unit_test(values_and_faults_know_their_line),
		cmocka_unit_test(a_file_is_bounded_and_named),
		cmocka_unit_test(what_is_written_is_compact_json),
		cmocka_unit_test(doubles_read_back_to_the_bit),
		cmocka_unit_test(bytes_that_are_no_text_cannot_break_the_line),
		cmocka_unit_test(a_buffer_that_just_fits_is_enough),
		cmocka_unit_test(what_is_added_to_nothing_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
