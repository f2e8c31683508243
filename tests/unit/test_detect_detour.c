#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "detect_detour.h"
#include "hearing.h"

static struct place japan(uint32_t asn)
{
	return (struct place){.country = "JP",
		.city = "Tokyo",
		.located = true,
		.latitude = 35.7,
		.longitude = 139.7,
		.asn = asn,
		.source = PLACE_SOURCE_MMDB,
		.verdict = PLACE_POSSIBLE};
}

static struct place netherlands(uint32_t asn)
{
	return (struct place){.country = "NL",
		.city = "Amsterdam",
		.located = true,
		.latitude = 52.4,
		.longitude = 4.9,
		.asn = asn,
		.source = PLACE_SOURCE_MMDB,
		.verdict = PLACE_POSSIBLE};
}

static void add_hop(
	struct obs_trace *trace, uint8_t last, int64_t rtt_us, struct place place)
{
	const uint8_t address[4] = {198, 18, 0, last};
	struct obs_hop *hop = &trace->hops[trace->hop_count++];
	*hop = (struct obs_hop){.ttl = trace->hop_count,
		.sent = 1,
		.answered = 1,
		.address = address_v4(address),
		.rtt_us = rtt_us,
		.place = place};
	trace->peer = hop->address;
}

static void begin(struct hearing *hearing, int64_t flow)
{
	hearing_pass(hearing, MOMENT_MINUTE_US);
	obs_init(hearing->obs, OBS_TRACE, hearing->now);
	hearing->obs->trace.flow = flow;
	hearing->obs->trace.reached = true;
	add_hop(&hearing->obs->trace, 1, 500, japan(64496));
}

static void trace_home(struct hearing *hearing, const char *probe, uint8_t branch)
{
	begin(hearing, branch % 4);
	add_hop(&hearing->obs->trace, (uint8_t)(10 + branch), 3000, japan(64500));
	add_hop(&hearing->obs->trace, 200, 8000, japan(64501));
	hearing_show(hearing, probe);
}

static void trace_away(struct hearing *hearing, const char *probe)
{
	begin(hearing, 0);
	add_hop(&hearing->obs->trace, 100, 240000, netherlands(64510));
	add_hop(&hearing->obs->trace, 101, 246000, netherlands(64511));
	hearing_show(hearing, probe);
}

/* A router at 4 ms that a database puts into Amsterdam: light says otherwise from both
 * sides. */
static void trace_wrongly_placed(struct hearing *hearing, const char *probe)
{
	begin(hearing, 0);
	add_hop(&hearing->obs->trace, 100, 120000, netherlands(64510));
	add_hop(&hearing->obs->trace, 200, 121000, japan(64501));
	hearing_show(hearing, probe);
}

static void prepare(struct hearing *hearing, bool policy)
{
	hearing_open(hearing, &detect_detour);
	hearing_introduce(hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-1", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-2", OBS_ENDPOINT, "tokyo", "JP", 64496);
	hearing_introduce(hearing, "laptop-3", OBS_ENDPOINT, "tokyo", "NL", 64999);
	if (policy) {
		hearing->service.expect.countries_given = true;
		hearing->service.expect.country_count = 1;
		memcpy(hearing->service.expect.countries[0], "JP", 3);
	}
	for (unsigned i = 0; i < 40; i++)
		trace_home(hearing, "tyo-gw-1", (uint8_t)i);
}

static void a_forbidden_country_pages_at_its_second_round(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	trace_away(&hearing, "tyo-gw-1");
	assert_int_equal(hearing_pages(&hearing), 0);
	trace_away(&hearing, "tyo-gw-1");
	assert_true(hearing_pages(&hearing) > 0);
	assert_true(hearing.findings[0].policy);
	assert_non_null(strstr(hearing.findings[0].text, "AS64510 NL Amsterdam"));
	assert_non_null(strstr(
		hearing.findings[0].text, "before: AS64496 JP Tokyo > AS64500 JP Tokyo"));
	hearing_close(&hearing);
}

static void branches_of_a_load_balancer_are_no_news(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	for (unsigned i = 0; i < 120; i++)
		trace_home(&hearing, "tyo-gw-1", (uint8_t)(i + 40));
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void without_policy_a_new_country_pages_after_a_day_of_learning(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, false);
	for (unsigned i = 0; i < 3; i++)
		trace_away(&hearing, "tyo-gw-1");
	assert_int_equal(hearing_pages(&hearing), 0); /* still learning: it is taken in */
	hearing_close(&hearing);
	prepare(&hearing, false);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	for (unsigned i = 0; i < 3; i++)
		trace_away(&hearing, "tyo-gw-1");
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void one_endpoint_alone_never_pages(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	for (unsigned i = 0; i < 20; i++)
		trace_away(&hearing, "laptop-1");
	assert_int_equal(hearing_pages(&hearing), 0);
	assert_true(hearing.count > 0); /* but adds to what others say */
	assert_int_equal(hearing.findings[0].severity, SEVERITY_INFO);
	assert_false(hearing.findings[0].security);
	trace_away(&hearing, "laptop-2");
	assert_true(hearing_pages(&hearing) > 0);
	hearing_close(&hearing);
}

static void a_traveller_has_no_voice(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	for (unsigned i = 0; i < 20; i++) {
		trace_away(&hearing, "laptop-3");
		trace_away(&hearing, "laptop-1");
	}
	assert_int_equal(hearing_pages(&hearing), 0);
	hearing_close(&hearing);
}

static void a_place_that_light_forbids_from_the_other_side_accuses_nobody(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	for (unsigned i = 0; i < 20; i++)
		trace_wrongly_placed(&hearing, "tyo-gw-1");
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void a_new_carrier_in_the_same_country_is_no_detour(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	hearing_pass(&hearing, 2 * MOMENT_DAY_US);
	for (unsigned i = 0; i < 20; i++) {
		begin(&hearing, 0);
		add_hop(&hearing.obs->trace, 100, 3000, japan(64777));
		add_hop(&hearing.obs->trace, 200, 9000, japan(64501));
		hearing_show(&hearing, "tyo-gw-1");
	}
	assert_int_equal(hearing.count, 0);
	hearing_close(&hearing);
}

static void it_ends_when_the_path_is_clean_again(void **state)
{
	struct hearing hearing;

	(void)state;
	prepare(&hearing, true);
	trace_away(&hearing, "tyo-gw-1");
	trace_away(&hearing, "tyo-gw-1");
	trace_home(&hearing, "tyo-gw-1", 0);
	assert_int_equal(hearing_ends(&hearing), 0);
	for (unsigned i = 1; i < 12; i++)
		trace_home(&hearing, "tyo-gw-1", (uint8_t)i);
	assert_int_equal(hearing_ends(&hearing), 1);
	hearing_close(&hearing);
}

/* One router far away, and an anycast address behind it that lies nowhere. */
static void trace_anycast(struct hearing *hearing, int64_t there_us, int64_t behind_us)
{
	struct place nowhere = {.asn = 64501, .source = PLACE_SOURCE_ANYCAST};

	begin(hearing, 0);
	if (there_us)
		add_hop(&hearing->obs->trace, 100, there_us, netherlands(64510));
	add_hop(&hearing->obs->trace, 200, behind_us, nowhere);
	hearing_show(hearing, "tyo-gw-1");
}

static unsigned pages_of_anycast(int64_t there_us, int64_t behind_us)
{
	struct hearing hearing;
	unsigned pages;

	hearing_open(&hearing, &detect_detour);
	hearing_introduce(&hearing, "tyo-gw-1", OBS_GATEWAY, "tokyo", "JP", 64496);
	for (unsigned i = 0; i < 2000; i++)
		trace_anycast(&hearing, 0, 8000);
	hearing_forget(&hearing);
	for (unsigned i = 0; i < 4; i++)
		trace_anycast(&hearing, there_us, behind_us);
	pages = hearing_pages(&hearing);
	hearing_close(&hearing);
	return pages;
}

static void an_anycast_service_behind_a_long_way_round_pages(void **state)
{
	(void)state;
	assert_true(pages_of_anycast(240000, 480000) > 0);
}

static void a_late_router_before_an_anycast_service_is_no_way(void **state)
{
	(void)state;
	assert_int_equal(pages_of_anycast(240000, 9000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forbidden_country_pages_at_its_second_round),
		cmocka_unit_test(branches_of_a_load_balancer_are_no_news),
		cmocka_unit_test(
			without_policy_a_new_country_pages_after_a_day_of_learning),
		cmocka_unit_test(one_endpoint_alone_never_pages),
		cmocka_unit_test(a_traveller_has_no_voice),
		cmocka_unit_test(
			a_place_that_light_forbids_from_the_other_side_accuses_nobody),
		cmocka_unit_test(a_new_carrier_in_the_same_country_is_no_detour),
		cmocka_unit_test(it_ends_when_the_path_is_clean_again),
		cmocka_unit_test(an_anycast_service_behind_a_long_way_round_pages),
		cmocka_unit_test(a_late_router_before_an_anycast_service_is_no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
