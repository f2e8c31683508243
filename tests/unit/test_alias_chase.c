#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "alias_chase.h"
#include "name_server.h"

#define NAME "www.exchange.example"

/* 127.x.y.1 is the root; cdn.example lies at 127.x.y.2, edge.example at 127.x.y.3. */
struct stage {
	uv_loop_t loop;
	struct name_servers servers;
	struct dns_client *client;
	struct finder *finder;
	struct alias_chase_order order;
	unsigned heard, done;
	bool cancelled;
	bool circle; /* edge.example leads back to cdn.example */
	char address[OBS_NAME];
};

static bool is_under(const char *name, const char *zone)
{
	size_t len = strlen(name), tail = strlen(zone);

	return len >= tail && strcasecmp(name + len - tail, zone) == 0;
}

static void refer(struct dns_builder *b, const char *zone, unsigned number)
{
	char host[64], text[ADDRESS_TEXT];

	(void)snprintf(host, sizeof(host), "ns.%s", zone);
	dns_builder_host(b, DNS_AUTHORITY, zone, DNS_NS, host);
	dns_builder_address(b, DNS_ADDITIONAL, host, name_server_text(number, text));
}

static bool answer(void *arg, const struct name_server *server, const char *name,
	unsigned type, bool tcp, struct dns_builder *b)
{
	const struct stage *stage = arg;

	(void)tcp;
	if (server->number == 1) {
		refer(b, is_under(name, "cdn.example") ? "cdn.example" : "edge.example",
			is_under(name, "cdn.example") ? 2 : 3);
		return true;
	}
	name_server_flags(b, DNS_BUILDER_AA);
	if (server->number == 2)
		dns_builder_host(b, DNS_ANSWER, name, DNS_CNAME, "tokyo.edge.example");
	else if (stage->circle)
		dns_builder_host(b, DNS_ANSWER, name, DNS_CNAME, "www.cdn.example");
	else if (type == DNS_A)
		dns_builder_address(b, DNS_ANSWER, name, "203.0.113.10");
	else
		dns_builder_soa(b, DNS_AUTHORITY, "edge.example");
	return true;
}

static void heard(void *arg, const char *name, const struct dns_reply *reply)
{
	struct stage *stage = arg;

	assert_string_equal(name, NAME);
	assert_int_equal(reply->rc, 0);
	assert_string_equal(reply->question->name, "tokyo.edge.example");
	if (reply->message->records[0].type == DNS_A)
		(void)snprintf(stage->address, sizeof(stage->address), "%s",
			reply->message->records[0].data);
	stage->heard++;
}

static void done(void *arg, bool cancelled)
{
	struct stage *stage = arg;

	stage->cancelled = cancelled;
	stage->done++;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct dns_endpoint root;

	assert_non_null(stage);
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	stage->servers.answer = answer;
	stage->servers.arg = stage;
	name_servers_open(&stage->servers, &stage->loop);
	root = name_servers_endpoint(&stage->servers, 1);
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
	assert_int_equal(finder_open(&stage->finder, stage->client, &root, 1), 0);
	stage->order = (struct alias_chase_order){.finder = stage->finder,
		.name = NAME,
		.target = "www.cdn.example",
		.type = DNS_A,
		.heard = heard,
		.done = done,
		.arg = stage};
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
	finder_close(stage->finder);
	free(stage);
	return 0;
}

static void chase(struct stage *stage)
{
	stage->done = 0;
	assert_int_equal(alias_chase(&stage->order), 0);
	while (!stage->done)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(stage->done, 1);
}

static unsigned asked(const struct stage *stage)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < NAME_SERVERS; i++)
		sum += stage->servers.list[i].udp_asked;
	return sum;
}

static void a_chain_over_two_zones_is_followed_to_its_end(void **state)
{
	struct stage *stage = *state;

	chase(stage);
	assert_int_equal(stage->heard, 1);
	assert_string_equal(stage->address, "203.0.113.10");
}

static void the_way_is_remembered_and_the_answer_is_not(void **state)
{
	struct stage *stage = *state;
	unsigned before;

	chase(stage);
	before = asked(stage);
	chase(stage);
	assert_int_equal(stage->heard, 2);
	assert_int_equal(asked(stage) - before, 2); /* one of each zone on the way */
}

static void that_there_is_nothing_of_that_type_is_heard_too(void **state)
{
	struct stage *stage = *state;

	stage->order.type = DNS_AAAA;
	chase(stage);
	assert_int_equal(stage->heard, 1);
	assert_string_equal(stage->address, "");
}

static void a_circle_is_left_after_a_few_links(void **state)
{
	struct stage *stage = *state;

	stage->circle = true;
	chase(stage);
	assert_int_equal(stage->heard, 0);
	assert_false(stage->cancelled);
	assert_true(asked(stage) <= 2 * 9);
}

static void it_ends_once_when_the_client_is_closed(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(alias_chase(&stage->order), 0);
	dns_client_close(stage->client, NULL, NULL);
	assert_int_equal(stage->done, 1);
	assert_true(stage->cancelled);
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chain_over_two_zones_is_followed_to_its_end),
		TEST(the_way_is_remembered_and_the_answer_is_not),
		TEST(that_there_is_nothing_of_that_type_is_heard_too),
		TEST(a_circle_is_left_after_a_few_links),
		TEST(it_ends_once_when_the_client_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
