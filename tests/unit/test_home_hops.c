#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/wire.h"
#include "home_hops.h"

static struct obs *path_over(
	const char *const *addresses, unsigned count, const char *peer)
{
	struct obs *obs = malloc(sizeof(*obs));

	assert_non_null(obs);
	obs_init(obs, OBS_TRACE, (struct moment){1});
	(void)strcpy(obs->trace.service, "exchange");
	(void)address_parse(&obs->trace.peer, peer);
	obs->trace.hop_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct obs_hop *hop = &obs->trace.hops[i];

		*hop = (struct obs_hop){
			.ttl = i + 1, .sent = 2, .answered = 2, .rtt_us = 100 * (i + 1)};
		(void)address_parse(&hop->address, addresses[i]);
		(void)snprintf(hop->name, sizeof(hop->name), "router%u.home.example", i);
	}
	return obs;
}

static void no_word_of_the_home_network_leaves(void **state)
{
	static const char *const hops[] = {"192.168.17.1", "10.0.0.1", "100.64.3.1",
		"fd00::1", "203.0.113.1", "203.0.113.9"};
	struct obs *obs = path_over(hops, 6, "203.0.113.9");
	char line[8192];

	(void)state;
	assert_true(home_hops_are_in(obs));
	home_hops_hide(obs);
	assert_false(home_hops_are_in(obs));
	assert_true(wire_encode(line, sizeof(line), obs) > 0);
	for (unsigned i = 0; i < 4; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "router%u.", i);
		assert_null(strstr(line, hops[i]));
		assert_null(strstr(line, name));
		assert_int_equal(obs->trace.hops[i].ttl, i + 1);
	}
	assert_int_equal(wire_decode(obs, line, strlen(line), NULL), 0);
	assert_int_equal(obs->trace.hop_count, 6);
	assert_int_equal(obs->trace.hops[4].rtt_us, 500);
	free(obs);
}

static void a_path_without_them_stays_as_it_is(void **state)
{
	static const char *const hops[] = {"203.0.113.1", "203.0.113.9"};
	struct obs *obs = path_over(hops, 2, "203.0.113.9");

	(void)state;
	assert_false(home_hops_are_in(obs));
	obs->trace.hops[0].address.family = 0;
	assert_false(home_hops_are_in(obs));
	free(obs);
}

static void a_service_at_a_private_address_is_shown(void **state)
{
	static const char *const hops[] = {"10.0.0.1", "10.9.9.9"};
	struct obs *obs = path_over(hops, 2, "10.9.9.9");

	(void)state;
	home_hops_hide(obs);
	assert_int_equal(obs->trace.hops[0].address.family, 0);
	assert_int_equal(obs->trace.hops[1].address.family, 4);
	free(obs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_word_of_the_home_network_leaves),
		cmocka_unit_test(a_path_without_them_stays_as_it_is),
		cmocka_unit_test(a_service_at_a_private_address_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
