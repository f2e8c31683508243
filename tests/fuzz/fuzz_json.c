/*
 * JSON of any kind: what is refused has a reason and a line, what is accepted can be
 * walked from end to end. The first byte chooses whether comments are allowed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "astray/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void walk(const struct json *value, unsigned depth)
{
	size_t count = 0;
	int64_t whole;
	double number;
	bool flag;

	require(depth <= JSON_DEPTH + 1);
	require((json_as_text(value) != NULL) == (json_type(value) == JSON_TEXT));
	require(json_as_bool(value, &flag) == (json_type(value) == JSON_BOOL));
	if (json_as_int(value, &whole))
		require(json_as_double(value, &number) && number == (double)whole);
	for (const struct json *item = json_first(value); item; item = json_next(item)) {
		if (json_type(value) == JSON_OBJECT)
			require(json_member(value, json_key(item)) == item);
		walk(item, depth + 1);
		count++;
	}
	require(count == json_count(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault fault = {0};
	struct json_doc *doc;

	if (!size)
		return 0;
	if (json_parse(&doc, (const char *)data + 1, size - 1, data[0] & JSON_COMMENTS,
		    &fault)) {
		require(doc == NULL && fault.why[0] != '\0' && fault.line >= 1);
		return 0;
	}
	walk(json_root(doc), 1);
	require(json_line(doc, json_root(doc)) >= 1);
	json_doc_free(doc);
	return 0;
}
