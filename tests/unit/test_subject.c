#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_world.h"
#include "store_read.h"

struct seen {
	int count, forms;
	int64_t id, since_us;
	char now[256], before[256], line[4096];
};

static void keep_subject(void *arg, const struct store_subject *row)
{
	struct seen *seen = arg;

	seen->count++;
	seen->id = row->id;
	seen->since_us = row->since_us;
	(void)snprintf(seen->now, sizeof(seen->now), "%s", row->now.signature);
	(void)snprintf(seen->before, sizeof(seen->before), "%s", row->before.signature);
	(void)snprintf(seen->line, sizeof(seen->line), "%s", row->now.line);
}

static void count_form(void *arg, const struct store_form *row)
{
	(void)row;
	((struct seen *)arg)->forms++;
}

static struct seen look(struct store_world *world, const char *kind)
{
	struct seen seen = {0};

	store_world_flush(world);
	assert_int_equal(store_read_subjects(world->store, kind, "exchange", NULL,
				 keep_subject, &seen),
		0);
	if (seen.id)
		assert_int_equal(
			store_read_forms(world->store, seen.id, count_form, &seen), 0);
	return seen;
}

static const struct store_world_hop tokyo[] = {
	{"10.0.0.1", NULL, 0}, {"192.0.2.1", "JP", 64496}, {"192.0.2.9", "JP", 64497}};
static const struct store_world_hop tokyo_silent[] = {
	{"10.0.0.1", NULL, 0}, {"192.0.2.1", "JP", 64496}, {NULL, NULL, 0}};
static const struct store_world_hop amsterdam[] = {
	{"10.0.0.1", NULL, 0}, {"192.0.2.1", "JP", 64496}, {"198.51.100.1", "NL", 64500}};
static const struct store_world_hop london[] = {
	{"10.0.0.1", NULL, 0}, {"192.0.2.1", "JP", 64496}, {"198.51.100.1", "GB", 64501}};

static void trace_times(
	struct store_world *world, const struct store_world_hop *hops, int times)
{
	for (int i = 0; i < times; i++, world->rx_us += 10 * MOMENT_SECOND_US)
		store_world_trace(world, "tyo-1", hops, 3);
}

static void a_new_path_leaves_the_usual_one_as_before(void **state)
{
	struct store_world *world = *state;
	struct seen seen;
	int64_t changed_us;

	store_world_hello(world, "tyo-1", "tokyo");
	trace_times(world, tokyo, 12);
	seen = look(world, "path");
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.before, "");
	changed_us = world->rx_us;
	trace_times(world, amsterdam, 2);
	seen = look(world, "path");
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.now, "JP/64496 NL/64500");
	assert_string_equal(seen.before, "JP/64496 JP/64497");
	assert_int_equal(seen.since_us, changed_us);
	assert_non_null(strstr(seen.line, "\"198.51.100.1\""));
}

static void a_short_visit_is_not_what_was_before(void **state)
{
	struct store_world *world = *state;
	struct seen seen;

	trace_times(world, tokyo, 12);
	trace_times(world, london, 1);
	trace_times(world, amsterdam, 1);
	seen = look(world, "path");
	assert_string_equal(seen.now, "JP/64496 NL/64500");
	assert_string_equal(seen.before, "JP/64496 JP/64497");
}

static void coming_back_is_a_change_too_and_home_stays_usual(void **state)
{
	struct store_world *world = *state;
	struct seen seen;

	trace_times(world, tokyo, 12);
	trace_times(world, amsterdam, 2);
	trace_times(world, tokyo, 1);
	seen = look(world, "path");
	assert_string_equal(seen.now, "JP/64496 JP/64497");
	assert_string_equal(seen.before, "JP/64496 NL/64500");
	trace_times(world, london, 1);
	seen = look(world, "path");
	assert_string_equal(seen.before, "JP/64496 JP/64497");
}

static void routers_that_fall_silent_change_nothing(void **state)
{
	struct store_world *world = *state;
	struct seen seen;

	trace_times(world, tokyo, 12);
	trace_times(world, tokyo_silent, 3);
	seen = look(world, "path");
	assert_string_equal(seen.now, "JP/64496 JP/64497");
	assert_int_equal(seen.forms, 1);
	assert_non_null(strstr(
		seen.line, "\"ttl\":3,\"sent\":1,\"answered\":0")); /* as last seen */
}

static void the_forms_of_one_subject_are_few(void **state)
{
	struct store_world *world = *state;
	struct store_world_hop hops[3];
	struct seen seen;

	trace_times(world, tokyo, 12);
	memcpy(hops, tokyo, sizeof(hops));
	for (uint32_t i = 0; i < 50; i++) {
		hops[2].asn = 65000 + i;
		trace_times(world, hops, 1);
	}
	seen = look(world, "path");
	assert_int_equal(seen.forms, 8);
	assert_string_equal(seen.now, "JP/64496 JP/65049");
	assert_string_equal(seen.before, "JP/64496 JP/64497");
}

static void another_site_is_another_vantage(void **state)
{
	struct store_world *world = *state;

	store_world_hello(world, "tyo-1", "tokyo");
	trace_times(world, tokyo, 1);
	store_world_hello(world, "tyo-1", "kyoto");
	trace_times(world, tokyo, 1);
	assert_int_equal(look(world, "path").count, 2);
}

static void a_new_name_server_is_a_change_and_a_failure_is_none(void **state)
{
	struct store_world *world = *state;
	struct seen seen;

	store_world_name_servers(
		world, "ns-1515.awsdns-61.org", "ns2.example", "NOERROR");
	world->rx_us += MOMENT_MINUTE_US;
	store_world_name_servers(
		world, "ns2.example", "ns-1515.awsdns-61.org", "NOERROR");
	world->rx_us += MOMENT_MINUTE_US;
	store_world_name_servers(world, "", "", "SERVFAIL");
	seen = look(world, "dns");
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.forms, 1);
	world->rx_us += MOMENT_MINUTE_US;
	store_world_name_servers(
		world, "ns-1515.awsdns-061.org", "ns2.example", "NOERROR");
	seen = look(world, "dns");
	assert_int_equal(seen.forms, 2);
	assert_string_equal(seen.now, "ns-1515.awsdns-061.org ns2.example");
	assert_string_equal(seen.before, "ns-1515.awsdns-61.org ns2.example");
}

static void a_check_says_since_when_it_fails(void **state)
{
	struct store_world *world = *state;
	struct seen seen;
	int64_t since_us;

	for (int i = 0; i < 5; i++, world->rx_us += MOMENT_MINUTE_US)
		store_world_check(world, "tyo-1", OBS_CHECK_OK, 50000);
	since_us = world->rx_us;
	for (int i = 0; i < 5; i++, world->rx_us += MOMENT_MINUTE_US)
		store_world_check(world, "tyo-1", OBS_CHECK_TIMEOUT, OBS_ABSENT);
	seen = look(world, "check");
	assert_string_equal(seen.now, "timeout");
	assert_string_equal(seen.before, "ok 200");
	assert_int_equal(seen.since_us, since_us);
	seen = look(world, "certificate");
	assert_int_equal(seen.count, 1);
	assert_non_null(strstr(seen.now, "CN=Example CA"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_world_test(a_new_path_leaves_the_usual_one_as_before),
		store_world_test(a_short_visit_is_not_what_was_before),
		store_world_test(coming_back_is_a_change_too_and_home_stays_usual),
		store_world_test(routers_that_fall_silent_change_nothing),
		store_world_test(the_forms_of_one_subject_are_few),
		store_world_test(another_site_is_another_vantage),
		store_world_test(a_new_name_server_is_a_change_and_a_failure_is_none),
		store_world_test(a_check_says_since_when_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
