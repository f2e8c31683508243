#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "link_layer.h"
#include "meter.h"
#include "packet_builder.h"
#include "quic_builder.h"
#include "traffic_sum.h"

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER

/* A client and a server, through the whole meter. */
struct stage {
	struct meter *meter;
	struct traffic_sum *sum;
	struct services services;
	struct dialogue talk;
	uint32_t version;
	struct quic_packet_id key_id, client_id, server_id;
	uint8_t hello[4096];
	size_t hello_len;
};

static void emitted(void *arg, const struct obs *obs)
{
	assert_true(traffic_sum_add(arg, &obs->traffic));
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct meter_config config = {.window_us = 10 * MOMENT_SECOND_US,
		.pause_us = MOMENT_HOUR_US,
		.flows = 64,
		.service_limit = 16,
		.emit = emitted};

	*state = stage;
	assert_int_equal(traffic_sum_new(&stage->sum, 64), 0);
	config.emit_arg = stage->sum;
	assert_int_equal(meter_new(&stage->meter, &config, &stage->services), 0);
	stage->talk = dialogue_between("192.0.2.7", 40000, "198.51.100.1", 443);
	stage->version = QUIC_PACKET_VERSION_1;
	stage->key_id = quic_builder_id("0102030405060708");
	stage->client_id = quic_builder_id("c1c2c3c4");
	stage->server_id = quic_builder_id("a1a2a3a4a5");
	stage->hello_len = quic_builder_hello(stage->hello, "exchange.example", 400);
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	meter_free(stage->meter);
	traffic_sum_free(stage->sum);
	free(stage);
	return 0;
}

static void send(
	struct stage *stage, enum exchange_side from, const struct quic_builder *datagram)
{
	const struct dialogue *talk = &stage->talk;
	enum exchange_side to = from == CLIENT ? SERVER : CLIENT;
	size_t len = PACKET_ETHERNET + 28 + datagram->len;
	uint8_t *frame = calloc(1, len), *udp = frame + PACKET_ETHERNET + 20;

	put_u16(frame + 12, 0x0800);
	(void)put_ip(frame + PACKET_ETHERNET, &talk->address[from], &talk->address[to], 1,
		8 + datagram->len);
	frame[PACKET_ETHERNET + 9] = 17;
	put_u16(udp, talk->port[from]);
	put_u16(udp + 2, talk->port[to]);
	put_u16(udp + 4, (unsigned)(8 + datagram->len));
	memcpy(udp + 8, datagram->bytes, datagram->len);
	meter_packet(stage->meter, LINK_LAYER_ETHERNET, talk->now, frame, (uint32_t)len,
		(uint32_t)len);
	free(frame);
}

static void wait_ms(struct stage *stage, int64_t ms)
{
	dialogue_wait(&stage->talk, ms * 1000);
	meter_advance(stage->meter, stage->talk.now);
}

/* A client's Initial with a part of its hello. */
static void say_hello(struct stage *stage, size_t from, size_t len, uint32_t number)
{
	struct quic_builder b = {0}, frames = {0};

	quic_builder_crypto(&frames, stage->hello, from, len);
	quic_builder_padding(&frames, 1162);
	quic_builder_initial(&b,
		&(struct quic_builder_initial){.version = stage->version,
			.id = stage->key_id,
			.destination = stage->key_id,
			.source = stage->client_id,
			.number = number,
			.number_len = 2},
		frames.bytes, frames.len);
	send(stage, CLIENT, &b);
}

static void answer_hello(struct stage *stage, bool close)
{
	struct quic_builder b = {0}, frames = {0};

	quic_builder_put(&frames, "\2\0\0\0\0", 5);
	if (close)
		quic_builder_put(&frames, "\x1c\x02\0\0", 4);
	quic_builder_padding(&frames, 60);
	quic_builder_initial(&b,
		&(struct quic_builder_initial){.version = stage->version,
			.id = stage->key_id,
			.destination = stage->client_id,
			.source = stage->server_id,
			.from_server = true,
			.number_len = 1},
		frames.bytes, frames.len);
	if (!close)
		quic_builder_long(&b, stage->version == 1 ? 2 : 3, stage->version,
			&stage->client_id, &stage->server_id, 900);
	send(stage, SERVER, &b);
}

static void say(struct stage *stage, enum exchange_side from, bool spin, size_t len)
{
	struct quic_builder b = {0};

	quic_builder_short(&b, spin, len);
	send(stage, from, &b);
}

static void shake_hands(struct stage *stage)
{
	say_hello(stage, 0, stage->hello_len, 0);
	say_hello(stage, 0, stage->hello_len, 0); /* as a mirror shows it */
	wait_ms(stage, 20);
	answer_hello(stage, false);
	wait_ms(stage, 3);
	say(stage, CLIENT, false, 36);
}

static const struct obs_traffic *finish(struct stage *stage, const char *service)
{
	meter_finish(stage->meter);
	assert_int_equal(traffic_sum_count(stage->sum), 1);
	assert_string_equal(traffic_sum_at(stage->sum, 0)->service, service);
	return traffic_sum_at(stage->sum, 0);
}

static void a_connection_is_named_and_timed(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen;

	shake_hands(stage);
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->named_by[OBS_BY_SERVER_NAME], 1);
	assert_int_equal(seen->requests, 0);
	assert_true(seen->sketches[OBS_CONNECT].max == 20000);
	assert_true(seen->sketches[OBS_CLIENT_CONNECT].max == 3000);
	assert_true(seen->sketches[OBS_TLS].max == 23000);
	assert_int_equal(seen->sent_bytes, 2 * 1202 + 36);
}

static void version_2_is_read_as_well(void **state)
{
	struct stage *stage = *state;

	stage->version = QUIC_PACKET_VERSION_2;
	shake_hands(stage);
	assert_int_equal(finish(stage, "exchange.example")->connections, 1);
}

static void a_hello_over_two_datagrams_in_the_wrong_order_is_read(void **state)
{
	struct stage *stage = *state;

	say_hello(stage, 200, stage->hello_len - 200, 1);
	say_hello(stage, 0, 200, 0);
	wait_ms(stage, 20);
	answer_hello(stage, false);
	assert_int_equal(
		finish(stage, "exchange.example")->sketches[OBS_CONNECT].total, 1);
}

static void a_hello_said_twice_is_not_timed(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen;

	say_hello(stage, 0, stage->hello_len, 0);
	wait_ms(stage, 300);
	say_hello(stage, 0, stage->hello_len, 1);
	wait_ms(stage, 20);
	answer_hello(stage, false);
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->retransmits, 1);
	assert_true(sketch_is_empty(&seen->sketches[OBS_CONNECT]));
}

static void a_client_told_to_try_again_is_followed(void **state)
{
	struct stage *stage = *state;
	struct quic_builder b = {0};

	say_hello(stage, 0, 100, 0);
	wait_ms(stage, 20);
	quic_builder_long(&b, 3, 1, &stage->client_id, &stage->server_id, 40);
	send(stage, SERVER, &b);
	stage->key_id = stage->server_id;
	wait_ms(stage, 1);
	shake_hands(stage);
	assert_int_equal(finish(stage, "exchange.example")->connections, 1);
}

/* ICMP's word that a datagram with this packet cannot arrive, quoted as far as `len`. */
static void say_unreachable(
	struct stage *stage, const struct quic_packet_id *id, size_t len)
{
	const struct dialogue *talk = &stage->talk;
	struct quic_builder b = {0};
	uint8_t frame[PACKET_ETHERNET + 56 + 64] = {0};
	uint8_t *icmp = frame + PACKET_ETHERNET + 20, *quote = icmp + 8;

	quic_builder_long(&b, 0, stage->version, id, &stage->client_id, 1100);
	assert_true(len <= b.len && len <= 64);
	put_u16(frame + 12, 0x0800);
	(void)put_ip(frame + PACKET_ETHERNET, &talk->address[SERVER],
		&talk->address[CLIENT], 1, 36 + len);
	frame[PACKET_ETHERNET + 9] = 1;
	icmp[0] = icmp[1] = 3;
	(void)put_ip(quote, &talk->address[CLIENT], &talk->address[SERVER], 1, 1208);
	quote[9] = 17;
	put_u16(quote + 20, talk->port[CLIENT]);
	put_u16(quote + 22, talk->port[SERVER]);
	put_u16(quote + 24, 1208);
	memcpy(quote + 28, b.bytes, len);
	meter_packet(stage->meter, LINK_LAYER_ETHERNET, talk->now, frame,
		(uint32_t)(PACKET_ETHERNET + 56 + len),
		(uint32_t)(PACKET_ETHERNET + 56 + len));
}

static void a_hello_that_icmp_says_no_to_is_refused(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen;

	say_hello(stage, 0, stage->hello_len, 0);
	say_unreachable(stage, &stage->key_id, 60);
	say_unreachable(stage, &stage->key_id, 60);
	wait_ms(stage, 6000);
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->refused, 1);
	assert_int_equal(seen->timed_out, 0);
}

/* Who forges does not know the client's id for the server, or comes too late. */
static void a_forged_quote_of_a_hello_does_not_count(void **state)
{
	struct stage *stage = *state;
	struct quic_packet_id other = quic_builder_id("0102030405060709");
	const struct obs_traffic *seen;

	say_hello(stage, 0, stage->hello_len, 0);
	say_unreachable(stage, &other, 60);
	say_unreachable(stage, &stage->key_id, 0);
	wait_ms(stage, 20);
	answer_hello(stage, false);
	say_unreachable(stage, &stage->key_id, 60);
	say(stage, CLIENT, false, 36);
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->refused, 0);
	assert_int_equal(seen->connections, 1);
}

static void silence_and_refusal_are_told_apart(void **state)
{
	struct stage *stage = *state;
	struct quic_builder b = {0};
	const struct obs_traffic *seen;

	say_hello(stage, 0, stage->hello_len, 0); /* nobody */
	stage->talk.port[CLIENT]++;
	say_hello(stage, 0, stage->hello_len, 0); /* no such version */
	quic_builder_long(&b, 0, 0, &stage->client_id, &stage->key_id, 8);
	send(stage, SERVER, &b);
	stage->talk.port[CLIENT]++;
	say_hello(stage, 0, stage->hello_len, 0);
	answer_hello(stage, true);
	wait_ms(stage, 6000);
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->timed_out, 1);
	assert_int_equal(seen->refused, 2);
	assert_int_equal(seen->connections, 0);
}

static void turns_are_requests_by_estimate(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen;

	shake_hands(stage);
	for (unsigned i = 0; i < 3; i++) {
		wait_ms(stage, 100);
		say(stage, CLIENT, false, i == 0 ? 1150 : 50);
		say(stage, CLIENT, false, 1400 + i); /* asks the path for room */
		wait_ms(stage, 2);
		say(stage, SERVER, false, 1300 + i);
		say(stage, SERVER, false, 35); /* only an acknowledgement */
		wait_ms(stage, 28);
		say(stage, SERVER, false, 1200);
		say(stage, CLIENT, false, 35);
		say(stage, SERVER, false, 1200);
	}
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->requests, 3);
	assert_int_equal(seen->responses, 3);
	assert_int_equal(seen->estimated, 3);
	assert_true(seen->sketches[OBS_RESPONSE].min == 30000);
	assert_true(seen->sketches[OBS_RESPONSE].max == 30000);
	assert_true(seen->sketches[OBS_THINK].max == 10000);
}

static void the_spin_bit_gives_round_trips(void **state)
{
	struct stage *stage = *state;
	const struct obs_traffic *seen;
	bool bit = false;

	shake_hands(stage);
	say(stage, SERVER, false, 40);
	for (unsigned i = 0; i < 10; i++) {
		bit = !bit;
		say(stage, CLIENT, bit, 40);
		wait_ms(stage, 25);
		say(stage, SERVER, bit, 40);
	}
	seen = finish(stage, "exchange.example");
	assert_int_equal(seen->sketches[OBS_RTT].total, 11);
	assert_true(seen->sketches[OBS_RTT].max == 25000);
}

static void the_same_ends_may_begin_again(void **state)
{
	struct stage *stage = *state;

	shake_hands(stage);
	stage->key_id = quic_builder_id("1112131415161718");
	shake_hands(stage);
	assert_int_equal(finish(stage, "exchange.example")->connections, 2);
}

static void what_only_looks_like_quic_is_no_connection(void **state)
{
	struct stage *stage = *state;
	struct quic_builder b = {0};

	quic_builder_long(&b, 0, 1, &stage->key_id, &stage->client_id, 1180);
	send(stage, CLIENT, &b); /* does not open */
	say(stage, CLIENT, false, 500);
	meter_finish(stage->meter);
	assert_int_equal(traffic_sum_count(stage->sum), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_named_and_timed),
		TEST(version_2_is_read_as_well),
		TEST(a_hello_over_two_datagrams_in_the_wrong_order_is_read),
		TEST(a_hello_said_twice_is_not_timed),
		TEST(a_client_told_to_try_again_is_followed),
		TEST(silence_and_refusal_are_told_apart),
		TEST(a_hello_that_icmp_says_no_to_is_refused),
		TEST(a_forged_quote_of_a_hello_does_not_count),
		TEST(turns_are_requests_by_estimate),
		TEST(the_spin_bit_gives_round_trips),
		TEST(the_same_ends_may_begin_again),
		TEST(what_only_looks_like_quic_is_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
