#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "socket_meter.h"

#define SECOND MOMENT_SECOND_US
#define START INT64_C(1590854700000000)

static struct service list[2] = {
	{.name = "exchange", .port_count = 1, .ports = {443}, .address_count = 1},
	{.name = "wiki",
		.port_count = 1,
		.ports = {80},
		.host_count = 1,
		.hosts = {"wiki.example"}},
};

struct bench {
	struct services services;
	struct address_book *book;
	struct socket_meter *meter;
	unsigned emitted;
	struct obs_traffic seen; /* of exchange, or of the only service: added up */
};

static void emitted(void *arg, const struct obs *obs)
{
	struct bench *bench = arg;
	const struct obs_traffic *now = &obs->traffic;
	struct obs_traffic *seen = &bench->seen;

	bench->emitted++;
	assert_int_equal(now->method, OBS_KERNEL);
	assert_int_equal(now->requests, OBS_ABSENT);
	assert_int_equal(now->responses, OBS_ABSENT);
	assert_int_equal(now->errors, OBS_ABSENT);
	assert_int_equal(now->reset, OBS_ABSENT);
	if (strcmp(now->service, "wiki") == 0)
		return;
	memcpy(seen->service, now->service, sizeof(seen->service));
	seen->connections += now->connections;
	seen->refused += now->refused;
	seen->timed_out += now->timed_out;
	seen->retransmits += now->retransmits;
	seen->sent_bytes += now->sent_bytes;
	seen->received_bytes += now->received_bytes;
	sketch_merge(&seen->sketches[OBS_RTT], &now->sketches[OBS_RTT]);
}

static void bench_begin(struct bench *bench, size_t services, unsigned sockets)
{
	struct socket_meter_config config = {.window_us = SECOND,
		.pause_us = 30 * SECOND,
		.sockets = sockets,
		.service_limit = 4,
		.emit = emitted,
		.emit_arg = bench};

	*bench = (struct bench){.services = {services, list}};
	sketch_init(&bench->seen.sketches[OBS_RTT]);
	(void)address_parse(&list[0].addresses[0], "203.0.113.1");
	assert_int_equal(address_book_new(&bench->book, &bench->services), 0);
	assert_int_equal(
		socket_meter_new(&bench->meter, &config, &bench->services, bench->book),
		0);
	socket_meter_advance(bench->meter, (struct moment){START});
}

static void bench_end(struct bench *bench)
{
	socket_meter_free(bench->meter);
	address_book_free(bench->book);
}

static struct diag_message socket_of(uint64_t cookie, enum diag_message_state state)
{
	struct diag_message socket = {.cookie = cookie,
		.state = state,
		.local_port = 40000,
		.remote_port = 443,
		.counted = true};

	(void)address_parse(&socket.remote, "203.0.113.1");
	(void)address_parse(&socket.local, "192.0.2.1");
	return socket;
}

static void hear(struct bench *bench, struct diag_message socket)
{
	socket_meter_hear(bench->meter, &socket);
}

static void end_list(struct bench *bench)
{
	socket_meter_list_ended(bench->meter);
}

static void finish(struct bench *bench)
{
	socket_meter_advance(bench->meter, (struct moment){START + SECOND / 2});
	socket_meter_finish(bench->meter);
}

static void of_what_cannot_be_found_nothing_is_told(void **state)
{
	struct bench bench;

	(void)state;
	list[1].host_count = 1;
	strcpy(list[1].hosts[0], "*.wiki.example");
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	finish(&bench);
	assert_int_equal(bench.emitted, 1); /* exchange, in which nothing happened */
	bench_end(&bench);

	list[1].host_count = 2;
	strcpy(list[1].hosts[1], "wiki.example");
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	finish(&bench);
	assert_int_equal(bench.emitted, 2);
	bench_end(&bench);
}

static void a_connection_is_counted_once_with_its_growth(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	for (unsigned i = 1; i <= 3; i++) {
		socket.rtt_us = 10000 * i;
		socket.segments_in = i;
		socket.sent_bytes = 100 * i;
		socket.received_bytes = 1000 * i;
		socket.retransmits = i;
		hear(&bench, socket);
		end_list(&bench);
	}
	hear(&bench, socket); /* nothing came meanwhile: the round trip is the old one */
	end_list(&bench);
	socket.state = DIAG_MESSAGE_DESTROYED;
	socket.was_connected = true;
	hear(&bench, socket);
	finish(&bench);
	assert_string_equal(bench.seen.service, "exchange");
	assert_int_equal(bench.seen.connections, 1);
	assert_int_equal(bench.seen.sent_bytes, 300);
	assert_int_equal(bench.seen.received_bytes, 3000);
	assert_int_equal(bench.seen.retransmits, 3);
	assert_true(bench.seen.sketches[OBS_RTT].total == 3);
	assert_int_equal(bench.seen.refused + bench.seen.timed_out, 0);
	bench_end(&bench);
}

static void one_between_two_lists_counts_by_its_end(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_DESTROYED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	socket.was_connected = true;
	socket.rtt_us = 7000;
	socket.segments_in = 5;
	socket.sent_bytes = 80;
	hear(&bench, socket);
	end_list(&bench);
	finish(&bench);
	assert_int_equal(bench.seen.connections, 1);
	assert_int_equal(bench.seen.sent_bytes, 80);
	assert_true(bench.seen.sketches[OBS_RTT].max == 7000);
	bench_end(&bench);
}

static void what_was_there_before_is_not_new(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct diag_message gone = socket_of(2, DIAG_MESSAGE_DESTROYED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	socket.sent_bytes = 5000;
	gone.was_connected = true;
	hear(&bench, socket);
	hear(&bench, gone);
	end_list(&bench);
	socket.sent_bytes = 5100;
	hear(&bench, socket);
	end_list(&bench);
	finish(&bench);
	assert_int_equal(bench.seen.connections, 0);
	assert_int_equal(bench.seen.sent_bytes, 100);
	bench_end(&bench);
}

static void a_name_learned_later_brings_nothing_old(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct diag_message other;
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	(void)address_parse(&socket.remote, "203.0.113.9");
	socket.sent_bytes = 5000;
	hear(&bench, socket);
	end_list(&bench);
	(void)address_book_learn(bench.book, 0, &socket.remote, (struct moment){START});
	socket.sent_bytes = 5001;
	hear(&bench, socket);
	other = socket;
	other.cookie = 2;
	other.sent_bytes = 10;
	hear(&bench, other);
	end_list(&bench);
	socket.sent_bytes = 5003;
	hear(&bench, socket);
	finish(&bench);
	assert_int_equal(bench.seen.connections, 1);
	assert_int_equal(bench.seen.sent_bytes, 2 + 10);
	bench_end(&bench);
}

static void senseless_counters_stay_within_the_wires_bounds(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	socket.sent_bytes = UINT64_MAX;
	hear(&bench, socket);
	socket.cookie = 2;
	hear(&bench, socket);
	finish(&bench);
	assert_true(bench.seen.sent_bytes == (INT64_C(1) << 53) - 1);
	bench_end(&bench);
}

static void one_that_a_list_passed_over_is_not_new_again(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	socket.sent_bytes = 5;
	hear(&bench, socket);
	end_list(&bench);
	end_list(&bench);
	hear(&bench, socket);
	end_list(&bench);
	finish(&bench);
	assert_int_equal(bench.seen.connections, 1);
	assert_int_equal(bench.seen.sent_bytes, 5);
	bench_end(&bench);
}

static void our_own_do_not_count(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	socket.is_own = true;
	hear(&bench, socket);
	socket.cookie = 2;
	socket.state = DIAG_MESSAGE_DESTROYED;
	socket.segments_in = 1;
	hear(&bench, socket);
	finish(&bench);
	assert_int_equal(bench.seen.connections + bench.seen.refused, 0);
	bench_end(&bench);
}

static void a_refused_connection_is_told(void **state)
{
	struct diag_message answered = socket_of(1, DIAG_MESSAGE_DESTROYED);
	struct diag_message cleared = socket_of(2, DIAG_MESSAGE_DESTROYED);
	struct diag_message given_up = socket_of(3, DIAG_MESSAGE_DESTROYED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	answered.segments_in = 1;
	hear(&bench, answered);
	cleared.remote_port = 0;
	hear(&bench, cleared);
	hear(&bench, given_up); /* by whoever asked for it */
	finish(&bench);
	assert_int_equal(bench.seen.refused, 2);
	assert_int_equal(bench.seen.connections + bench.seen.timed_out, 0);
	bench_end(&bench);
}

static void tries_in_vain_are_a_timeout_once(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTS);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 2, 16);
	end_list(&bench);
	for (unsigned i = 0; i < 4; i++) {
		socket.tries = socket.retransmits = i;
		hear(&bench, socket);
		end_list(&bench);
	}
	socket.state = DIAG_MESSAGE_DESTROYED;
	socket.remote_port = 0;
	socket.tries = socket.retransmits = 0;
	hear(&bench, socket);
	finish(&bench);
	assert_int_equal(bench.seen.timed_out, 1);
	assert_int_equal(bench.seen.refused + bench.seen.connections, 0);
	assert_int_equal(bench.seen.retransmits, 3);
	bench_end(&bench);
}

static void without_services_only_clients_here_count(void **state)
{
	struct diag_message socket = socket_of(1, DIAG_MESSAGE_CONNECTED);
	struct diag_message listener = socket_of(2, DIAG_MESSAGE_LISTENS);
	struct diag_message served = socket_of(3, DIAG_MESSAGE_CONNECTED);
	struct bench bench;

	(void)state;
	bench_begin(&bench, 0, 16);
	listener.local_port = served.local_port = 8080;
	listener.remote = (struct address){0};
	hear(&bench, listener);
	end_list(&bench);
	hear(&bench, listener);
	hear(&bench, served);
	hear(&bench, socket);
	end_list(&bench);
	finish(&bench);
	assert_int_equal(bench.emitted, 1);
	assert_string_equal(bench.seen.service, "203.0.113.1:443");
	assert_int_equal(bench.seen.connections, 1);
	bench_end(&bench);
}

static void many_sockets_come_and_go_within_bounds(void **state)
{
	struct socket_meter_counts counts;
	struct bench bench;
	uint64_t refused;

	(void)state;
	bench_begin(&bench, 2, 100);
	end_list(&bench);
	for (uint64_t round = 0; round < 50; round++) {
		for (uint64_t i = 1; i <= 110; i++)
			hear(&bench, socket_of(round * 60 + i, DIAG_MESSAGE_CONNECTED));
		end_list(&bench);
	}
	socket_meter_count(bench.meter, &counts);
	assert_int_equal(counts.sockets, 50 * 110);
	assert_true(counts.refused_sockets >= 50 * 10);
	end_list(&bench);
	end_list(&bench); /* all are gone, and there is room again */
	refused = counts.refused_sockets;
	for (uint64_t i = 1; i <= 100; i++)
		hear(&bench, socket_of(100000 + i, DIAG_MESSAGE_CONNECTED));
	socket_meter_count(bench.meter, &counts);
	assert_int_equal(counts.refused_sockets, refused);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_counted_once_with_its_growth),
		cmocka_unit_test(one_between_two_lists_counts_by_its_end),
		cmocka_unit_test(what_was_there_before_is_not_new),
		cmocka_unit_test(a_name_learned_later_brings_nothing_old),
		cmocka_unit_test(senseless_counters_stay_within_the_wires_bounds),
		cmocka_unit_test(one_that_a_list_passed_over_is_not_new_again),
		cmocka_unit_test(our_own_do_not_count),
		cmocka_unit_test(a_refused_connection_is_told),
		cmocka_unit_test(tries_in_vain_are_a_timeout_once),
		cmocka_unit_test(without_services_only_clients_here_count),
		cmocka_unit_test(of_what_cannot_be_found_nothing_is_told),
		cmocka_unit_test(many_sockets_come_and_go_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
