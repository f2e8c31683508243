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
#include "secret.h"

static int read_text(struct secret *out, const char *text, struct fault *fault)
{
	char path[] = "/tmp/astray-secret-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	rc = secret_read_file(out, path, fault);
	(void)unlink(path);
	return rc;
}

static void a_token_matches_itself_alone(void **state)
{
	struct secret secret;

	(void)state;
	assert_int_equal(
		read_text(&secret, " 0123456789abcdef \nsecond line\n", NULL), 0);
	assert_true(secret_matches(&secret, "0123456789abcdef"));
	assert_false(secret_matches(&secret, "0123456789abcdeF"));
	assert_false(secret_matches(&secret, "0123456789abcde"));
	assert_false(secret_matches(&secret, ""));
}

static void a_guessable_token_is_refused(void **state)
{
	struct fault fault = {0};
	struct secret secret;
	char text[400];

	(void)state;
	assert_int_equal(read_text(&secret, "short\n", &fault), STATUS_RANGE);
	assert_non_null(strstr(fault.why, "16"));
	assert_int_equal(read_text(&secret, "", &fault), STATUS_RANGE);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(read_text(&secret, text, &fault), STATUS_RANGE);
	assert_int_equal(
		secret_read_file(&secret, "/tmp/astray-no-such-file", &fault), -2);
	assert_non_null(strstr(fault.why, "astray-no-such-file"));
}

static void made_tokens_differ_and_can_be_read_back(void **state)
{
	char one[SECRET_TEXT], two[SECRET_TEXT];
	struct secret secret;

	(void)state;
	assert_int_equal(secret_make(one), 0);
	assert_int_equal(secret_make(two), 0);
	assert_int_equal(strlen(one), 43);
	assert_string_not_equal(one, two);
	assert_int_equal(read_text(&secret, one, NULL), 0);
	assert_true(secret_matches(&secret, one));
	assert_false(secret_matches(&secret, two));
}

static void a_bearer_token_is_found_in_its_header(void **state)
{
	(void)state;
	assert_string_equal(secret_bearer("Bearer abc"), "abc");
	assert_string_equal(secret_bearer("bearer  abc"), "abc");
	assert_null(secret_bearer("Basic abc"));
	assert_null(secret_bearer("Bearer"));
	assert_null(secret_bearer(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_matches_itself_alone),
		cmocka_unit_test(a_guessable_token_is_refused),
		cmocka_unit_test(made_tokens_differ_and_can_be_read_back),
		cmocka_unit_test(a_bearer_token_is_found_in_its_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
