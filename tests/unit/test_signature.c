#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "obs_maker.h"
#include "signature.h"

static struct obs obs; /* too large for a stack under the sanitizers */

static void hop(unsigned at, const char *address, const char *country, uint32_t asn)
{
	struct obs_hop *into = &obs.trace.hops[at];

	*into = (struct obs_hop){.ttl = at + 1, .sent = 1};
	if (address)
		assert_int_equal(address_parse(&into->address, address), 0);
	if (country) {
		memcpy(into->place.country, country, 3);
		into->place.source = PLACE_SOURCE_MMDB;
	}
	into->place.asn = asn;
	obs.trace.hop_count = at + 1;
}

static const char *trace_text(struct signature *signature)
{
	signature_of_trace(signature, &obs.trace);
	return signature->text;
}

static void a_path_is_its_networks_and_countries_in_any_order(void **state)
{
	struct signature signature;

	(void)state;
	obs_init(&obs, OBS_TRACE, (struct moment){0});
	obs.trace.reached = true;
	hop(0, "10.0.0.1", NULL, 0);
	hop(1, "192.0.2.1", "JP", 64496);
	hop(2, "192.0.2.2", "JP", 64496);
	hop(3, "198.51.100.1", "NL", 64500);
	assert_string_equal(trace_text(&signature), "JP/64496 NL/64500");
	assert_int_equal(signature.hidden, 0);
	hop(1, "198.51.100.1", "NL", 64500);
	hop(2, "192.0.2.1", "JP", 64496);
	assert_string_equal(trace_text(&signature), "JP/64496 NL/64500");
}

static void a_place_that_cannot_be_or_is_many_gives_its_network_only(void **state)
{
	struct signature signature;

	(void)state;
	obs_init(&obs, OBS_TRACE, (struct moment){0});
	hop(0, "192.0.2.1", "NL", 64496);
	obs.trace.hops[0].place.verdict = PLACE_IMPOSSIBLE;
	assert_string_equal(trace_text(&signature), "-/64496");
	obs.trace.hops[0].place.verdict = PLACE_POSSIBLE;
	obs.trace.hops[0].place.source = PLACE_SOURCE_ANYCAST;
	assert_string_equal(trace_text(&signature), "-/64496");
}

static void without_places_neighbourhoods_do(void **state)
{
	struct signature signature;

	(void)state;
	obs_init(&obs, OBS_TRACE, (struct moment){0});
	hop(0, "10.0.0.1", NULL, 0);
	hop(1, "198.51.100.1", NULL, 0);
	hop(2, "198.51.200.1", NULL, 0);
	hop(3, "2001:db8::1", NULL, 0);
	assert_string_equal(trace_text(&signature), "198.51/16 2001:0db8/32");
}

static void silent_hops_and_an_end_not_reached_are_counted(void **state)
{
	struct signature signature;

	(void)state;
	obs_init(&obs, OBS_TRACE, (struct moment){0});
	obs.trace.reached = true;
	hop(0, "192.0.2.1", "JP", 64496);
	hop(1, NULL, NULL, 0);
	(void)trace_text(&signature);
	assert_int_equal(signature.hidden, 1);
	obs.trace.reached = false;
	(void)trace_text(&signature);
	assert_int_equal(signature.hidden, 1 + OBS_HOPS);
}

static struct obs_dns *answers(const char *type, const char *first, const char *second)
{
	obs_init(&obs, OBS_DNS, (struct moment){0});
	(void)strcpy(obs.dns.type, type);
	(void)strcpy(obs.dns.rcode, "NOERROR");
	obs.dns.answer_count = 2;
	obs.dns.answers[0] = obs.dns.answers[1] = (struct obs_answer){.ttl = 60};
	(void)strcpy(obs.dns.answers[0].data, first);
	(void)strcpy(obs.dns.answers[1].data, second);
	return &obs.dns;
}

static void answers_are_a_set(void **state)
{
	struct signature one, other;

	(void)state;
	assert_true(signature_of_dns(&one, answers("NS", "ns1.example", "ns2.example")));
	assert_true(
		signature_of_dns(&other, answers("NS", "ns2.example", "ns1.example")));
	assert_string_equal(one.text, other.text);
	assert_true(
		signature_of_dns(&other, answers("NS", "ns1.example", "ns02.example")));
	assert_string_not_equal(one.text, other.text);
}

static void addresses_are_known_by_their_network(void **state)
{
	struct signature signature;
	struct obs_dns *dns = answers("A", "203.0.113.1", "203.0.113.200");

	(void)state;
	assert_true(signature_of_dns(&signature, dns));
	assert_string_equal(signature.text, "203.0/16");
	dns->answers[0].place = dns->answers[1].place = (struct place){
		.country = "JP", .asn = 64496, .source = PLACE_SOURCE_MMDB};
	assert_true(signature_of_dns(&signature, dns));
	assert_string_equal(signature.text, "JP/64496");
}

static void a_server_that_fails_says_nothing(void **state)
{
	static const char *const silent[] = {"SERVFAIL", "REFUSED", "TIMEOUT"};
	struct signature signature;
	struct obs_dns *dns = answers("NS", "ns1.example", "ns2.example");

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)strcpy(dns->rcode, silent[i]);
		assert_false(signature_of_dns(&signature, dns));
	}
	(void)strcpy(dns->rcode, "NOERROR");
	dns->answer_count = 0;
	assert_false(signature_of_dns(&signature, dns));
	(void)strcpy(dns->rcode, "NXDOMAIN");
	assert_true(signature_of_dns(&signature, dns));
}

static void long_texts_that_differ_at_their_end_differ(void **state)
{
	struct signature one, other;

	(void)state;
	for (int round = 0; round < 2; round++) {
		obs_init(&obs, OBS_DNS, (struct moment){0});
		(void)strcpy(obs.dns.type, "TXT");
		(void)strcpy(obs.dns.rcode, "NOERROR");
		obs.dns.answer_count = OBS_ANSWERS;
		for (unsigned i = 0; i < OBS_ANSWERS; i++) {
			memset(obs.dns.answers[i].data, 'x', 250);
			obs.dns.answers[i].data[249] = (char)('0' + i % 10);
			obs.dns.answers[i].data[248] = (char)('0' + i / 10);
		}
		if (round)
			obs.dns.answers[OBS_ANSWERS - 1].data[248] = 'z';
		assert_true(signature_of_dns(round ? &other : &one, &obs.dns));
	}
	assert_true(strlen(one.text) < SIGNATURE_MAX);
	assert_string_not_equal(one.text, other.text);
}

static void whatever_comes_a_signature_fits(void **state)
{
	struct signature signature;
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		obs_maker_fill(&obs, OBS_TRACE, &seed);
		signature_of_trace(&signature, &obs.trace);
		assert_true(strlen(signature.text) < SIGNATURE_MAX);
		obs_maker_fill(&obs, OBS_DNS, &seed);
		(void)signature_of_dns(&signature, &obs.dns);
		assert_true(strlen(signature.text) < SIGNATURE_MAX);
		obs_maker_fill(&obs, OBS_REGISTRY, &seed);
		signature_of_registry(&signature, &obs.registry);
		assert_true(strlen(signature.text) < SIGNATURE_MAX);
		obs_maker_fill(&obs, OBS_CHECK, &seed);
		signature_of_check(&signature, &obs.check);
		signature_of_certificate(&signature, &obs.check.tls);
		assert_true(strlen(signature.text) < SIGNATURE_MAX);
	}
}

static void a_registration_changes_with_its_servers_status_and_registrar(void **state)
{
	struct signature before, after;

	(void)state;
	obs_init(&obs, OBS_REGISTRY, (struct moment){0});
	(void)strcpy(obs.registry.registrar, "A Registrar");
	obs.registry.server_count = 1;
	(void)strcpy(obs.registry.name_servers[0], "ns1.example");
	obs.registry.expires.us = 5;
	signature_of_registry(&before, &obs.registry);
	obs.registry.expires.us = 6;
	signature_of_registry(&after, &obs.registry);
	assert_string_equal(before.text, after.text);
	(void)strcpy(obs.registry.registrar, "B Registrar");
	signature_of_registry(&after, &obs.registry);
	assert_string_not_equal(before.text, after.text);
	obs.registry.signed_known = true;
	signature_of_registry(&before, &obs.registry);
	assert_string_not_equal(before.text, after.text);
}

static void a_part_is_within_the_whole_by_elements(void **state)
{
	(void)state;
	assert_true(signature_within("", ""));
	assert_true(signature_within("", "JP/1"));
	assert_true(signature_within("JP/1 NL/3", "JP/1 DE/2 NL/3"));
	assert_true(signature_within("JP/1", "JP/1"));
	assert_false(signature_within("JP/1", ""));
	assert_false(signature_within("JP/1", "JP/12"));
	assert_false(signature_within("JP/12", "JP/1"));
	assert_false(signature_within("JP/1 FR/9", "JP/1 DE/2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_its_networks_and_countries_in_any_order),
		cmocka_unit_test(
			a_place_that_cannot_be_or_is_many_gives_its_network_only),
		cmocka_unit_test(without_places_neighbourhoods_do),
		cmocka_unit_test(silent_hops_and_an_end_not_reached_are_counted),
		cmocka_unit_test(answers_are_a_set),
		cmocka_unit_test(addresses_are_known_by_their_network),
		cmocka_unit_test(a_server_that_fails_says_nothing),
		cmocka_unit_test(long_texts_that_differ_at_their_end_differ),
		cmocka_unit_test(whatever_comes_a_signature_fits),
		cmocka_unit_test(
			a_registration_changes_with_its_servers_status_and_registrar),
		cmocka_unit_test(a_part_is_within_the_whole_by_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
