#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/wire.h"
#include "geo.h"
#include "probe_replies.h"
#include "trace_record.h"
#include "trace_view.h"

#define FIRST_ID 100
#define AT INT64_C(1590854700000000)

static const struct place tokyo = {
	.located = true, .latitude = 35.68, .longitude = 139.69};

struct finished {
	struct path *path;
	struct geo *geo;
	struct obs *obs;
};

/* Three hops: one in Tokyo, one silent, and the destination, said to be in Amsterdam but
 * answering after 5 ms. */
static int make_finished(void **state)
{
	struct path_plan plan = {.max_ttl = 5, .queries = 1, .first_id = FIRST_ID};
	struct reply_packet near = {.kind = REPLY_EXPIRED,
		.from = test_address("192.0.2.1"),
		.mpls_count = 1,
		.mpls = {{.label = 24001, .s = 1, .ttl = 1}}};
	struct reply_packet far = {
		.kind = REPLY_ARRIVED, .from = test_address("192.0.2.200")};
	struct finished *finished = calloc(1, sizeof(*finished));
	struct path_probe probe;

	*state = finished;
	finished->obs = malloc(sizeof(*finished->obs));
	if (!finished->obs || path_new(&finished->path, &plan) ||
		geo_open(&finished->geo, TEST_DATA "/geo_nested.mmdb", NULL, NULL))
		return -1;
	while (path_next(finished->path, (struct tick){0}, NULL, &probe))
		;
	(void)path_take_reply(finished->path, FIRST_ID, &near, (struct tick){812});
	(void)path_take_reply(finished->path, FIRST_ID + 2, &far, (struct tick){5000});
	return 0;
}

static int free_finished(void **state)
{
	struct finished *finished = *state;

	path_free(finished->path);
	geo_close(finished->geo);
	free(finished->obs);
	free(finished);
	return 0;
}

static const struct obs_trace *fill(struct finished *finished, enum obs_protocol protocol)
{
	struct trace_order order = {.peer = test_address("192.0.2.200"),
		.protocol = protocol,
		.port = 443,
		.flow = 3,
		.max_ttl = 5,
		.queries = 1};

	trace_record_fill(finished->obs, (struct moment){AT}, "exchange", &order,
		finished->path, finished->geo, &tokyo);
	return &finished->obs->trace;
}

static void a_path_becomes_hops_with_places_that_light_allows(void **state)
{
	const struct obs_trace *trace = fill(*state, OBS_TCP);

	assert_string_equal(trace->service, "exchange");
	assert_int_equal(trace->port, 443);
	assert_int_equal(trace->flow, 3);
	assert_true(trace->reached);
	assert_int_equal(trace->hop_count, 3);
	assert_int_equal(trace->hops[0].rtt_us, 812);
	assert_int_equal(trace->hops[0].mpls[0].label, 24001);
	assert_int_equal(trace->hops[0].place.asn, 64496);
	assert_int_equal(trace->hops[0].place.verdict, PLACE_POSSIBLE);
	assert_int_equal(trace->hops[1].address.family, 0);
	assert_int_equal(trace->hops[1].answered, 0);
	assert_int_equal(trace->hops[1].rtt_us, OBS_ABSENT);
	assert_string_equal(trace->hops[2].place.country, "NL");
	assert_int_equal(trace->hops[2].place.verdict, PLACE_IMPOSSIBLE);
}

static void icmp_has_no_port(void **state)
{
	assert_int_equal(fill(*state, OBS_ICMP)->port, OBS_ABSENT);
}

static void the_record_is_fit_for_the_wire(void **state)
{
	struct finished *finished = *state;
	struct obs *back = malloc(sizeof(*back));
	struct fault fault = {0};
	static char line[WIRE_LINE_MAX];
	int len;

	(void)fill(finished, OBS_UDP);
	assert_non_null(back);
	len = wire_encode(line, sizeof(line), finished->obs);
	assert_true(len > 0);
	assert_int_equal(wire_decode(back, line, (size_t)len, &fault), 0);
	assert_true(obs_equal(back, finished->obs));
	free(back);
}

static void the_table_shows_each_hop_once(void **state)
{
	const struct obs_trace *trace = fill(*state, OBS_TCP);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	trace_view_print(out, "exchange.example", trace);
	assert_int_equal(fclose(out), 0);
	assert_non_null(
		strstr(text, "exchange.example (192.0.2.200), tcp port 443, flow 3"));
	assert_non_null(strstr(text, "  1  192.0.2.1"));
	assert_non_null(strstr(text, "0.812"));
	assert_non_null(strstr(text, "AS64496 Example Net"));
	assert_non_null(strstr(text, "JP Tokyo"));
	assert_non_null(strstr(text, "MPLS 24001"));
	assert_non_null(strstr(text, "\n  2  *\n"));
	assert_non_null(strstr(text, "NL Amsterdam (too soon for there)"));
	assert_non_null(strstr(text, "reached at hop 3\n"));
	free(text);
}

/* The table of a path that these routers answered on. */
static char *table_of(const char *const routers[], unsigned count)
{
	struct obs *obs = malloc(sizeof(*obs));
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(obs);
	assert_non_null(out);
	obs_init(obs, OBS_TRACE, (struct moment){AT});
	obs->trace.peer = test_address("192.0.2.200");
	obs->trace.hop_count = count;
	for (unsigned i = 0; i < count; i++)
		obs->trace.hops[i] = (struct obs_hop){.ttl = i + 1,
			.sent = 1,
			.answered = 1,
			.rtt_us = 1000,
			.address = test_address(routers[i])};
	trace_view_print(out, "exchange.example", &obs->trace);
	assert_int_equal(fclose(out), 0);
	free(obs);
	return text;
}

static void a_loop_is_told_and_a_router_that_answers_twice_is_none(void **state)
{
	static const char *const loop[] = {
		"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.2", "192.0.2.3"};
	static const char *const twice[] = {"192.0.2.1", "192.0.2.2", "192.0.2.2"};
	char *text = table_of(loop, 5);

	(void)state;
	assert_non_null(strstr(text, "a loop: hop 2 again\n"));
	assert_non_null(strstr(text, "a loop: hop 3 again\n"));
	free(text);
	text = table_of(twice, 3);
	assert_null(strstr(text, "loop"));
	free(text);
}

static void a_slow_answer_is_no_alibi_when_farther_hops_were_faster(void **state)
{
	struct finished *finished = *state;
	struct obs_trace *trace = &finished->obs->trace;

	trace_record_fill(finished->obs, (struct moment){AT}, "exchange",
		&(struct trace_order){.peer = test_address("192.0.2.200")},
		finished->path, finished->geo, &tokyo);
	/* Amsterdam's address stands before a hop that answered in 5 ms from farther. */
	trace->hops[0].address = trace->hops[trace->hop_count - 1].address;
	trace->hops[0].rtt_us = 240000;
	trace_record_place(finished->obs, finished->geo, &tokyo);
	assert_int_equal(trace->hops[0].place.verdict, PLACE_IMPOSSIBLE);
	trace->hops[trace->hop_count - 1].rtt_us = 250000;
	trace_record_place(finished->obs, finished->geo, &tokyo);
	assert_int_equal(trace->hops[0].place.verdict, PLACE_POSSIBLE);
}

static void a_name_is_believed_before_a_database_but_not_against_light(void **state)
{
	struct finished *finished = *state;
	struct obs_hop *last;

	trace_record_fill(finished->obs, (struct moment){AT}, "exchange",
		&(struct trace_order){.peer = test_address("192.0.2.200")},
		finished->path, NULL, &tokyo);
	last = &finished->obs->trace.hops[finished->obs->trace.hop_count - 1];
	(void)snprintf(last->name, sizeof(last->name), "core1.tyo1.he.net");
	trace_record_place(finished->obs, finished->geo, &tokyo);
	if (last->place.asn == 0 || last->place.asn == 6939) {
		assert_string_equal(last->place.country, "JP");
		assert_int_equal(last->place.source, PLACE_SOURCE_RDNS);
	}
	(void)snprintf(last->name, sizeof(last->name), "core1.lon1.he.net");
	trace_record_place(finished->obs, finished->geo, &tokyo);
	assert_string_equal(last->place.country, "NL");
	assert_int_equal(last->place.source, PLACE_SOURCE_MMDB);
	assert_int_equal(last->place.verdict, PLACE_IMPOSSIBLE);
}

static void a_database_is_doubted_where_a_neighbour_s_name_says_otherwise(void **state)
{
	struct finished *finished = *state;
	struct obs_trace *trace = &finished->obs->trace;
	struct obs_hop *first = &trace->hops[0], *last;

	trace_record_fill(finished->obs, (struct moment){AT}, "exchange",
		&(struct trace_order){.peer = test_address("192.0.2.200")},
		finished->path, NULL, &tokyo);
	last = &trace->hops[trace->hop_count - 1];
	first->address = test_address("198.18.0.66"); /* nothing is known of it */
	first->rtt_us = 110000;
	last->rtt_us = 200000;
	/* Amsterdam is possible by itself, after San Jose it is not: 26,000 km. */
	trace_record_place(finished->obs, finished->geo, &tokyo);
	assert_int_equal(last->place.verdict, PLACE_POSSIBLE);
	(void)snprintf(first->name, sizeof(first->name), "core1.sjc1.he.net");
	last->rtt_us = 115000;
	trace_record_place(finished->obs, finished->geo, &tokyo);
	assert_int_equal(first->place.source, PLACE_SOURCE_RDNS);
	assert_int_equal(first->place.verdict, PLACE_POSSIBLE);
	assert_string_equal(last->place.country, "NL");
	assert_int_equal(last->place.verdict, PLACE_IMPOSSIBLE);
	last->rtt_us = 150000;
	trace_record_place(finished->obs, finished->geo, &tokyo);
	assert_int_equal(last->place.verdict, PLACE_POSSIBLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_is_told_and_a_router_that_answers_twice_is_none),
		cmocka_unit_test_setup_teardown(
			a_path_becomes_hops_with_places_that_light_allows, make_finished,
			free_finished),
		cmocka_unit_test_setup_teardown(
			icmp_has_no_port, make_finished, free_finished),
		cmocka_unit_test_setup_teardown(
			the_record_is_fit_for_the_wire, make_finished, free_finished),
		cmocka_unit_test_setup_teardown(
			the_table_shows_each_hop_once, make_finished, free_finished),
		cmocka_unit_test_setup_teardown(
			a_slow_answer_is_no_alibi_when_farther_hops_were_faster,
			make_finished, free_finished),
		cmocka_unit_test_setup_teardown(
			a_name_is_believed_before_a_database_but_not_against_light,
			make_finished, free_finished),
		cmocka_unit_test_setup_teardown(
			a_database_is_doubted_where_a_neighbour_s_name_says_otherwise,
			make_finished, free_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
