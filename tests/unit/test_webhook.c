#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "incident_maker.h"
#include "webhook.h"

/* The example of the Standard Webhooks specification. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define AT_US INT64_C(1614265330000000)
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static int sign(struct notifier_headers *out, const char *secret)
{
	struct notifier_target target = {.name = "x"};

	memset(out, 0, sizeof(*out));
	(void)snprintf(target.secret, sizeof(target.secret), "%s", secret);
	return webhook_notifier.sign(
		out, &target, ID, BODY, strlen(BODY), (struct moment){AT_US});
}

static void the_body_is_the_line_of_the_contract(void **state)
{
	struct incident *incident = incident_maker_make(INCIDENT_OPENED, SEVERITY_PAGE);
	char *body = malloc(NOTIFIER_BODY_MAX), *line = malloc(NOTIFIER_BODY_MAX);
	int len = webhook_notifier.compose(body, NOTIFIER_BODY_MAX, NULL, incident, "");

	(void)state;
	assert_true(len > 0);
	assert_int_equal(incident_encode(line, NOTIFIER_BODY_MAX, incident), len);
	assert_string_equal(body, line);
	free(line);
	free(body);
	free(incident);
}

static void the_signature_is_the_specifications(void **state)
{
	struct notifier_headers headers;

	(void)state;
	assert_int_equal(sign(&headers, SECRET), 0);
	assert_int_equal(headers.count, 3);
	assert_string_equal(headers.rows[0].name, "webhook-id");
	assert_string_equal(headers.rows[0].value, ID);
	assert_string_equal(headers.rows[1].name, "webhook-timestamp");
	assert_string_equal(headers.rows[1].value, "1614265330");
	assert_string_equal(headers.rows[2].name, "webhook-signature");
	assert_string_equal(headers.rows[2].value, SIGNATURE);
}

static void without_a_secret_there_is_an_id_all_the_same(void **state)
{
	struct notifier_headers headers;

	(void)state;
	assert_int_equal(sign(&headers, ""), 0);
	assert_int_equal(headers.count, 2);
	assert_string_equal(headers.rows[0].value, ID);
}

static void what_is_no_secret_is_refused(void **state)
{
	static const char *const bad[] = {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_",
		"whsec_abc",
		"whsec_MfKQ9r8GKYqrTw==", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La!aSw",
		"whsec_====", "w"};
	struct notifier_headers headers;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sign(&headers, bad[i]), STATUS_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_body_is_the_line_of_the_contract),
		cmocka_unit_test(the_signature_is_the_specifications),
		cmocka_unit_test(without_a_secret_there_is_an_id_all_the_same),
		cmocka_unit_test(what_is_no_secret_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
