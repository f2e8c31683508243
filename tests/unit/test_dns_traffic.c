#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dns_builder.h"
#include "dns_traffic.h"

#define RD 0x0100u
#define ANSWER (DNS_BUILDER_ANSWER | 0x0180u)

struct stage {
	struct services services;
	struct service list[2];
	struct windows *windows;
	struct dns_names *names;
	struct service_naming *naming;
	struct dns_traffic *dns;
	struct address client, server;
	struct moment now;
	struct dns_builder b;
};

static void emitted(void *arg, const struct obs *obs)
{
	(void)arg;
	(void)obs;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct windows_config windows = {
		.window_us = MOMENT_HOUR_US, .pause_us = MOMENT_DAY_US, .emit = emitted};
	struct dns_traffic_config config = {.lookups = 4, .seed = 42};

	*state = stage;
	stage->now.us = INT64_C(1590854700000000);
	(void)address_parse(&stage->client, "192.0.2.7");
	(void)address_parse(&stage->server, "198.51.100.53");
	stage->services = (struct services){2, stage->list};
	(void)strcpy(stage->list[0].name, "resolver");
	stage->list[0].address_count = stage->list[0].port_count = 1;
	stage->list[0].addresses[0] = stage->server;
	stage->list[0].ports[0] = 53;
	(void)strcpy(stage->list[1].name, "exchange");
	stage->list[1].host_count = stage->list[1].port_count = 1;
	(void)strcpy(stage->list[1].hosts[0], "exchange.example");
	stage->list[1].ports[0] = 443;
	assert_int_equal(windows_new(&stage->windows, &windows, &stage->services), 0);
	assert_int_equal(dns_names_new(&stage->names, &stage->services, 42), 0);
	assert_int_equal(service_naming_new(&stage->naming, &stage->services,
				 stage->windows, stage->names),
		0);
	config.windows = stage->windows;
	config.naming = stage->naming;
	config.names = stage->names;
	assert_int_equal(dns_traffic_new(&stage->dns, &config), 0);
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	dns_traffic_free(stage->dns);
	service_naming_free(stage->naming);
	dns_names_free(stage->names);
	windows_free(stage->windows);
	free(stage);
	return 0;
}

static void wait_us(struct stage *stage, int64_t us)
{
	stage->now = moment_plus_us(stage->now, us);
	dns_traffic_sweep(stage->dns, stage->now);
}

static void send(struct stage *stage, bool back, bool over_tcp)
{
	uint8_t *copy = malloc(stage->b.len);
	struct dns_traffic_message message = {
		.from = back ? &stage->server : &stage->client,
		.to = back ? &stage->client : &stage->server,
		.from_port = back ? 53 : 40000,
		.to_port = back ? 40000 : 53,
		.over_tcp = over_tcp,
		.bytes = cursor_over(copy, stage->b.len),
		.len = (uint32_t)stage->b.len};

	memcpy(copy, stage->b.bytes, stage->b.len);
	dns_traffic_read(stage->dns, &message, stage->now);
	free(copy);
}

static void ask(struct stage *stage, unsigned id, const char *name)
{
	dns_builder_begin(&stage->b, id, RD, name, DNS_A);
	send(stage, false, false);
}

static void answer(struct stage *stage, unsigned id, unsigned flags, const char *name)
{
	dns_builder_begin(&stage->b, id, ANSWER | flags, name, DNS_A);
	send(stage, true, false);
}

static const struct obs_traffic *resolver(const struct stage *stage)
{
	return windows_traffic(stage->windows, 0);
}

/* As ICMP quotes it: the question that was built last, as far as `len`. */
static void refuse(struct stage *stage, size_t len)
{
	struct dns_traffic_message message = {.from = &stage->client,
		.to = &stage->server,
		.from_port = 40000,
		.to_port = 53,
		.bytes = cursor_over(stage->b.bytes, len),
		.len = (uint32_t)stage->b.len};

	dns_traffic_refuse(stage->dns, &message);
}

static void a_question_that_icmp_says_no_to_is_refused_once(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen = resolver(stage);

	ask(stage, 1, "one.example");
	for (size_t len = 0; len < stage->b.len; len++)
		refuse(stage, len); /* does not say of which question it speaks */
	assert_int_equal(seen->refused, 0);
	refuse(stage, stage->b.len);
	refuse(stage, stage->b.len);
	wait_us(stage, 2 * DNS_TRAFFIC_ANSWER_US);
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->refused, 1);
	assert_int_equal(seen->timed_out, 0);
}

static void a_forged_quote_of_a_question_does_not_count(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen = resolver(stage);

	ask(stage, 1, "one.example");
	dns_builder_begin(&stage->b, 2, RD, "one.example", DNS_A); /* another number */
	refuse(stage, stage->b.len);
	dns_builder_begin(&stage->b, 1, RD, "two.example", DNS_A); /* another name */
	refuse(stage, stage->b.len);
	dns_builder_begin(&stage->b, 1, ANSWER, "one.example", DNS_A);
	refuse(stage, stage->b.len);
	wait_us(stage, 3000);
	answer(stage, 1, DNS_NOERROR, "one.example");
	assert_int_equal(seen->refused, 0);
	assert_int_equal(seen->responses, 1);
}

static void questions_and_answers_are_counted_and_timed(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen = resolver(stage);

	ask(stage, 1, "one.example");
	ask(stage, 2, "TWO.example");
	wait_us(stage, 3000);
	answer(stage, 2, DNS_NXDOMAIN, "two.EXAMPLE"); /* overtakes */
	wait_us(stage, 4000);
	answer(stage, 1, DNS_NOERROR, "one.example");
	answer(stage, 1, DNS_NOERROR, "one.example"); /* nobody waits for it */
	assert_int_equal(seen->requests, 2);
	assert_int_equal(seen->responses, 2);
	assert_int_equal(seen->errors + seen->timed_out + seen->retransmits, 0);
	assert_true(seen->sketches[OBS_RESPONSE].min == 3000);
	assert_true(seen->sketches[OBS_RESPONSE].max == 7000);
	assert_int_equal(seen->peers[0].requests, 2);
	assert_int_equal(seen->named_by[OBS_BY_ADDRESS], 2);
	assert_int_equal(seen->sent_bytes, 2 * (12 + 13 + 4));
}

static void failures_are_told_apart(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen = resolver(stage);

	ask(stage, 1, "one.example");
	answer(stage, 1, DNS_SERVFAIL, "one.example");
	ask(stage, 2, "two.example");
	wait_us(stage, 2 * MOMENT_SECOND_US);
	ask(stage, 2, "two.example"); /* again */
	wait_us(stage, 200);
	ask(stage, 2, "two.example"); /* the same packet, mirrored twice */
	wait_us(stage, 4 * MOMENT_SECOND_US);
	assert_int_equal(seen->timed_out, 0);
	wait_us(stage, 2 * MOMENT_SECOND_US);
	answer(stage, 2, DNS_NOERROR, "two.example"); /* too late */
	assert_int_equal(seen->requests, 2);
	assert_int_equal(seen->responses, 1);
	assert_int_equal(seen->errors, 1);
	assert_int_equal(seen->timed_out, 1);
	assert_int_equal(seen->retransmits, 1);
}

static void an_answer_must_be_the_question_s_own(void **state)
{
	struct stage *stage = *state;

	ask(stage, 1, "one.example");
	answer(stage, 2, DNS_NOERROR, "one.example");
	answer(stage, 1, DNS_NOERROR, "two.example");
	assert_int_equal(resolver(stage)->responses, 0);
}

static void a_lookup_that_goes_on_over_tcp_is_one(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen = resolver(stage);

	ask(stage, 1, "one.example");
	wait_us(stage, 1000);
	answer(stage, 1, DNS_BUILDER_TC, "one.example");
	wait_us(stage, 1000);
	dns_builder_begin(&stage->b, 9, RD, "one.example", DNS_A);
	send(stage, false, true);
	wait_us(stage, 5000);
	dns_builder_begin(&stage->b, 9, ANSWER, "one.example", DNS_A);
	send(stage, true, true);
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->responses, 1);
	assert_true(seen->sketches[OBS_RESPONSE].max == 7000);
	ask(stage, 2, "two.example"); /* cut off is enough for this one */
	wait_us(stage, 1000);
	answer(stage, 2, DNS_BUILDER_TC, "two.example");
	wait_us(stage, 6 * MOMENT_SECOND_US);
	assert_int_equal(seen->requests, 2);
	assert_int_equal(seen->responses, 2);
	assert_true(seen->sketches[OBS_RESPONSE].min == 1000);
}

static void a_flood_of_questions_costs_no_more_than_the_table(void **state)
{
	struct stage *stage = *state;

	for (unsigned id = 0; id < 1000; id++)
		ask(stage, id, "one.example");
	assert_int_equal(resolver(stage)->requests, 1000);
	assert_int_equal(dns_traffic_evicted(stage->dns), 996);
}

static const char *name_of(const struct stage *stage, const char *text)
{
	struct address address;

	(void)address_parse(&address, text);
	return dns_names_of(stage->names, &stage->client, &address, stage->now);
}

static void answer_with_alias(struct stage *stage, unsigned id, const char *asked)
{
	dns_builder_begin(&stage->b, id, ANSWER, asked, DNS_A);
	dns_builder_host(&stage->b, DNS_ANSWER, asked, DNS_CNAME, "edge.example");
	dns_builder_address(&stage->b, DNS_ANSWER, "edge.example", "203.0.113.10");
	dns_builder_address(&stage->b, DNS_ANSWER, "stray.example", "203.0.113.11");
	dns_builder_address(&stage->b, DNS_ADDITIONAL, "edge.example", "203.0.113.12");
	send(stage, true, false);
}

static void addresses_get_the_name_that_was_asked_for(void **state)
{
	struct stage *stage = *state;

	answer_with_alias(stage, 1, "exchange.example"); /* nobody asked */
	assert_null(name_of(stage, "203.0.113.10"));
	ask(stage, 1, "exchange.example");
	answer_with_alias(stage, 1, "exchange.example");
	assert_string_equal(name_of(stage, "203.0.113.10"), "exchange.example");
	assert_null(name_of(stage, "203.0.113.11")); /* no part of the chain */
	assert_null(name_of(stage, "203.0.113.12"));
	ask(stage, 2, "private.example"); /* not watched: not kept, and now uncertain */
	answer_with_alias(stage, 2, "private.example");
	assert_null(name_of(stage, "203.0.113.10"));
}

static void other_servers_questions_count_for_nothing(void **state)
{
	struct stage *stage = *state;

	(void)address_parse(&stage->server, "198.51.100.99");
	ask(stage, 1, "exchange.example");
	answer_with_alias(stage, 1, "exchange.example");
	assert_int_equal(resolver(stage)->requests, 0);
	assert_string_equal(name_of(stage, "203.0.113.10"), "exchange.example");
}

static void what_is_no_question_is_passed_over(void **state)
{
	struct stage *stage = *state;

	dns_builder_begin(&stage->b, 1, RD, "one.example", DNS_A);
	stage->b.bytes[7] = 1; /* a question that comes with an answer */
	send(stage, false, false);
	dns_builder_begin(&stage->b, 1, 0x2900, "one.example", DNS_A); /* an update */
	send(stage, false, false);
	for (size_t len = 0; len < 29; len++) {
		dns_builder_begin(&stage->b, 1, RD, "one.example", DNS_A);
		stage->b.len = len;
		send(stage, false, false);
	}
	assert_int_equal(resolver(stage)->requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(questions_and_answers_are_counted_and_timed),
		TEST(a_question_that_icmp_says_no_to_is_refused_once),
		TEST(a_forged_quote_of_a_question_does_not_count),
		TEST(failures_are_told_apart),
		TEST(an_answer_must_be_the_question_s_own),
		TEST(a_lookup_that_goes_on_over_tcp_is_one),
		TEST(a_flood_of_questions_costs_no_more_than_the_table),
		TEST(addresses_get_the_name_that_was_asked_for),
		TEST(other_servers_questions_count_for_nothing),
		TEST(what_is_no_question_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
