#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "absorbed.h"
#include "archive.h"

static void one_leads_to_the_last_that_took_it_up(void **state)
{
	struct absorbed absorbed = {0};

	(void)state;
	assert_null(absorbed_into(&absorbed, "a"));
	absorbed_note(&absorbed, "a", "b");
	absorbed_note(&absorbed, "c", "b");
	absorbed_note(&absorbed, "b", "d");
	assert_string_equal(absorbed_into(&absorbed, "a"), "d");
	assert_string_equal(absorbed_into(&absorbed, "b"), "d");
	assert_string_equal(absorbed_into(&absorbed, "c"), "d");
	assert_null(absorbed_into(&absorbed, "d"));
}

static void the_oldest_are_forgotten(void **state)
{
	struct absorbed absorbed = {0};
	char id[INCIDENT_ID];

	(void)state;
	for (unsigned i = 0; i < ABSORBED_MAX + 3; i++) {
		(void)snprintf(id, sizeof(id), "i-%u", i);
		absorbed_note(&absorbed, id, "whole");
	}
	assert_null(absorbed_into(&absorbed, "i-2"));
	assert_string_equal(absorbed_into(&absorbed, "i-3"), "whole");
	assert_string_equal(absorbed_into(&absorbed, id), "whole");
}

static void a_snapshot_knows_them(void **state)
{
	struct absorbed absorbed = {0}, later = {0};
	struct archive *archive = NULL, *reader = NULL;
	size_t len;
	const void *bytes;

	(void)state;
	for (unsigned i = 0; i < ABSORBED_MAX + 1; i++)
		absorbed_note(&absorbed, i ? "b" : "a", "c");
	assert_int_equal(archive_new(&archive), 0);
	absorbed_keep(archive, &absorbed);
	bytes = archive_bytes(archive, &len);
	assert_int_equal(archive_open(&reader, bytes, len), 0);
	absorbed_keep(reader, &later);
	assert_true(archive_is_through(reader));
	assert_memory_equal(&later, &absorbed, sizeof(later));
	archive_free(reader);
	archive_free(archive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_leads_to_the_last_that_took_it_up),
		cmocka_unit_test(the_oldest_are_forgotten),
		cmocka_unit_test(a_snapshot_knows_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
