#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_registry.h"
#include "hearing.h"

struct word {
	const char *registrar, *status, *server;
	int64_t changed;
	bool is_signed;
};

static const struct word usual = {
	"Good Registrar", "client transfer prohibited", "ns-1.example", 1000, true};

static void ask(struct hearing *hearing, struct word word)
{
	struct obs_registry *registry = &hearing->obs->registry;
	hearing_pass(hearing, 15 * MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_REGISTRY, hearing->now);
	(void)snprintf(registry->domain, OBS_NAME, "exchange.example");
	(void)snprintf(registry->registrar, OBS_TEXT, "%s", word.registrar);
	registry->status_count = 1;
	(void)snprintf(registry->status[0], OBS_WORD, "%s", word.status);
	registry->server_count = 1;
	(void)snprintf(registry->name_servers[0], OBS_NAME, "%s", word.server);
	registry->last_changed.us = word.changed;
	registry->signed_known = true;
	registry->delegation_signed = word.is_signed;
	hearing_show(hearing, "sentinel-1");
}

static void prepare(struct hearing *hearing)
{
	hearing_open(hearing, &detect_registry);
	hearing_introduce(hearing, "sentinel-1", OBS_SENTINEL, "tokyo", "JP", 64496);
	ask(hearing, usual);
	ask(hearing, usual);
	assert_int_equal(hearing->count, 0);
}

static void another_registrar_pages_and_ends(void **state)
{
	struct hearing hearing;
	struct word moved = usual;

	(void)state;
	prepare(&hearing);
	moved.registrar = "Other Registrar";
	ask(&hearing, moved);
	assert_int_equal(hearing_pages(&hearing), 1);
	ask(&hearing, usual);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

static void a_lost_lock_and_a_touched_registration_warn(void **state)
{
	struct hearing hearing;
	struct word touched = usual;

	(void)state;
	prepare(&hearing);
	touched.status = "active";
	touched.changed = 2000;
	ask(&hearing, touched);
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_int_equal(hearing_count(&hearing, FINDING_HOLDS, SEVERITY_WARN), 2);
	hearing_close(&hearing);
}

static void servers_that_are_not_expected_are_against_policy(void **state)
{
	struct hearing hearing;
	struct word other = usual;

	(void)state;
	prepare(&hearing);
	hearing.service.expect.name_servers_given = true;
	hearing.service.expect.name_server_count = 1;
	(void)snprintf(hearing.service.expect.name_servers[0], OBS_NAME, "ns-1.example");
	ask(&hearing, usual);
	assert_int_equal(hearing.count, 0);
	other.server = "ns-1.examp1e";
	ask(&hearing, other);
	assert_int_equal(hearing_pages(&hearing), 1);
	assert_true(hearing.findings[0].policy);
	hearing_close(&hearing);
}

static void an_announced_transfer_is_taken_as_it_is(void **state)
{
	struct hearing hearing;
	struct word moved = {"Other Registrar", "active", "ns-2.example", 1000, false};

	(void)state;
	prepare(&hearing);
	hearing.announced = true;
	ask(&hearing, moved);
	hearing.announced = false;
	ask(&hearing, moved);
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_registrar_pages_and_ends),
		cmocka_unit_test(a_lost_lock_and_a_touched_registration_warn),
		cmocka_unit_test(servers_that_are_not_expected_are_against_policy),
		cmocka_unit_test(an_announced_transfer_is_taken_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
