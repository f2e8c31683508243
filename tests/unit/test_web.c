#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "web.h"

#define TOTAL_LIMIT (120u * 1024u) /* what a slow link should bear */

static void the_page_and_what_it_names_are_there(void **state)
{
	char page[4096];
	const struct web_file *file = web_find("/");
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)file->bytes,
		.avail_in = (uInt)file->len,
		.next_out = (Bytef *)page,
		.avail_out = sizeof(page) - 1};

	(void)state;
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	page[stream.total_out] = '\0';
	(void)inflateEnd(&stream);
	assert_non_null(strstr(page, "/assets/app.js"));
	assert_non_null(web_find("/assets/app.js"));
	assert_non_null(web_find("/assets/app.css"));
	assert_non_null(web_find("/assets/world.json"));
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	assert_null(web_find(""));
	assert_null(web_find("/assets/"));
	assert_null(web_find("/../web.c"));
}

static void the_whole_page_stays_small(void **state)
{
	size_t total = 0;

	(void)state;
	for (const struct web_file *file = web_table; file->path; file++)
		total += file->len;
	assert_true(total > 0 && total <= TOTAL_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_and_what_it_names_are_there),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(the_whole_page_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
