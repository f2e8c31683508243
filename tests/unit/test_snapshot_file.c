#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "astray/status.h"
#include "snapshot_file.h"

#define VERSION "0123456789abcdef"
#define STATE "what was learnt"

static const struct snapshot_head head = {VERSION, {1590854700000000}};

struct folder {
	char name[64], file[80], aside[96], beside[96];
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	assert_non_null(folder);
	(void)snprintf(folder->name, sizeof(folder->name), "/tmp/astray-snapshot-XXXXXX");
	assert_non_null(mkdtemp(folder->name));
	(void)snprintf(folder->file, sizeof(folder->file), "%s/state", folder->name);
	(void)snprintf(folder->aside, sizeof(folder->aside), "%s.aside", folder->file);
	(void)snprintf(folder->beside, sizeof(folder->beside), "%s.new", folder->file);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;

	(void)unlink(folder->file);
	(void)unlink(folder->aside);
	(void)unlink(folder->beside);
	assert_int_equal(rmdir(folder->name), 0);
	free(folder);
	return 0;
}

static int read_it(const struct folder *folder, const char *version)
{
	struct snapshot_head found;
	void *bytes;
	size_t len;
	int rc = snapshot_file_read(folder->file, version, &found, &bytes, &len);

	if (rc == 0) {
		assert_int_equal(found.position.us, head.position.us);
		assert_int_equal(len, strlen(STATE));
		assert_memory_equal(bytes, STATE, len);
	} else {
		assert_null(bytes);
	}
	free(bytes);
	return rc;
}

static void what_was_written_is_read(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(read_it(folder, VERSION), -ENOENT);
	assert_int_equal(snapshot_file_write(folder->file, &head, "old", 3), 0);
	assert_int_equal(
		snapshot_file_write(folder->file, &head, STATE, strlen(STATE)), 0);
	assert_int_equal(access(folder->beside, F_OK), -1);
	assert_int_equal(read_it(folder, VERSION), 0);
}

static void another_version_is_not_read(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(
		snapshot_file_write(folder->file, &head, STATE, strlen(STATE)), 0);
	assert_int_equal(read_it(folder, "fedcba9876543210"), STATUS_UNSUPPORTED);
	assert_int_equal(snapshot_file_set_aside(folder->file), 0);
	assert_int_equal(access(folder->aside, F_OK), 0);
	assert_int_equal(read_it(folder, VERSION), -ENOENT);
}

static size_t load(const struct folder *folder, char *into, size_t cap)
{
	FILE *file = fopen(folder->file, "rb");
	size_t len;

	assert_non_null(file);
	len = fread(into, 1, cap, file);
	(void)fclose(file);
	return len;
}

static void a_cut_or_a_changed_byte_is_damage(void **state)
{
	struct folder *folder = *state;
	struct snapshot_head found;
	char file[256];
	size_t size, at, len;

	assert_int_equal(
		snapshot_file_write(folder->file, &head, STATE, strlen(STATE)), 0);
	size = load(folder, file, sizeof(file));
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(
			snapshot_file_parse(file, cut, VERSION, &found, &at, &len),
			STATUS_SHORT);
	for (size_t i = 0; i < size; i++) {
		file[i] ^= 1;
		assert_int_not_equal(
			snapshot_file_parse(file, size, VERSION, &found, &at, &len), 0);
		file[i] ^= 1;
	}
	assert_int_equal(snapshot_file_parse(file, size, VERSION, &found, &at, &len), 0);
	assert_int_equal(snapshot_file_parse(file, size + 1, VERSION, &found, &at, &len),
		STATUS_CORRUPT);
}

static void where_nothing_can_be_written_the_old_one_stands(void **state)
{
	struct folder *folder = *state;

	assert_int_equal(
		snapshot_file_write(folder->file, &head, STATE, strlen(STATE)), 0);
	assert_int_equal(snapshot_file_write("/nowhere/state", &head, "x", 1), -ENOENT);
	assert_int_equal(read_it(folder, VERSION), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_written_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_version_is_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_cut_or_a_changed_byte_is_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			where_nothing_can_be_written_the_old_one_stands, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
