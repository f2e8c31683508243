#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authority_round.h"
#include "name_server.h"

#define ZONE "exchange.example"

/* 127.x.y.1 is the root, and hands the zone to 127.x.y.2, who names 127.x.y.3 beside
 * itself; nobody has an address for ns9. */
struct stage {
	uv_loop_t loop;
	struct name_servers servers;
	struct dns_client *client;
	struct finder *finder;
	struct delegation delegation;
	struct authority_round_order order;
	unsigned heard[NAME_SERVERS + 1], lost, done;
	bool close_at_first;
};

static bool is_asked(const char *name, const char *wanted)
{
	return strcasecmp(name, wanted) == 0;
}

static bool answer(void *arg, const struct name_server *server, const char *name,
	unsigned type, bool tcp, struct dns_builder *b)
{
	char text[ADDRESS_TEXT];
	(void)arg, (void)tcp;
	if (server->number == 1) {
		dns_builder_host(b, DNS_AUTHORITY, ZONE, DNS_NS, "ns1." ZONE);
		dns_builder_address(
			b, DNS_ADDITIONAL, "ns1." ZONE, name_server_text(2, text));
		return true;
	}
	name_server_flags(b, DNS_BUILDER_AA);
	if (type == DNS_NS && is_asked(name, ZONE)) {
		dns_builder_host(b, DNS_ANSWER, ZONE, DNS_NS, "ns1." ZONE);
		dns_builder_host(b, DNS_ANSWER, ZONE, DNS_NS, "ns2." ZONE);
		dns_builder_host(b, DNS_ANSWER, ZONE, DNS_NS, "ns9." ZONE);
	} else if (type == DNS_A && is_asked(name, "ns1." ZONE)) {
		dns_builder_address(
			b, DNS_ANSWER, "ns1." ZONE, name_server_text(2, text));
	} else if (type == DNS_A && is_asked(name, "ns2." ZONE)) {
		dns_builder_address(
			b, DNS_ANSWER, "ns2." ZONE, name_server_text(3, text));
	} else if (type == DNS_A && is_asked(name, ZONE)) {
		dns_builder_address(b, DNS_ANSWER, ZONE, "203.0.113.10");
	} else {
		dns_builder_soa(b, DNS_AUTHORITY, ZONE);
	}
	return true;
}

static void heard(void *arg, const struct dns_reply *reply)
{
	struct stage *stage = arg;

	assert_int_equal(reply->rc, 0);
	assert_true(reply->message->authoritative);
	stage->heard[reply->question->server.address.bytes[3]]++;
}

static void lost(void *arg, const char *host)
{
	struct stage *stage = arg;

	assert_string_equal(host, "ns9." ZONE);
	stage->lost++;
}

static void done(void *arg)
{
	struct stage *stage = arg;

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
	stage->delegation.exists = true;
	stage->delegation.server_count = stage->delegation.glue_count = 1;
	(void)snprintf(stage->delegation.servers[0], OBS_NAME, "ns1." ZONE);
	(void)snprintf(stage->delegation.glue[0].host, OBS_NAME, "ns1." ZONE);
	stage->delegation.glue[0].address =
		name_servers_endpoint(&stage->servers, 2).address;
	stage->order = (struct authority_round_order){.client = stage->client,
		.finder = stage->finder,
		.zone = ZONE,
		.delegation = &stage->delegation,
		.heard = heard,
		.lost = lost,
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

static void servers_of_parent_and_child_are_asked_everything_once(void **state)
{
	struct stage *stage = *state;

	authority_round_ask(&stage->order, ZONE, DNS_NS);
	authority_round_ask(&stage->order, ZONE, DNS_A);
	authority_round_ask(&stage->order, ZONE, DNS_A); /* that one is asked already */
	assert_int_equal(stage->order.question_count, 2);
	assert_int_equal(authority_round_start(&stage->order), 0);
	while (!stage->done)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(stage->heard[2], 2);
	assert_int_equal(stage->heard[3], 2);
	assert_int_equal(stage->lost, 1);
	assert_int_equal(stage->done, 1);
}

static void without_ns_among_the_questions_only_the_parents_servers_are_asked(
	void **state)
{
	struct stage *stage = *state;

	authority_round_ask(&stage->order, ZONE, DNS_A);
	assert_int_equal(authority_round_start(&stage->order), 0);
	while (!stage->done)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
	assert_int_equal(stage->heard[2], 1);
	assert_int_equal(stage->heard[3], 0);
}

static void it_is_done_once_when_the_client_is_closed(void **state)
{
	struct stage *stage = *state;

	authority_round_ask(&stage->order, ZONE, DNS_NS);
	assert_int_equal(authority_round_start(&stage->order), 0);
	dns_client_close(stage->client, NULL, NULL);
	assert_int_equal(stage->done, 1);
	assert_int_equal(stage->lost, 0);
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(servers_of_parent_and_child_are_asked_everything_once),
		TEST(without_ns_among_the_questions_only_the_parents_servers_are_asked),
		TEST(it_is_done_once_when_the_client_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
