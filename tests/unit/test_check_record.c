#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "astray/wire.h"
#include "check_record.h"

#define URL "https://exchange.example/health"

static struct fetch_answer good_answer(void)
{
	struct fetch_answer answer = {.status = 200,
		.retry_after_s = OBS_ABSENT,
		.dns_us = 1000,
		.connect_us = 2000,
		.tls_us = 3000,
		.first_byte_us = 4000,
		.total_us = 11000,
		.certificate = {.present = true,
			.version = "TLSv1.3",
			.issuer = "CN=R3",
			.subject = "CN=exchange.example",
			.not_before = {1},
			.not_after = {2},
			.verified = true,
			.chain_count = 1,
			.chain = {{.subject = "CN=X1"}},
			.names_in_all = 1,
			.name_count = 1,
			.names = {"exchange.example"}}};

	assert_int_equal(address_parse(&answer.peer, "203.0.113.10"), 0);
	return answer;
}

static struct obs record(const struct fetch_answer *answer)
{
	static struct obs obs; /* large */

	assert_true(check_record_fill(&obs, (struct moment){7}, "exchange", URL, answer));
	assert_int_equal(obs.kind, OBS_CHECK);
	assert_int_equal(obs.at.us, 7);
	return obs;
}

/* What was made can be sent: the wire takes it, and gives it back. */
static void check_travels(const struct obs *obs)
{
	static char line[WIRE_LINE_MAX];
	static struct obs back;
	struct fault fault = {0};
	int len = wire_encode(line, sizeof(line), obs);

	assert_true(len > 0);
	assert_int_equal(wire_decode(&back, line, (size_t)len, &fault), 0);
	assert_int_equal(back.check.error, obs->check.error);
	assert_int_equal(back.check.connect_us, obs->check.connect_us);
	assert_string_equal(back.check.tls.chain[0].subject, "CN=X1");
	assert_string_equal(back.check.tls.names[0], "exchange.example");
}

static void an_answer_is_recorded_phase_by_phase(void **state)
{
	struct fetch_answer answer = good_answer();
	struct obs obs = record(&answer);

	(void)state;
	assert_string_equal(obs.check.service, "exchange");
	assert_string_equal(obs.check.url, URL);
	assert_true(address_equal(&obs.check.peer, &answer.peer));
	assert_int_equal(obs.check.dns_us, 1000);
	assert_int_equal(obs.check.connect_us, 2000);
	assert_int_equal(obs.check.tls_us, 3000);
	assert_int_equal(obs.check.first_byte_us, 4000);
	assert_int_equal(obs.check.total_us, 11000);
	assert_int_equal(obs.check.status, 200);
	assert_int_equal(obs.check.error, OBS_CHECK_OK);
	assert_string_equal(obs.check.tls.issuer, "CN=R3");
	assert_true(obs.check.tls.verified);
	check_travels(&obs);
}

static void times_of_a_late_loop_are_left_out(void **state)
{
	struct fetch_answer answer = good_answer();
	struct obs obs;

	(void)state;
	answer.late = true;
	obs = record(&answer);
	assert_int_equal(obs.check.dns_us, OBS_ABSENT);
	assert_int_equal(obs.check.connect_us, 2000); /* the kernel's */
	assert_int_equal(obs.check.tls_us, OBS_ABSENT);
	assert_int_equal(obs.check.first_byte_us, OBS_ABSENT);
	assert_int_equal(obs.check.total_us, OBS_ABSENT);
	assert_int_equal(obs.check.status, 200);
	check_travels(&obs);
}

static void a_failed_handshake_keeps_its_certificate(void **state)
{
	struct fetch_answer answer = good_answer();
	struct obs obs;

	(void)state;
	answer.rc = -EPROTO;
	answer.error = OBS_CHECK_TLS;
	answer.status = 0;
	(void)strcpy(answer.error_text, "certificate has expired");
	answer.tls_us = answer.first_byte_us = OBS_ABSENT;
	answer.certificate.verified = false;
	obs = record(&answer);
	assert_int_equal(obs.check.error, OBS_CHECK_TLS);
	assert_string_equal(obs.check.error_text, "certificate has expired");
	assert_int_equal(obs.check.status, OBS_ABSENT);
	assert_true(obs.check.tls.present);
	assert_false(obs.check.tls.verified);
	check_travels(&obs);
}

static void a_service_that_says_that_it_failed_has(void **state)
{
	struct fetch_answer answer = good_answer();
	struct obs obs;

	(void)state;
	answer.status = 503;
	obs = record(&answer);
	assert_int_equal(obs.check.error, OBS_CHECK_HTTP);
	assert_string_equal(obs.check.error_text, "status 503");
	assert_int_equal(obs.check.status, 503);
	assert_int_equal(obs.check.first_byte_us, 4000);
	answer.status = 404; /* it works, and does not have that */
	obs = record(&answer);
	assert_int_equal(obs.check.error, OBS_CHECK_OK);
}

static void trouble_of_our_own_is_no_observation(void **state)
{
	struct fetch_answer answer = {.rc = -EMFILE};
	static struct obs obs;

	(void)state;
	assert_false(
		check_record_fill(&obs, (struct moment){7}, "exchange", URL, &answer));
}

static void a_password_goes_no_further(void **state)
{
	struct fetch_answer answer = good_answer();
	static struct obs obs;

	(void)state;
	assert_true(check_record_fill(&obs, (struct moment){7}, "exchange",
		"https://user:p@ss@exchange.example:8443/a@b?c", &answer));
	assert_string_equal(obs.check.url, "https://exchange.example:8443/a@b?c");
}

static void a_url_has_a_host(void **state)
{
	char host[32];

	(void)state;
	check_record_host(host, sizeof(host), "https://exchange.example/health");
	assert_string_equal(host, "exchange.example");
	check_record_host(host, sizeof(host), "http://u:p@[2001:db8::1]:8080?x");
	assert_string_equal(host, "[2001:db8::1]:8080");
	check_record_host(host, sizeof(host), "exchange.example");
	assert_string_equal(host, "exchange.example");
	check_record_host(host, 5, "https://exchange.example");
	assert_string_equal(host, "exch");
	check_record_host(host, sizeof(host), "");
	assert_string_equal(host, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_recorded_phase_by_phase),
		cmocka_unit_test(times_of_a_late_loop_are_left_out),
		cmocka_unit_test(a_failed_handshake_keeps_its_certificate),
		cmocka_unit_test(a_service_that_says_that_it_failed_has),
		cmocka_unit_test(trouble_of_our_own_is_no_observation),
		cmocka_unit_test(a_password_goes_no_further),
		cmocka_unit_test(a_url_has_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
