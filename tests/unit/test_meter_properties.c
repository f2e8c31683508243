/*
 * What must not matter: how bytes were cut into segments, how connections lie between
 * each other, what is seen twice or out of order. Random conversations of HTTP/1, TLS 1.2
 * and 1.3 and HTTP/2 are played once plainly and once disturbed; the answer must be the
 * same to the microsecond. And what may matter only a little: packets that were lost,
 * beginnings that were not seen. ASTRAY_SEED=n in the environment plays others; a failure
 * prints its seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/services.h"
#include "exchange_recorder.h"
#include "link_layer.h"
#include "meter.h"
#include "packet_builder.h"
#include "traffic_sum.h"

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER
#define ROUNDS 16
#define TALKS 6
#define MESSAGES_MAX 64
#define MESSAGE_LEN_MAX 40000
#define PACKETS_MAX 60000
#define OVERHEAD 17

enum speech { CLEAR, TLS_1_2, TLS_1_3, HTTP_2, SPEECHES };

/* What one side says at one moment. */
struct message {
	uint8_t *bytes;
	size_t len;
	enum exchange_side side;
	int64_t wait_us; /* since the message before */
	bool asks;
	bool late_well; /* the other side says nothing before it could come again */
};

struct talk {
	enum speech speech;
	struct message messages[MESSAGES_MAX];
	unsigned count;
};

struct disturbance {
	unsigned segment_max;                /* bytes */
	unsigned swap_in, again_in, copy_in; /* one packet of so many; 0: none */
	unsigned hide_in;                    /* … is seen by nobody */
	unsigned late_in; /* … comes behind the point of capture, and again */
	unsigned skip;    /* messages at each connection's beginning */
};

struct timed {
	struct packet *packet;
	unsigned order; /* of those at one time */
};

struct stage {
	uint32_t seed, first_seed;
	struct timed packets[PACKETS_MAX];
	unsigned count;
	unsigned hidden, late;
	struct traffic_sum *sum;
};

static uint32_t roll(struct stage *stage, uint32_t below)
{
	stage->seed ^= stage->seed << 13;
	stage->seed ^= stage->seed >> 17;
	stage->seed ^= stage->seed << 5;
	return below ? stage->seed % below : 0;
}

static bool one_in(struct stage *stage, unsigned count)
{
	return count && roll(stage, count) == 0;
}

static struct message *say(struct talk *talk, enum exchange_side side, int64_t wait_us,
	const void *bytes, size_t len)
{
	struct message *message = &talk->messages[talk->count++];

	assert_in_range(talk->count, 1, MESSAGES_MAX);
	if (talk->count > 1)
		message[-1].late_well = wait_us >= 8000;
	*message = (struct message){.side = side, .wait_us = wait_us, .len = len};
	message->bytes = malloc(len);
	memcpy(message->bytes, bytes, len);
	return message;
}

static void say_text(
	struct talk *talk, enum exchange_side side, int64_t wait_us, const char *text)
{
	(void)say(talk, side, wait_us, text, strlen(text));
}

/* A message of TLS records of these contents; 0 ends the list. */
static struct message *say_records(struct talk *talk, enum exchange_side side,
	int64_t wait_us, const unsigned *contents)
{
	static uint8_t bytes[MESSAGE_LEN_MAX];
	size_t len = 0;

	for (; *contents; contents++)
		len += make_record(bytes + len, 23, *contents + OVERHEAD);
	return say(talk, side, wait_us, bytes, len);
}

static int64_t pause_us(struct stage *stage)
{
	return 20000 + roll(stage, 100000);
}

static int64_t think_us(struct stage *stage)
{
	return 8000 + roll(stage, 50000);
}

static void clear_turn(struct stage *stage, struct talk *talk)
{
	static char text[MESSAGE_LEN_MAX];
	unsigned body = roll(stage, 20000), at;
	unsigned kind = roll(stage, 5);

	say_text(talk, CLIENT, pause_us(stage),
		kind == 0   ? "HEAD /a HTTP/1.1\r\nHost: clear.example\r\n\r\n"
		: kind == 1 ? "GET /a HTTP/1.1\r\nHost: clear.example\r\n\r\n"
			      "GET /b HTTP/1.1\r\nHost: clear.example\r\n\r\n"
		: kind == 2
			? "POST /c HTTP/1.1\r\nHost: clear.example\r\nContent-Length: "
			  "25\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n"
			: "GET /d HTTP/1.1\r\nHost: clear.example\r\n\r\n");
	talk->messages[talk->count - 1].asks = true;
	if (kind == 2)
		say_text(talk, SERVER, think_us(stage), "HTTP/1.1 100 Continue\r\n\r\n");
	if (kind == 3) {
		say_text(talk, SERVER, think_us(stage),
			"HTTP/1.1 503 No\r\nTransfer-Encoding: "
			"chunked\r\n\r\n4\r\nHTTP\r\n0\r\n\r\n");
		return;
	}
	at = (unsigned)snprintf(text, sizeof(text),
		"HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", body);
	if (kind != 0) {
		memset(text + at, 'x', body);
		at += body;
	}
	(void)say(talk, SERVER, think_us(stage), text, at);
	if (kind == 1)
		say_text(talk, SERVER, think_us(stage), "HTTP/1.1 204 Nothing\r\n\r\n");
}

static void tls_turn(struct stage *stage, struct talk *talk)
{
	unsigned len = 300 + roll(stage, 30000);
	unsigned request[] = {200 + roll(stage, 400), 0};
	unsigned answer[] = {
		len < 16384 ? len : 16384, len < 16384 ? 0 : len - 16384 + 1, 0};

	say_records(talk, CLIENT, pause_us(stage), request)->asks = true;
	(void)say_records(talk, SERVER, think_us(stage), answer);
}

static void http2_turn(struct stage *stage, struct talk *talk)
{
	unsigned len = 300 + roll(stage, 7000);
	const unsigned request[] = {45, 0}, update[] = {13, 0}, answer[] = {len, 0};
	const unsigned two[] = {45, 45, 0}, both[] = {len, 700, 0};
	bool together = roll(stage, 3) == 0;

	say_records(talk, CLIENT, pause_us(stage), together ? two : request)->asks = true;
	(void)say_records(talk, SERVER, think_us(stage), together ? both : answer);
	if (roll(stage, 3) == 0)
		(void)say_records(talk, CLIENT, 10, update);
}

static size_t make_hello(uint8_t *out, bool http2, unsigned padding)
{
	static const uint8_t zeros[4096];
	static const uint8_t name[] = "\0\x0e\0\0\x0btls.example";
	uint8_t *at = out + 9, *extensions;

	memset(at, 0, 35);
	memcpy(at + 35, "\0\2\x13\1\1\0", 6);
	extensions = at + 41;
	at = add_extension(extensions + 2, 21, zeros, padding);
	at = add_extension(at, 0, name, sizeof(name) - 1);
	if (http2)
		at = add_extension(at, 16, "\0\3\2h2", 5);
	return end_hello(out, 1, extensions, at);
}

static void say_handshake(struct stage *stage, struct talk *talk)
{
	static const unsigned finished[] = {36, 0}, flight[] = {6, 2500, 0};
	static const unsigned flight_2[] = {15, 2500, 0};
	static const unsigned opens[] = {36, 24 + 9 + 12 + 13, 9, 0},
			      settings[] = {27, 9, 0};
	uint8_t bytes[8192];
	size_t len = make_hello(bytes, talk->speech == HTTP_2, roll(stage, 3000));

	(void)say(talk, CLIENT, 100, bytes, len);
	len = make_server_hello(bytes, talk->speech != TLS_1_2);
	if (talk->speech == TLS_1_2) {
		len += make_record(bytes + len, 22, 2000);
		(void)say(talk, SERVER, think_us(stage), bytes, len);
		len = make_record(bytes, 22, 70);
		len += make_record(bytes + len, 20, 1);
		len += make_record(bytes + len, 22, 40);
		(void)say(talk, CLIENT, 500, bytes, len);
		len = make_record(bytes, 20, 1);
		len += make_record(bytes + len, 22, 40);
		(void)say(talk, SERVER, think_us(stage), bytes, len);
		return;
	}
	(void)say(talk, SERVER, think_us(stage), bytes, len);
	(void)say_records(talk, SERVER, 0, talk->speech == HTTP_2 ? flight_2 : flight);
	(void)say_records(talk, CLIENT, 500, talk->speech == HTTP_2 ? opens : finished);
	if (talk->speech == HTTP_2)
		(void)say_records(talk, SERVER, 1000, settings);
}

static void make_talk(
	struct stage *stage, struct talk *talk, enum speech speech, unsigned turns)
{
	static void (*const turn[])(struct stage *, struct talk *) = {
		clear_turn, tls_turn, tls_turn, http2_turn};

	*talk = (struct talk){.speech = speech};
	if (speech != CLEAR)
		say_handshake(stage, talk);
	while (turns-- > 0)
		turn[speech](stage, talk);
}

static void drop_talk(struct talk *talk)
{
	for (unsigned i = 0; i < talk->count; i++)
		free(talk->messages[i].bytes);
}

static void put_on_stage(void *arg, const struct packet *packet)
{
	struct stage *stage = arg;
	struct packet *kept = malloc(offsetof(struct packet, bytes) + packet->len);

	assert_in_range(stage->count, 0, PACKETS_MAX - 1);
	memcpy(kept, packet, offsetof(struct packet, bytes) + packet->len);
	stage->packets[stage->count] = (struct timed){kept, stage->count};
	stage->count++;
}

static void see_again(struct stage *stage, const struct packet *packet, int64_t after_us)
{
	struct packet again;

	memcpy(&again, packet, offsetof(struct packet, bytes) + packet->len);
	again.at = moment_plus_us(packet->at, after_us);
	/* Sent again, and not copied by a mirror: it has an identification of its own. */
	if (after_us > 0 && again.bytes[12] == 0x08)
		put_u16(again.bytes + PACKET_ETHERNET + 4, roll(stage, 65536));
	put_on_stage(stage, &again);
}

/* One message as segments of random length, with what the disturbance does to them. */
static void play_message(struct stage *stage, struct dialogue *dialogue,
	const struct message *message, const struct disturbance *how)
{
	size_t at = 0, len;
	unsigned first = stage->count;

	while (at < message->len) {
		len = 1 + roll(stage, how->segment_max);
		if (len > message->len - at)
			len = message->len - at;
		dialogue_say(dialogue, message->side, message->bytes + at, len);
		at += len;
	}
	for (unsigned i = first, end = stage->count; i < end; i++) {
		const struct packet *packet = stage->packets[i].packet;

		if (i + 1 < end && one_in(stage, how->swap_in)) {
			stage->packets[i].order = i + 1;
			stage->packets[i + 1].order = i;
		}
		if (one_in(stage, how->again_in))
			see_again(stage, packet, 4000);
		if (one_in(stage, how->copy_in))
			see_again(stage, packet, 0);
		if (one_in(stage, how->hide_in)) {
			stage->packets[i].packet->captured = 0;
			stage->hidden++;
		} else if (i > first && message->late_well &&
			   one_in(stage, how->late_in)) {
			see_again(stage, packet, 6000);
			stage->packets[i].packet->captured = 0;
			stage->late++;
		}
	}
}

static void play_talk(struct stage *stage, const struct talk *talk, unsigned number,
	const struct disturbance *how)
{
	struct dialogue dialogue = dialogue_between(
		number % 2 ? "192.0.2.7" : "2001:db8::7", (uint16_t)(20000 + number),
		number % 2 ? "198.51.100.1" : "2001:db8::1",
		talk->speech == CLEAR ? 80 : 443);
	unsigned skip = how->skip;

	dialogue.send = put_on_stage;
	dialogue.arg = stage;
	dialogue_wait(&dialogue, number * 1777);
	if (!skip)
		dialogue_open(&dialogue, 5000);
	for (unsigned i = 0; i < talk->count; i++) {
		const struct message *message = &talk->messages[i];

		dialogue_wait(&dialogue, message->wait_us);
		if (i < skip)
			dialogue.next[message->side] += (uint32_t)message->len;
		else
			play_message(stage, &dialogue, message, how);
	}
	dialogue_wait(&dialogue, 10000);
	dialogue_close(&dialogue);
}

static int in_time(const void *a, const void *b)
{
	const struct timed *left = a, *right = b;

	if (left->packet->at.us != right->packet->at.us)
		return left->packet->at.us < right->packet->at.us ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static void emitted(void *arg, const struct obs *obs)
{
	struct stage *stage = arg;

	if (obs->kind == OBS_TRAFFIC)
		assert_true(traffic_sum_add(stage->sum, &obs->traffic));
}

/* All packets in the order of their times; leaves what was measured in stage->sum. */
static void measure(struct stage *stage)
{
	struct services services = {0};
	struct meter_config config = {.window_us = MOMENT_SECOND_US,
		.pause_us = MOMENT_HOUR_US,
		.flows = 512,
		.service_limit = 16,
		.seed = 42,
		.emit = emitted,
		.emit_arg = stage};
	struct meter *meter;

	traffic_sum_free(stage->sum);
	assert_int_equal(traffic_sum_new(&stage->sum, 16), 0);
	assert_int_equal(meter_new(&meter, &config, &services), 0);
	qsort(stage->packets, stage->count, sizeof(stage->packets[0]), in_time);
	for (unsigned i = 0; i < stage->count; i++) {
		struct packet *packet = stage->packets[i].packet;

		if (packet->captured)
			meter_packet(meter, LINK_LAYER_ETHERNET, packet->at,
				packet->bytes, packet->captured, packet->len);
		free(packet);
	}
	stage->count = 0;
	meter_finish(meter);
	meter_free(meter);
}

static struct obs_traffic take(struct stage *stage, const char *service)
{
	struct obs_traffic none = {0};

	for (size_t i = 0; i < traffic_sum_count(stage->sum); i++)
		if (strcmp(traffic_sum_at(stage->sum, i)->service, service) == 0)
			return *traffic_sum_at(stage->sum, i);
	return none;
}

/* Of all services together: whose name was lost is known by its address. */
static struct obs_traffic take_all(struct stage *stage)
{
	struct obs_traffic all = {0};

	sketch_init(&all.sketches[OBS_RESPONSE]);
	for (size_t i = 0; i < traffic_sum_count(stage->sum); i++) {
		const struct obs_traffic *one = traffic_sum_at(stage->sum, i);

		all.requests += one->requests;
		all.responses += one->responses;
		all.lost_packets += one->lost_packets;
		all.retransmits += one->retransmits;
		sketch_merge(&all.sketches[OBS_RESPONSE], &one->sketches[OBS_RESPONSE]);
	}
	return all;
}

static void measure_talks(struct stage *stage, const struct talk *talks, unsigned count,
	const struct disturbance *how)
{
	stage->hidden = stage->late = 0;
	for (unsigned i = 0; i < count; i++)
		play_talk(stage, &talks[i], i, how);
	measure(stage);
}

#define SAME(field)                                                                      \
	do {                                                                             \
		if (plain->field != other->field)                                        \
			fail_msg("seed %u: %s: " #field " differs: %.0f, %.0f",          \
				stage->first_seed, plain->service, (double)plain->field, \
				(double)other->field);                                   \
	} while (0)

static void assert_same(struct stage *stage, const struct obs_traffic *plain,
	const struct obs_traffic *other)
{
	static const enum obs_sketch sketches[] = {
		OBS_RESPONSE, OBS_TLS, OBS_CONNECT, OBS_CLIENT_CONNECT};

	SAME(connections);
	SAME(requests);
	SAME(responses);
	SAME(errors);
	SAME(untimed);
	SAME(reset);
	SAME(lost_packets);
	SAME(multiplexed);
	SAME(sent_bytes);
	SAME(received_bytes);
	for (unsigned i = 0; i < sizeof(sketches) / sizeof(sketches[0]); i++) {
		SAME(sketches[sketches[i]].min);
		SAME(sketches[sketches[i]].max);
		SAME(sketches[sketches[i]].sum);
	}
}

static struct stage *raise_stage(uint32_t round)
{
	const char *wish = getenv("ASTRAY_SEED");
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->first_seed = (wish ? (uint32_t)strtoul(wish, NULL, 10) : 2020) + round;
	stage->seed = stage->first_seed * 2654435761u + 1;
	for (unsigned i = 0; i < 8; i++)
		(void)roll(stage, 0);
	return stage;
}

static void strike_stage(struct stage *stage, struct talk *talks, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		drop_talk(&talks[i]);
	traffic_sum_free(stage->sum);
	free(stage);
}

static const struct disturbance plainly = {.segment_max = 1400};

static void same_however(const struct disturbance *how)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[TALKS];
		struct obs_traffic clear, tls, other;

		for (unsigned i = 0; i < TALKS; i++)
			make_talk(stage, &talks[i], (enum speech)(i % SPEECHES),
				2 + roll(stage, 8));
		measure_talks(stage, talks, TALKS, &plainly);
		clear = take(stage, "clear.example");
		tls = take(stage, "tls.example");
		assert_true(clear.requests > 0 && tls.requests > 0);
		assert_int_equal(clear.requests, clear.responses);
		assert_int_equal(tls.requests, tls.responses);
		measure_talks(stage, talks, TALKS, how);
		other = take(stage, "clear.example");
		assert_same(stage, &clear, &other);
		other = take(stage, "tls.example");
		assert_same(stage, &tls, &other);
		strike_stage(stage, talks, TALKS);
	}
}

static void segments_of_any_length_give_the_same(void **state)
{
	(void)state;
	same_however(&(struct disturbance){.segment_max = 100});
	same_however(&(struct disturbance){.segment_max = 8000});
}

static void single_bytes_give_the_same(void **state)
{
	struct stage *stage = raise_stage(0);
	struct talk talks[SPEECHES];
	struct obs_traffic tls, other;

	(void)state;
	for (unsigned i = 0; i < SPEECHES; i++)
		make_talk(stage, &talks[i], (enum speech)i, i == CLEAR ? 1 : 0);
	measure_talks(stage, talks, SPEECHES, &plainly);
	tls = take(stage, "tls.example");
	measure_talks(stage, talks, SPEECHES, &(struct disturbance){.segment_max = 1});
	other = take(stage, "tls.example");
	assert_same(stage, &tls, &other);
	strike_stage(stage, talks, SPEECHES);
}

static void what_is_seen_twice_counts_once(void **state)
{
	(void)state;
	same_however(&(struct disturbance){.segment_max = 1400, .again_in = 5});
	same_however(&(struct disturbance){.segment_max = 1400, .copy_in = 2});
}

static void neighbours_may_change_places(void **state)
{
	(void)state;
	same_however(&(struct disturbance){.segment_max = 1400, .swap_in = 4});
	same_however(&(struct disturbance){
		.segment_max = 700, .swap_in = 6, .again_in = 10, .copy_in = 10});
}

static unsigned asked_behind(const struct talk *talk, unsigned skip)
{
	unsigned count = 0;

	for (unsigned i = skip; i < talk->count; i++)
		count += talk->messages[i].asks;
	return count;
}

static void assert_within(
	struct stage *stage, const char *what, double seen, double truth, double part)
{
	if (seen < truth * (1 - part) || seen > truth * (1 + part))
		fail_msg("seed %u: %s: %.1f, in truth %.1f", stage->first_seed, what,
			seen, truth);
}

#define CROWD 150

/* The tap loses one packet of a hundred; the network loses none. */
static void one_packet_of_a_hundred_may_be_missing(void **state)
{
	static const enum speech speeches[] = {CLEAR, TLS_1_2, TLS_1_3};
	static const struct disturbance how = {.segment_max = 2800, .hide_in = 100};

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		struct stage *stage = raise_stage(kind);
		struct talk *talks = calloc(CROWD, sizeof(*talks));
		struct obs_traffic plain, seen;

		for (unsigned i = 0; i < CROWD; i++)
			make_talk(stage, &talks[i], speeches[kind], 12);
		measure_talks(stage, talks, CROWD, &plainly);
		plain = take_all(stage);
		measure_talks(stage, talks, CROWD, &how);
		seen = take_all(stage);
		assert_within(stage, "requests", (double)seen.requests,
			(double)plain.requests, 0.02);
		assert_within(stage, "median",
			sketch_quantile(&seen.sketches[OBS_RESPONSE], 0.5),
			sketch_quantile(&plain.sketches[OBS_RESPONSE], 0.5), 0.02);
		assert_in_range(seen.lost_packets, 1, stage->hidden);
		assert_int_equal(seen.retransmits, 0);
		strike_stage(stage, talks, CROWD);
		free(talks);
	}
}

/* The network loses one packet of fifty before the tap, and sends it again. */
static void what_the_network_lost_is_no_loss_of_the_taps(void **state)
{
	static const struct disturbance how = {.segment_max = 1400, .late_in = 50};

	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[TALKS];
		struct obs_traffic plain, seen;

		for (unsigned i = 0; i < TALKS; i++)
			make_talk(stage, &talks[i], TLS_1_3, 12);
		measure_talks(stage, talks, TALKS, &plainly);
		plain = take(stage, "tls.example");
		measure_talks(stage, talks, TALKS, &how);
		seen = take(stage, "tls.example");
		assert_int_equal(seen.requests, plain.requests);
		assert_int_equal(seen.responses, plain.responses);
		assert_int_equal(seen.lost_packets, 0);
		assert_true(stage->late > 0);
		strike_stage(stage, talks, TALKS);
	}
}

static void a_beginning_that_was_not_seen_costs_no_more_than_a_request(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct stage *stage = raise_stage(round);
		struct talk talks[1];
		struct disturbance how = {.segment_max = 1400};
		enum speech speech = (enum speech)(round % 3);
		unsigned truth;
		int64_t seen = 0;

		make_talk(stage, &talks[0], speech, 10);
		how.skip = 5 + roll(stage, 8);
		truth = asked_behind(&talks[0], how.skip);
		measure_talks(stage, talks, 1, &how);
		for (size_t i = 0; i < traffic_sum_count(stage->sum); i++)
			seen += traffic_sum_at(stage->sum, i)->requests;
		/* A message may ask twice in the clear. */
		if (seen + 1 < (int64_t)truth ||
			(speech != CLEAR && seen > (int64_t)truth + 1))
			fail_msg("seed %u: %d requests, in truth %u", stage->first_seed,
				(int)seen, truth);
		strike_stage(stage, talks, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_any_length_give_the_same),
		cmocka_unit_test(single_bytes_give_the_same),
		cmocka_unit_test(what_is_seen_twice_counts_once),
		cmocka_unit_test(neighbours_may_change_places),
		cmocka_unit_test(one_packet_of_a_hundred_may_be_missing),
		cmocka_unit_test(what_the_network_lost_is_no_loss_of_the_taps),
		cmocka_unit_test(
			a_beginning_that_was_not_seen_costs_no_more_than_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
