#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "astray/status.h"
#include "name_server.h"
#include "resolver_ask.h"
#include "resolver_watch.h"

#define ZONE "exchange.example"

static const struct log silent = {0};

/* 127.x.y.1 and 127.x.y.2 are resolvers, 127.x.y.9 is nobody. */
struct stage {
	uv_loop_t loop;
	struct name_servers servers;
	struct dns_client *client;
	struct service service;
	unsigned heard, silent, done, rounds;
	bool asked_ns, without_recursion;
	unsigned of_type[2];
};

static bool answer(void *arg, const struct name_server *server, const char *name,
	unsigned type, bool tcp, struct dns_builder *b)
{
	struct stage *stage = arg;

	(void)server, (void)tcp, (void)name;
	stage->asked_ns |= type == DNS_NS;
	stage->without_recursion |= !(b->bytes[2] & 1);
	stage->of_type[type == DNS_MX]++;
	if (type == DNS_A)
		dns_builder_address(b, DNS_ANSWER, name, "203.0.113.10");
	if (type == DNS_MX)
		dns_builder_host(b, DNS_ANSWER, name, DNS_MX, "mx." ZONE);
	return true;
}

static void heard(void *arg, const struct dns_reply *reply)
{
	struct stage *stage = arg;

	stage->heard++;
	stage->silent += reply->rc != 0;
}

static void heard_of(
	void *arg, const struct service *service, const struct dns_reply *reply)
{
	struct stage *stage = arg;

	assert_ptr_equal(service, &stage->service);
	heard(arg, reply);
}

static void done(void *arg)
{
	struct stage *stage = arg;

	stage->done++;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	stage->servers.answer = answer;
	stage->servers.arg = stage;
	name_servers_open(&stage->servers, &stage->loop);
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
	stage->service.host_count = 2;
	(void)snprintf(stage->service.hosts[0], sizeof(stage->service.hosts[0]), ZONE);
	(void)snprintf(
		stage->service.hosts[1], sizeof(stage->service.hosts[1]), "*." ZONE);
	(void)snprintf(stage->service.zone, sizeof(stage->service.zone), ZONE);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	dns_client_close(stage->client, NULL, NULL);
	name_servers_close(&stage->servers);
	assert_int_equal(uv_run(&stage->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
	free(stage);
	return 0;
}

static void the_next_resolver_is_asked_when_the_first_does_not_answer(void **state)
{
	struct stage *stage = *state;
	struct resolver_ask_order order = {.client = stage->client,
		.name = ZONE,
		.type = DNS_A,
		.resolver_count = 3,
		.heard = heard,
		.done = done,
		.arg = stage};

	order.resolvers[0] = name_servers_endpoint(&stage->servers, 9);
	order.resolvers[1] = name_servers_endpoint(&stage->servers, 1);
	order.resolvers[2] = name_servers_endpoint(&stage->servers, 2);
	assert_int_equal(resolver_ask(&order), 0);
	while (!stage->done)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(stage->heard, 2); /* the silence is told, too */
	assert_int_equal(stage->silent, 1);
	assert_int_equal(stage->servers.list[1].udp_asked, 0);
}

static void without_resolvers_there_is_nobody_to_ask(void **state)
{
	struct stage *stage = *state;
	const struct resolver_ask_order order = {
		.client = stage->client, .name = ZONE, .heard = heard, .arg = stage};

	assert_int_equal(resolver_ask(&order), STATUS_MISSING);
}

static void closed(void *arg)
{
	done(arg);
}

static void addresses_of_hosts_and_mail_of_the_zone_are_asked_and_never_ns(void **state)
{
	struct stage *stage = *state;
	const struct services services = {.count = 1, .list = &stage->service};
	struct resolver_watch *watch;
	struct resolver_watch_order order = {.loop = &stage->loop,
		.log = &silent,
		.client = stage->client,
		.services = &services,
		.interval_us = 20000,
		.resolver_count = 1,
		.heard = heard_of,
		.arg = stage};

	order.resolvers[0] = name_servers_endpoint(&stage->servers, 1);
	assert_int_equal(resolver_watch_open(&watch, &order), 0);
	while (stage->heard < 9)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	dns_client_close(stage->client, NULL, NULL);
	resolver_watch_close(watch, closed, stage);
	while (!stage->done)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
	assert_false(stage->asked_ns);
	assert_false(stage->without_recursion);
	assert_in_range(stage->of_type[1], 3, 4);
	assert_in_range(stage->of_type[0], 6, 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_next_resolver_is_asked_when_the_first_does_not_answer),
		TEST(without_resolvers_there_is_nobody_to_ask),
		TEST(addresses_of_hosts_and_mail_of_the_zone_are_asked_and_never_ns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
