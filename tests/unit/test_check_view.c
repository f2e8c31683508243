#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "check_view.h"

#define DAY_US (INT64_C(86400) * 1000000)

static char *view(const struct obs *obs, int64_t now_us)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	check_view_print(out, &obs->check, (struct moment){now_us});
	assert_int_equal(fclose(out), 0);
	return text;
}

static void each_phase_has_its_row(void **state)
{
	static struct obs obs;
	char *text;

	(void)state;
	obs_init(&obs, OBS_CHECK, (struct moment){0});
	(void)strcpy(obs.check.url, "https://exchange.example/");
	assert_int_equal(address_parse(&obs.check.peer, "2001:db8::1"), 0);
	obs.check.connect_us = 1234;
	obs.check.first_byte_us = 250000;
	obs.check.status = 200;
	obs.check.tls = (struct obs_certificate){.present = true,
		.version = "TLSv1.3",
		.issuer = "CN=R3",
		.subject = "CN=exchange.example",
		.spki_sha256 = "ab",
		.not_before = {DAY_US},
		.not_after = {91 * DAY_US},
		.verified = true,
		.chain_count = 2,
		.chain = {{"CN=R3", "0123456789abcdef0123"}, {"CN=X\n1", "fe"}},
		.names_in_all = 17,
		.name_count = 2,
		.names = {"exchange.example", "*.exchange.example"}};
	text = view(&obs, 81 * DAY_US);
	assert_string_equal(text, "https://exchange.example/ at 2001:db8::1\n"
				  "  connect           1.234 ms\n"
				  "  first byte      250.000 ms\n"
				  "  status       200\n"
				  "  certificate  verified\n"
				  "  protocol     TLSv1.3\n"
				  "  subject      CN=exchange.example\n"
				  "  issuer       CN=R3\n"
				  "  valid        1970-01-02T00:00:00Z to "
				  "1970-04-02T00:00:00Z, 10 days left\n"
				  "  key sha256   ab\n"
				  "  chain        CN=R3, key 0123456789abcdef\n"
				  "               CN=X\\x0a1, key fe\n"
				  "  names        exchange.example\n"
				  "               *.exchange.example\n"
				  "               15 more\n");
	free(text);
	text = view(&obs, 93 * DAY_US);
	assert_non_null(strstr(text, ", ended 2 days ago\n"));
	free(text);
}

static void a_failure_cannot_steer_the_terminal(void **state)
{
	static struct obs obs;
	char *text;

	(void)state;
	obs_init(&obs, OBS_CHECK, (struct moment){0});
	(void)strcpy(obs.check.url, "https://exchange.example/");
	obs.check.error = OBS_CHECK_TLS;
	(void)strcpy(obs.check.error_text, "\x1b[2Jcertificate");
	obs.check.tls.present = true;
	(void)strcpy(obs.check.tls.subject, "CN=a\nb");
	text = view(&obs, 0);
	assert_string_equal(text, "https://exchange.example/\n"
				  "  FAILED       tls: \\x1b[2Jcertificate\n"
				  "  certificate  NOT VERIFIED\n"
				  "  subject      CN=a\\x0ab\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_phase_has_its_row),
		cmocka_unit_test(a_failure_cannot_steer_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
