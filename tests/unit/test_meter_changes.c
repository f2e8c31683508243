/*
 * Connections that begin as one thing and go on as another, that fail before they have
 * begun, or of which only a part is to be seen: what is counted of them, and for whom.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "exchange_recorder.h"
#include "meter_bench.h"

#define GET "GET / HTTP/1.1\r\nHost: exchange.example\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"

static void say_records(
	struct dialogue *talk, enum exchange_side side, const unsigned *lens)
{
	uint8_t bytes[8192];
	size_t len = 0;

	for (; *lens; lens++)
		len += make_record(bytes + len, 23, *lens);
	dialogue_say(talk, side, bytes, len);
}

static void say_hellos(struct dialogue *talk)
{
	uint8_t bytes[4096];

	dialogue_say(
		talk, CLIENT, bytes, make_client_hello(bytes, "exchange.example", 9));
	dialogue_wait(talk, 10000);
	dialogue_say(talk, SERVER, bytes, make_server_hello(bytes, 1));
}

static void say_request(struct dialogue *talk)
{
	say_records(talk, CLIENT, (const unsigned[]){120, 0});
	dialogue_wait(talk, 30000);
	say_records(talk, SERVER, (const unsigned[]){900, 0});
	dialogue_wait(talk, 1000);
}

static void say_tls(struct dialogue *talk)
{
	say_hellos(talk);
	say_records(talk, SERVER, (const unsigned[]){900, 53, 0});
	say_records(talk, CLIENT, (const unsigned[]){53, 0});
	say_records(talk, SERVER, (const unsigned[]){266, 266, 0});
	say_request(talk);
	say_request(talk);
}

static void mail_over_tls_is_named_by_its_hello(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 25);
	dialogue_open(&talk, 1000);
	dialogue_text(&talk, SERVER, "220 mx.example ESMTP\r\n");
	dialogue_text(&talk, CLIENT, "EHLO a\r\n");
	dialogue_wait(&talk, 7000);
	dialogue_text(&talk, SERVER, "250-mx\r\n250 STARTTLS\r\n");
	dialogue_text(&talk, CLIENT, "STARTTLS\r\n");
	dialogue_wait(&talk, 8000);
	dialogue_text(&talk, SERVER, "220 go\r\n");
	say_tls(&talk);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(traffic_sum_count(bench.sum), 1);
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->named_by[OBS_BY_SERVER_NAME], 1);
	assert_int_equal(seen->requests, 4);
	assert_int_equal(seen->responses, 4);
	assert_int_equal(seen->peers[0].requests, 4);
	assert_true(seen->sketches[OBS_RESPONSE].min == 7000);
	assert_true(seen->sketches[OBS_RESPONSE].max == 30000);
	assert_int_equal(seen->sketches[OBS_RESPONSE].total, 4);
	assert_true(seen->sketches[OBS_TLS].max == 10000);
	assert_true(seen->sketches[OBS_CONNECT].max == 1000);
	bench_end(&bench);
}

static void what_is_said_in_a_tunnel_is_its_targets(void **state)
{
	struct bench bench = {0};
	struct service exchange = {.name = "exchange",
		.hosts = {"exchange.example"},
		.host_count = 1,
		.ports = {443},
		.port_count = 1};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench.services = (struct services){1, &exchange};
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 3128);
	dialogue_open(&talk, 1000);
	dialogue_text(&talk, CLIENT, "CONNECT exchange.example:443 HTTP/1.1\r\n\r\n");
	dialogue_text(&talk, SERVER, "HTTP/1.1 200 OK\r\n\r\n");
	say_tls(&talk);
	talk = talk_to(&bench, 40001, 3128);
	dialogue_open(&talk, 1000);
	dialogue_text(&talk, CLIENT, "GET http://exchange.example:443/ HTTP/1.1\r\n\r\n");
	dialogue_text(&talk, SERVER, "HTTP/1.1 204 No\r\n\r\n");
	meter_finish(bench.meter);
	seen = find(&bench, "exchange");
	assert_int_equal(seen->connections, 2);
	assert_int_equal(seen->requests, 4);
	assert_int_equal(seen->responses, 4);
	assert_true(seen->sketches[OBS_TLS].max == 10000);
	bench_end(&bench);
}

static void handshakes_that_fail_are_counted(void **state)
{
	static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 443); /* the server says no */
	dialogue_open(&talk, 10);
	say_hellos(&talk);
	dialogue_say(&talk, SERVER, alert, sizeof(alert));
	dialogue_close(&talk);
	talk = talk_to(&bench, 2, 443); /* somebody on the way does not like the name */
	dialogue_open(&talk, 10);
	say_hellos(&talk);
	dialogue_segment(&talk, SERVER, TCP_SEGMENT_RST | TCP_SEGMENT_ACK, NULL, 0);
	talk = talk_to(&bench, 3, 443); /* the client gives up */
	dialogue_open(&talk, 10);
	say_hellos(&talk);
	dialogue_close(&talk);
	talk = talk_to(&bench, 4, 443); /* nobody has failed yet */
	dialogue_open(&talk, 10);
	say_hellos(&talk);
	talk = talk_to(&bench, 5, 443);
	dialogue_open(&talk, 10);
	say_tls(&talk);
	dialogue_close(&talk);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->connections, 5);
	assert_int_equal(seen->tls_failed, 3);
	assert_int_equal(seen->reset, 0);
	assert_int_equal(seen->requests, 2);
	assert_int_equal(seen->sketches[OBS_TLS].total, 1);
	bench_end(&bench);
}

/* The capturing machine's clock is set back while answers are awaited. */
static void a_clock_that_is_set_back_leaves_no_times_and_all_counts(void **state)
{
	struct bench bench = {0};
	struct dialogue clear, tls, young;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	clear = talk_to(&bench, 1, 80);
	tls = talk_to(&bench, 2, 443);
	young = talk_to(&bench, 3, 80);
	dialogue_open(&clear, 5000);
	dialogue_text(&clear, CLIENT, GET);
	dialogue_wait(&clear, 30000);
	dialogue_text(&clear, SERVER, ANSWER);
	dialogue_text(&clear, CLIENT, GET);
	dialogue_open(&tls, 5000);
	say_tls(&tls);
	say_records(&tls, CLIENT, (const unsigned[]){120, 0});
	dialogue_segment(&young, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	dialogue_wait(&clear, 30000 - 3 * MOMENT_SECOND_US);
	dialogue_wait(&tls, 30000 - 3 * MOMENT_SECOND_US);
	dialogue_wait(&young, 30000 - 3 * MOMENT_SECOND_US);
	dialogue_text(&clear, SERVER, ANSWER);
	say_records(&tls, SERVER, (const unsigned[]){900, 0});
	dialogue_segment(&young, SERVER, TCP_SEGMENT_SYN | TCP_SEGMENT_ACK, NULL, 0);
	dialogue_segment(&young, CLIENT, TCP_SEGMENT_ACK, NULL, 0);
	say_request(&tls);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->requests, 6);
	assert_int_equal(seen->responses, 6);
	assert_int_equal(seen->untimed, 2);
	assert_int_equal(seen->sketches[OBS_RESPONSE].total, 4);
	assert_true(seen->sketches[OBS_RESPONSE].min == 30000);
	assert_true(seen->sketches[OBS_RESPONSE].max == 30000);
	assert_true(seen->sketches[OBS_CONNECT].min == 5000);
	assert_int_equal(find(&bench, "198.51.100.1:80")->connections, 1);
	assert_int_equal(find(&bench, "198.51.100.1:80")->sketches[OBS_CONNECT].total, 0);
	bench_end(&bench);
}

/* A service on a high port, one of whose connections was open before. */
static void who_has_answered_others_is_the_server(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 900, 50000);
	dialogue_open(&talk, 1000);
	talk = talk_to(&bench, 901, 50000);
	dialogue_text(&talk, SERVER, "the end of an answer");
	dialogue_wait(&talk, 1000);
	for (unsigned i = 0; i < 20; i++) { /* recognition takes some */
		dialogue_text(&talk, CLIENT, "a request");
		dialogue_wait(&talk, 2000);
		dialogue_text(&talk, SERVER, "an answer");
		dialogue_wait(&talk, 30000);
	}
	meter_finish(bench.meter);
	seen = find(&bench, "198.51.100.1:50000");
	assert_int_equal(traffic_sum_count(bench.sum), 1);
	assert_true(seen->requests > 5);
	assert_true(seen->sketches[OBS_RESPONSE].max == 2000);
	bench_end(&bench);
}

static void statuses_are_counted_by_their_class(void **state)
{
	static const char *const answers[] = {"200 OK", "204 No", "302 There",
		"404 Where", "429 Later", "503 Sorry", "999 What", "101 Else"};
	static const int64_t counts[OBS_STATUS_CLASSES] = {1, 2, 1, 2, 1};
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;
	char text[128];

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 80);
	dialogue_open(&talk, 1000);
	for (unsigned i = 0; i < 8; i++) {
		dialogue_text(&talk, CLIENT, GET);
		(void)snprintf(text, sizeof(text),
			"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 %s\r\n"
			"Content-Length: 0\r\n\r\n",
			answers[i]);
		dialogue_text(&talk, SERVER, text);
	}
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->requests, 8);
	assert_int_equal(seen->responses, 8);
	assert_memory_equal(seen->statuses, counts, sizeof(counts));
	assert_int_equal(seen->errors, 1);
	bench_end(&bench);
}

/* With a timestamp, as nearly all have it. */
static void say_stamped_syn(struct dialogue *talk)
{
	static const uint8_t option[12] = {1, 1, 8, 10, 0x12, 0x34, 0x56, 0x78};
	struct packet packet = dialogue_packet(talk, CLIENT, talk->next[CLIENT], 0,
		TCP_SEGMENT_SYN, option, sizeof(option));

	packet.bytes[PACKET_ETHERNET + 20 + 12] = 0x80;
	talk->next[CLIENT]++;
	talk->send(talk->arg, &packet);
}

/* On both sides of a translation, some microseconds apart, as the "any" device shows it.
 */
static void what_is_translated_on_the_way_counts_once(void **state)
{
	static const char *const clients[] = {"172.16.0.2", "192.0.2.7", "192.0.2.7"};
	static const char *const servers[] = {"198.51.100.1", "198.51.100.1", "10.0.0.2"};
	static const uint16_t ports[] = {80, 80, 8080};
	struct bench bench = {0};
	struct dialogue sides[3];
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	for (unsigned i = 0; i < 3; i++) {
		sides[i] = dialogue_between(clients[i], 40000, servers[i], ports[i]);
		sides[i].send = to_meter;
		sides[i].arg = &bench;
		dialogue_wait(&sides[i], i * 30);
		say_stamped_syn(&sides[i]);
	}
	for (unsigned i = 3; i-- > 0;) {
		dialogue_wait(&sides[i], 1000);
		dialogue_segment(
			&sides[i], SERVER, TCP_SEGMENT_SYN | TCP_SEGMENT_ACK, NULL, 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		dialogue_wait(&sides[i], 1000);
		dialogue_segment(&sides[i], CLIENT, TCP_SEGMENT_ACK, NULL, 0);
		dialogue_text(&sides[i], CLIENT, GET);
		dialogue_text(&sides[i], SERVER, ANSWER);
	}
	meter_finish(bench.meter);
	assert_int_equal(traffic_sum_count(bench.sum), 1);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->responses, 1);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_over_tls_is_named_by_its_hello),
		cmocka_unit_test(what_is_said_in_a_tunnel_is_its_targets),
		cmocka_unit_test(handshakes_that_fail_are_counted),
		cmocka_unit_test(what_is_translated_on_the_way_counts_once),
		cmocka_unit_test(statuses_are_counted_by_their_class),
		cmocka_unit_test(who_has_answered_others_is_the_server),
		cmocka_unit_test(a_clock_that_is_set_back_leaves_no_times_and_all_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
