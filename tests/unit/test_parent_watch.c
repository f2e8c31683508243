#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "name_server.h"
#include "parent_watch.h"

#define ZONE "exchange.example"
#define GOOD "ns-1515.awsdns-61.org"
#define BAD "ns-1515.awsdns-061.org"
#define ROOT 1 /* the others are the parent's */

static const struct log silent = {0};

/* The root is 127.x.y.1, the servers of "example" are 127.x.y.2 and 127.x.y.3. */
struct stage {
	uv_loop_t loop;
	struct name_servers servers;
	struct dns_client *client;
	struct finder *finder;
	struct parent_watch *watch;
	const char *udp_says[NAME_SERVERS + 1], *tcp_says[NAME_SERVERS + 1];
	unsigned believed, changed, bad_words, tcp_words;
	char last[OBS_NAME];
	bool done; /* what the test waits for */
	bool (*is_done)(const struct stage *stage);
};

static bool answer(void *arg, const struct name_server *server, const char *name,
	unsigned type, bool tcp, struct dns_builder *b)
{
	char text[ADDRESS_TEXT];
	const struct stage *stage = arg;

	(void)name, (void)type;
	if (server->number == ROOT) {
		dns_builder_host(b, DNS_AUTHORITY, "example", DNS_NS, "a.nic.example");
		dns_builder_host(b, DNS_AUTHORITY, "example", DNS_NS, "b.nic.example");
		dns_builder_address(
			b, DNS_ADDITIONAL, "a.nic.example", name_server_text(2, text));
		dns_builder_address(
			b, DNS_ADDITIONAL, "b.nic.example", name_server_text(3, text));
		return true;
	}
	dns_builder_host(b, DNS_AUTHORITY, ZONE, DNS_NS,
		(tcp ? stage->tcp_says : stage->udp_says)[server->number]);
	dns_builder_end(
		b, dns_builder_record(b, DNS_AUTHORITY, "x.example", DNS_NSEC3, 60));
	return true;
}

static void heard(void *arg, const struct delegation_word *word)
{
	struct stage *stage = arg;

	stage->tcp_words += word->tcp;
	stage->bad_words +=
		word->rc == 0 && delegation_has_server(&word->delegation, BAD);
	stage->done = stage->is_done(stage);
}

static void believed(void *arg, const struct delegation *delegation, bool changed)
{
	struct stage *stage = arg;

	stage->believed++;
	stage->changed += changed;
	memcpy(stage->last, delegation->servers[0], sizeof(stage->last));
	stage->done = stage->is_done(stage);
}

static void all_say(struct stage *stage, const char *server)
{
	for (unsigned i = 0; i <= NAME_SERVERS; i++)
		stage->udp_says[i] = stage->tcp_says[i] = server;
}

static void until(struct stage *stage, bool (*is_done)(const struct stage *stage))
{
	stage->is_done = is_done;
	stage->done = false;
	while (!stage->done)
		(void)uv_run(&stage->loop, UV_RUN_ONCE);
}

static bool is_believed(const struct stage *stage)
{
	return stage->believed == 1;
}

static bool has_changed(const struct stage *stage)
{
	return stage->changed == 1;
}

static bool ten_were_asked(const struct stage *stage)
{
	return stage->servers.list[1].udp_asked + stage->servers.list[2].udp_asked > 10;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct dns_endpoint root;
	struct parent_watch_order order;

	assert_non_null(stage);
	assert_int_equal(uv_loop_init(&stage->loop), 0);
	stage->servers.answer = answer;
	stage->servers.arg = stage;
	name_servers_open(&stage->servers, &stage->loop);
	all_say(stage, GOOD);
	root = name_servers_endpoint(&stage->servers, ROOT);
	assert_int_equal(dns_client_open(&stage->client, &stage->loop), 0);
	assert_int_equal(finder_open(&stage->finder, stage->client, &root, 1), 0);
	order = (struct parent_watch_order){.loop = &stage->loop,
		.log = &silent,
		.client = stage->client,
		.finder = stage->finder,
		.zone = ZONE,
		.interval_us = 20000,
		.heard = heard,
		.believed = believed,
		.arg = stage};
	assert_int_equal(parent_watch_open(&stage->watch, &order), 0);
	until(stage, is_believed);
	assert_string_equal(stage->last, GOOD);
	*state = stage;
	return 0;
}

static void closed(void *arg)
{
	(void)arg;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	dns_client_close(stage->client, closed, stage);
	parent_watch_close(stage->watch, closed, stage);
	name_servers_close(&stage->servers);
	assert_int_equal(uv_run(&stage->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&stage->loop), 0);
	finder_close(stage->finder);
	free(stage);
	return 0;
}

static void a_change_is_believed_when_both_servers_say_it_over_tcp(void **state)
{
	struct stage *stage = *state;

	stage->tcp_words = 0;
	all_say(stage, BAD);
	until(stage, has_changed);
	assert_string_equal(stage->last, BAD);
	assert_true(stage->servers.list[1].tcp_asked && stage->servers.list[2].tcp_asked);
	assert_true(stage->tcp_words >= 1);
}

static void what_one_server_says_alone_is_told_and_not_believed(void **state)
{
	struct stage *stage = *state;

	stage->udp_says[2] = stage->tcp_says[2] = BAD;
	until(stage, ten_were_asked);
	assert_true(stage->bad_words > 0);
	assert_int_equal(stage->changed, 0);
	assert_string_equal(stage->last, GOOD);
}

static void what_is_said_only_over_udp_is_not_even_told(void **state)
{
	struct stage *stage = *state;

	stage->udp_says[2] = stage->udp_says[3] = BAD;
	until(stage, ten_were_asked);
	assert_true(
		stage->servers.list[1].tcp_asked + stage->servers.list[2].tcp_asked > 0);
	assert_int_equal(stage->bad_words, 0);
	assert_int_equal(stage->changed, 0);
}

static void the_servers_take_turns(void **state)
{
	struct stage *stage = *state;

	until(stage, ten_were_asked);
	assert_true(stage->servers.list[1].udp_asked >= 4);
	assert_true(stage->servers.list[2].udp_asked >= 4);
	assert_true(stage->servers.list[0].udp_asked <= 2); /* the root, once */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_believed_when_both_servers_say_it_over_tcp),
		TEST(what_one_server_says_alone_is_told_and_not_believed),
		TEST(what_is_said_only_over_udp_is_not_even_told),
		TEST(the_servers_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
