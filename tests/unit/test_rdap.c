#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "rdap.h"

#define HEAD "{\"objectClassName\":\"domain\",\"ldhName\":\"EXCHANGE.example.\","

static const char whole[] = HEAD
	"\"status\":[\"client transfer prohibited\"],"
	"\"nameservers\":[{\"ldhName\":\"NS-1515.AWSDNS-61.ORG\"},{\"ldhName\":\"b."
	"example.\"}],"
	"\"events\":[{\"eventAction\":\"last "
	"changed\",\"eventDate\":\"2020-05-30T15:05:00Z\"},"
	"{\"eventAction\":\"last update of RDAP "
	"database\",\"eventDate\":\"2020-06-01T00:00:00Z\"},"
	"{\"eventAction\":\"expiration\",\"eventDate\":\"2021-05-30T00:00:00Z\"}],"
	"\"secureDNS\":{\"delegationSigned\":true},"
	"\"entities\":[{\"roles\":[\"abuse\"],\"handle\":\"no\"},{\"roles\":["
	"\"registrar\"],"
	"\"handle\":\"292\",\"vcardArray\":[\"vcard\",[[\"version\",{},\"text\",\"4.0\"],"
	"[\"fn\",{},\"text\",\"A Registrar\"]]]}]}";

static int read_text(struct obs_registry *out, const char *text, struct fault *fault)
{
	return rdap_read(out, "exchange.example", text, strlen(text), fault);
}

static void an_answer_is_read(void **state)
{
	struct obs_registry registry;
	char text[MOMENT_TEXT];

	(void)state;
	assert_int_equal(read_text(&registry, whole, NULL), 0);
	assert_string_equal(registry.domain, "exchange.example");
	assert_string_equal(registry.registrar, "A Registrar");
	assert_int_equal(registry.status_count, 1);
	assert_int_equal(registry.server_count, 2);
	assert_string_equal(registry.name_servers[0], "ns-1515.awsdns-61.org");
	assert_string_equal(registry.name_servers[1], "b.example");
	assert_string_equal(
		moment_text(registry.last_changed, false, text), "2020-05-30T15:05:00Z");
	assert_string_equal(
		moment_text(registry.expires, false, text), "2021-05-30T00:00:00Z");
	assert_true(registry.signed_known && registry.delegation_signed);
}

static void every_short_prefix_is_refused(void **state)
{
	struct obs_registry registry;

	(void)state;
	for (size_t len = 0; len < strlen(whole); len++)
		assert_true(
			rdap_read(&registry, "exchange.example", whole, len, NULL) < 0);
}

static void expect_refusal(const char *text, const char *field)
{
	struct obs_registry registry;
	struct fault fault = {0};

	assert_true(read_text(&registry, text, &fault) < 0);
	assert_string_equal(fault.field, field);
}

static void wrong_answers_are_refused_by_field(void **state)
{
	(void)state;
	expect_refusal("[]", "");
	expect_refusal("{\"ldhName\":\"exchange.example\"}", "objectClassName");
	expect_refusal("{\"objectClassName\":\"domain\",\"ldhName\":\"other.example\"}",
		"ldhName");
	expect_refusal(HEAD "\"status\":\"active\"}", "status");
	expect_refusal(HEAD "\"status\":[1]}", "status");
	expect_refusal(
		HEAD "\"nameservers\":[{\"ldhName\":\"a b\"}]}", "nameservers.ldhName");
	expect_refusal(HEAD "\"nameservers\":[7]}", "nameservers.ldhName");
	expect_refusal(HEAD "\"events\":[{}]}", "events.eventAction");
	expect_refusal(HEAD
		"\"events\":[{\"eventAction\":\"expiration\",\"eventDate\":\"12\"}]}",
		"events.eventDate");
	expect_refusal(HEAD "\"secureDNS\":{\"delegationSigned\":1}}",
		"secureDNS.delegationSigned");
}

static void what_is_absent_is_not_known(void **state)
{
	struct obs_registry registry;

	(void)state;
	assert_int_equal(read_text(&registry, HEAD "\"handle\":\"x\"}", NULL), 0);
	assert_false(registry.signed_known);
	assert_int_equal(registry.last_changed.us, 0);
	assert_int_equal(registry.server_count, 0);
}

static const char bootstrap[] =
	"{\"services\":[[[\"com\"],[\"https://com.example/\"]],"
	"[[\"jp\",\"example\"],[\"http://plain.example/\",\"https://tls.example/v1\"]],"
	"[[\"co.jp\"],[\"https://co.example/\"]],[[\"ftp\"],[\"ftp://no.example/\"]]]}";

static void expect_url(const char *domain, const char *url)
{
	char base[OBS_TEXT], out[OBS_TEXT];

	assert_int_equal(
		rdap_find_base(base, domain, bootstrap, strlen(bootstrap), NULL), 0);
	assert_int_equal(rdap_url(out, base, domain), 0);
	assert_string_equal(out, url);
}

static void the_longest_suffix_decides_and_https_wins(void **state)
{
	char base[OBS_TEXT];

	(void)state;
	expect_url("exchange.example", "https://tls.example/v1/domain/exchange.example");
	expect_url("a.jp", "https://tls.example/v1/domain/a.jp");
	expect_url("a.co.jp", "https://co.example/domain/a.co.jp");
	assert_int_equal(
		rdap_find_base(base, "a.net", bootstrap, strlen(bootstrap), NULL),
		STATUS_UNKNOWN);
	assert_int_equal(
		rdap_find_base(base, "a.ftp", bootstrap, strlen(bootstrap), NULL),
		STATUS_UNKNOWN);
	assert_true(rdap_find_base(base, "a.com", "{}", 2, NULL) < 0);
	for (size_t len = 0; len < strlen(bootstrap); len++)
		assert_true(rdap_find_base(base, "a.com", bootstrap, len, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(every_short_prefix_is_refused),
		cmocka_unit_test(wrong_answers_are_refused_by_field),
		cmocka_unit_test(what_is_absent_is_not_known),
		cmocka_unit_test(the_longest_suffix_decides_and_https_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
