#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "astray/status.h"
#include "collector_access.h"

static struct collector_access access_with_token(const char *token, size_t len)
{
	struct collector_access access = {.url = "https://collector.example",
		.token_file = "/tmp/astray-token-XXXXXX"};
	int fd = mkstemp(access.token_file);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, token, len), (ssize_t)len);
	(void)close(fd);
	return access;
}

static int order_with_token(struct collector_order *order, const char *token, size_t len)
{
	struct collector_access access = access_with_token(token, len);
	struct fault fault = {0};
	int rc = collector_access_order(order, &access, "/v1/assignment", NULL, &fault);

	(void)unlink(access.token_file);
	if (rc) {
		assert_string_equal(fault.field, "collector.token_file");
		assert_non_null(strstr(fault.why, access.token_file));
	}
	return rc;
}

static void a_token_becomes_a_bearer(void **state)
{
	struct collector_order order;

	(void)state;
	assert_int_equal(order_with_token(&order, "s3cret+/=.~\n", 12), 0);
	assert_string_equal(order.headers[0].name, "Authorization");
	assert_string_equal(order.headers[0].value, "Bearer s3cret+/=.~");
	assert_null(order.headers[1].name);
}

/* It would end the header and begin another. */
static void a_token_that_is_no_word_is_refused(void **state)
{
	struct collector_order order;
	char longer[COLLECTOR_ACCESS_TOKEN_MAX + 1];

	(void)state;
	memset(longer, 'a', sizeof(longer));
	assert_int_equal(order_with_token(&order, "", 0), STATUS_SYNTAX);
	assert_int_equal(order_with_token(&order, "\n", 1), STATUS_SYNTAX);
	assert_int_equal(order_with_token(&order, "two words", 9), STATUS_SYNTAX);
	assert_int_equal(order_with_token(&order, "a\r\nHost: b", 10), STATUS_SYNTAX);
	assert_int_equal(order_with_token(&order, "a\0b", 3), STATUS_SYNTAX);
	assert_int_equal(order_with_token(&order, "\xc3\xa9", 2), STATUS_SYNTAX);
	assert_int_equal(order_with_token(&order, longer, sizeof(longer)), STATUS_LIMIT);
	assert_int_equal(order_with_token(&order, longer, sizeof(longer) - 1), 0);
}

static void a_token_that_is_not_there_is_said(void **state)
{
	struct collector_access access = {
		.url = "https://collector.example", .token_file = "/nowhere/token"};
	struct collector_order order;
	struct fault fault = {0};

	(void)state;
	assert_int_equal(
		collector_access_order(&order, &access, "/v1/assignment", NULL, &fault),
		-ENOENT);
	assert_string_equal(fault.why, "/nowhere/token: No such file or directory");
}

static void a_certificate_and_headers_are_passed_on(void **state)
{
	static const struct fetch_header headers[] = {{"A", "1"}, {"B", "2"}, {0}};
	struct collector_access access = {.url = "https://collector.example:8443//",
		.ca_file = "ca.pem",
		.certificate_file = "c.pem",
		.key_file = "k.pem"};
	struct collector_order order;

	(void)state;
	assert_int_equal(collector_access_order(
				 &order, &access, "/v1/observations", headers, NULL),
		0);
	assert_string_equal(
		order.order.url, "https://collector.example:8443/v1/observations");
	assert_string_equal(order.order.ca_file, "ca.pem");
	assert_string_equal(order.order.certificate_file, "c.pem");
	assert_string_equal(order.order.key_file, "k.pem");
	assert_string_equal(order.order.headers[1].value, "2");
	assert_null(order.order.headers[2].name);
	assert_false(order.order.follow_redirects);
	assert_true(order.order.timeout_us > 0 && order.order.answer_limit > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_becomes_a_bearer),
		cmocka_unit_test(a_token_that_is_no_word_is_refused),
		cmocka_unit_test(a_token_that_is_not_there_is_said),
		cmocka_unit_test(a_certificate_and_headers_are_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
