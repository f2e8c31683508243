#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "assignment_file.h"

static void remove_all(const char *folder)
{
	static const char *const names[] = {"assignment.json", "assignment.json.new"};
	char path[128];

	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void assert_loads(const char *folder, const char *text)
{
	char *loaded = assignment_file_load(folder);

	assert_non_null(loaded);
	assert_string_equal(loaded, text);
	free(loaded);
}

static void the_last_text_comes_back(void **state)
{
	char folder[] = "/tmp/astray-assignment-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_null(assignment_file_load(folder));
	assert_int_equal(assignment_file_store(folder, "{\"a\":1}", 7), 0);
	assert_int_equal(assignment_file_store(folder, "{}", 2), 0);
	assert_loads(folder, "{}");
	remove_all(folder);
}

static void a_full_disk_leaves_the_old_text(void **state)
{
	char folder[] = "/tmp/astray-assignment-XXXXXX";
	struct rlimit limit, tight;
	int rc;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(assignment_file_store(folder, "{}", 2), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	tight = limit;
	tight.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	rc = assignment_file_store(folder, "{\"longer\":1}", 12);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(rc < 0);
	assert_loads(folder, "{}");
	remove_all(folder);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
	(void)state;
	assert_null(assignment_file_load("/nowhere"));
	assert_int_equal(assignment_file_store("/nowhere", "{}", 2), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_text_comes_back),
		cmocka_unit_test(a_full_disk_leaves_the_old_text),
		cmocka_unit_test(a_folder_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
