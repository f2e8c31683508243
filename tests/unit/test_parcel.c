#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/wire.h"
#include "parcel.h"
#include "wire_lines.h"

static void every_kind_comes_back_as_it_was(void **state)
{
	const char *const *tables[] = {wire_lines_full, wire_lines_least};
	struct obs *obs = malloc(sizeof(*obs)), *back = malloc(sizeof(*back));
	struct parcel parcel = {0};
	size_t at = 0;

	(void)state;
	assert_true(obs && back);
	for (unsigned table = 0; table < 2; table++)
		for (unsigned kind = 0; kind < OBS_KINDS; kind++) {
			const char *line = tables[table][kind];

			assert_int_equal(wire_decode(obs, line, strlen(line), NULL), 0);
			assert_int_equal(parcel_add(&parcel, obs), 0);
		}
	memset(back, 0xa5,
		sizeof(*back)); /* what was there before must not shine through */
	for (unsigned table = 0; table < 2; table++)
		for (unsigned kind = 0; kind < OBS_KINDS; kind++) {
			const char *line = tables[table][kind];

			assert_int_equal(wire_decode(obs, line, strlen(line), NULL), 0);
			assert_true(parcel_next(&parcel, &at, back));
			assert_true(obs_equal(obs, back));
		}
	assert_false(parcel_next(&parcel, &at, back));
	parcel_free(&parcel);
	free(obs);
	free(back);
}

static void unused_rows_take_no_room(void **state)
{
	const char *line = wire_lines_least[OBS_TRACE];
	struct obs *obs = malloc(sizeof(*obs));
	struct parcel parcel = {0};

	(void)state;
	assert_non_null(obs);
	assert_int_equal(wire_decode(obs, line, strlen(line), NULL), 0);
	assert_int_equal(parcel_add(&parcel, obs), 0);
	assert_true(parcel.used < sizeof(*obs) / 20);
	parcel_free(&parcel);
	free(obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back_as_it_was),
		cmocka_unit_test(unused_rows_take_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
