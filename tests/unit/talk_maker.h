/*
 * Random conversations of many kinds, and the stage that they are played on: their
 * packets, plainly or disturbed, go to a meter, and what it measured is kept. For tests
 * with cmocka. ASTRAY_SEED=n in the environment plays others; a failure prints its seed.
 */
#ifndef TEST_TALK_MAKER_H
#define TEST_TALK_MAKER_H

#include <stdlib.h>
#include <string.h>

#include "astray/services.h"
#include "exchange_recorder.h"
#include "link_layer.h"
#include "meter.h"
#include "packet_builder.h"
#include "traffic_sum.h"

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER
#define MESSAGES_MAX 64
#define MESSAGE_LEN_MAX 40000
#define PACKETS_MAX 60000
#define OVERHEAD 17

enum speech {
	CLEAR,
	TLS_1_2,
	TLS_1_3,
	HTTP_2,
	CLEAR_2,   /* HTTP/2 in the clear */
	TUNNEL,    /* one of the three of TLS, behind CONNECT, */
	MAIL,      /* … STARTTLS, */
	BALANCED,  /* … a balancer's preamble */
	SOCKET,    /* HTTP that becomes a WebSocket */
	QUESTIONS, /* DNS over TCP */
	SPEECHES
};

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
	enum speech speech, inner; /* inner: within what surrounds it */
	uint16_t numbers;          /* of questions, or streams, so far */
	struct message messages[MESSAGES_MAX];
	unsigned count;
};

struct disturbance {
	unsigned segment_max;                /* bytes */
	unsigned swap_in, again_in, copy_in; /* one packet of so many; 0: none */
	unsigned hide_in;                    /* … is seen by nobody */
	unsigned late_in;   /* … comes behind the point of capture, and again */
	unsigned mirror_in; /* … comes once more a little later */
	unsigned only; /* 1 + enum exchange_side: the other is not seen; 0: both are */
	unsigned skip; /* messages at each connection's beginning */
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
	/* Shows a packet in clothes of its own; NULL: as it is, on Ethernet. */
	void (*show)(
		struct stage *stage, struct meter *meter, const struct packet *packet);
	unsigned only;
	bool all_four;           /* nobody speaks IPv6 */
	unsigned dress, tunnels; /* which; and what the meter is to look into */
};

static inline uint32_t roll(struct stage *stage, uint32_t below)
{
	stage->seed ^= stage->seed << 13;
	stage->seed ^= stage->seed >> 17;
	stage->seed ^= stage->seed << 5;
	return below ? stage->seed % below : 0;
}

static inline bool one_in(struct stage *stage, unsigned count)
{
	return count && roll(stage, count) == 0;
}

static inline struct message *say(struct talk *talk, enum exchange_side side,
	int64_t wait_us, const void *bytes, size_t len)
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

static inline void say_text(
	struct talk *talk, enum exchange_side side, int64_t wait_us, const char *text)
{
	(void)say(talk, side, wait_us, text, strlen(text));
}

/* A message of TLS records of these contents; 0 ends the list. */
static inline struct message *say_records(struct talk *talk, enum exchange_side side,
	int64_t wait_us, const unsigned *contents)
{
	static uint8_t bytes[MESSAGE_LEN_MAX];
	size_t len = 0;

	for (; *contents; contents++)
		len += make_record(bytes + len, 23, *contents + OVERHEAD);
	return say(talk, side, wait_us, bytes, len);
}

static inline int64_t pause_us(struct stage *stage)
{
	return 20000 + roll(stage, 100000);
}

static inline int64_t think_us(struct stage *stage)
{
	return 8000 + roll(stage, 50000);
}

static inline void clear_turn(struct stage *stage, struct talk *talk)
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

static inline void tls_turn(struct stage *stage, struct talk *talk)
{
	unsigned len = 300 + roll(stage, 30000);
	unsigned request[] = {200 + roll(stage, 400), 0};
	unsigned answer[] = {
		len < 16384 ? len : 16384, len < 16384 ? 0 : len - 16384 + 1, 0};

	say_records(talk, CLIENT, pause_us(stage), request)->asks = true;
	(void)say_records(talk, SERVER, think_us(stage), answer);
}

static inline void http2_turn(struct stage *stage, struct talk *talk)
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

static inline size_t make_hello(uint8_t *out, bool http2, unsigned padding)
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

static inline void say_handshake(struct stage *stage, struct talk *talk)
{
	static const unsigned finished[] = {36, 0}, flight[] = {6, 2500, 0};
	static const unsigned flight_2[] = {15, 2500, 0};
	static const unsigned opens[] = {36, 24 + 9 + 12 + 13, 9, 0},
			      settings[] = {27, 9, 0};
	uint8_t bytes[8192];
	size_t len = make_hello(bytes, talk->inner == HTTP_2, roll(stage, 3000));

	(void)say(talk, CLIENT, 100, bytes, len);
	len = make_server_hello(bytes, talk->inner != TLS_1_2);
	if (talk->inner == TLS_1_2) {
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
	(void)say_records(talk, SERVER, 0, talk->inner == HTTP_2 ? flight_2 : flight);
	(void)say_records(talk, CLIENT, 500, talk->inner == HTTP_2 ? opens : finished);
	if (talk->inner == HTTP_2)
		(void)say_records(talk, SERVER, 1000, settings);
}

/* One or two requests at once, whose answers may change places and mix. */
static inline void clear_2_turn(struct stage *stage, struct talk *talk)
{
	uint8_t request[] = "\0\0\x0f\1\5\0\0\0\0\x82\x86\x84\x01\x0ah2.example";
	uint8_t head[] = "\0\0\1\1\4\0\0\0\0\x88", body[9 + 3000] = {0};
	unsigned count = 1 + roll(stage, 2), len = 1 + roll(stage, 2000);
	bool turned = roll(stage, 2);
	struct message *asked = NULL;

	for (unsigned i = 0; i < count; i++) {
		put_u32(request + 5, 2u * talk->numbers + 1 + 2 * i);
		asked = say(talk, CLIENT, i ? 700 : pause_us(stage), request,
			sizeof(request) - 1);
		asked->asks = true;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned place = turned ? count - 1 - i : i;

		put_u32(head + 5, 2u * talk->numbers + 1 + 2 * place);
		(void)say(talk, SERVER, think_us(stage), head, sizeof(head) - 1);
	}
	for (unsigned i = 0; i < count; i++) {
		put_u16(body + 1, len);
		body[4] = 1; /* the end of the stream */
		put_u32(body + 5, 2u * talk->numbers + 1 + 2 * i);
		(void)say(talk, SERVER, 900, body, 9 + len);
	}
	talk->numbers = (uint16_t)(talk->numbers + count);
}

static inline void socket_turn(struct stage *stage, struct talk *talk)
{
	if (talk->numbers++ == 0) {
		say_text(talk, CLIENT, pause_us(stage),
			"GET /s HTTP/1.1\r\nHost: clear.example\r\n"
			"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
		talk->messages[talk->count - 1].asks = true;
		say_text(talk, SERVER, think_us(stage),
			"HTTP/1.1 101 Now\r\nUpgrade: websocket\r\n\r\n"
			"\x81\x0aGET / HTTP");
		return;
	}
	say_text(talk, CLIENT, pause_us(stage), "\x81\x85\1\2\3\4GET / HTTP/1.1\r\n\r\n");
	say_text(talk, SERVER, think_us(stage), "\x81\x05HTTP/1.1 500 no\r\n\r\n");
}

static inline size_t make_question(uint8_t *out, uint16_t number, bool answer)
{
	static const uint8_t plain[] = "\0\x1d\0\0\1\0\0\1\0\0\0\0\0\0"
				       "\3www\7example\0\0\1\0\1";
	size_t len = sizeof(plain) - 1;

	memcpy(out, plain, len);
	put_u16(out, (unsigned)len - 2);
	put_u16(out + 2, number);
	if (answer)
		put_u16(out + 4, 0x8180);
	return len;
}

/* Questions may be asked at once, and answered in another order. */
static inline void questions_turn(struct stage *stage, struct talk *talk)
{
	unsigned count = 1 + roll(stage, 3), first = roll(stage, 3);
	uint8_t bytes[256];
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += make_question(bytes + len, (uint16_t)(talk->numbers + i), false);
	say(talk, CLIENT, pause_us(stage), bytes, len)->asks = true;
	for (unsigned i = 0; i < count; i++) {
		uint16_t number = (uint16_t)(talk->numbers + (first + i) % count);

		len = make_question(bytes, number, true);
		(void)say(talk, SERVER, think_us(stage), bytes, len);
	}
	talk->numbers = (uint16_t)(talk->numbers + count);
}

/* What stands before the conversation proper. */
static inline void say_surroundings(struct stage *stage, struct talk *talk)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";

	switch (talk->speech) {
	case TUNNEL:
		say_text(talk, CLIENT, pause_us(stage),
			"CONNECT tls.example:443 HTTP/1.1\r\n"
			"Host: tls.example:443\r\n\r\n");
		talk->messages[talk->count - 1].asks = true;
		say_text(talk, SERVER, think_us(stage), "HTTP/1.1 200 Connected\r\n\r\n");
		break;
	case MAIL:
		say_text(talk, SERVER, think_us(stage), "220 tls.example ESMTP\r\n");
		say_text(talk, CLIENT, 100, "EHLO a\r\n");
		talk->messages[talk->count - 1].asks = true;
		say_text(talk, SERVER, think_us(stage), "250-b\r\n250 STARTTLS\r\n");
		say_text(talk, CLIENT, 100, "STARTTLS\r\n");
		talk->messages[talk->count - 1].asks = true;
		say_text(talk, SERVER, think_us(stage), "220 go\r\n");
		break;
	case BALANCED:
		say_text(talk, CLIENT, 100,
			"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n");
		break;
	case CLEAR_2:
		(void)say(talk, CLIENT, 100, preface, sizeof(preface));
		(void)say(talk, SERVER, 100, "\0\0\0\4\0\0\0\0", 9);
		break;
	case CLEAR:
	case TLS_1_2:
	case TLS_1_3:
	case HTTP_2:
	case SOCKET:
	case QUESTIONS:
	case SPEECHES:
		break;
	}
}

static inline void make_talk(
	struct stage *stage, struct talk *talk, enum speech speech, unsigned turns)
{
	static void (*const turn[SPEECHES])(struct stage *, struct talk *) = {
		[CLEAR] = clear_turn,
		[TLS_1_2] = tls_turn,
		[TLS_1_3] = tls_turn,
		[HTTP_2] = http2_turn,
		[CLEAR_2] = clear_2_turn,
		[SOCKET] = socket_turn,
		[QUESTIONS] = questions_turn};
	bool surrounded = speech == TUNNEL || speech == MAIL || speech == BALANCED;

	*talk = (struct talk){.speech = speech, .inner = speech};
	if (surrounded)
		talk->inner = (enum speech)(TLS_1_2 + (int)roll(stage, 3));
	say_surroundings(stage, talk);
	if (talk->inner >= TLS_1_2 && talk->inner <= HTTP_2)
		say_handshake(stage, talk);
	while (turns-- > 0)
		turn[talk->inner](stage, talk);
}

static inline void drop_talk(struct talk *talk)
{
	for (unsigned i = 0; i < talk->count; i++)
		free(talk->messages[i].bytes);
}

static inline bool is_from_server(const uint8_t *ip)
{
	const uint8_t *tcp = ip + (ip[0] >> 4 == 6 ? 40 : 20);

	return (tcp[0] << 8 | tcp[1]) < 20000;
}

static inline void put_on_stage(void *arg, const struct packet *packet)
{
	struct stage *stage = arg;
	unsigned from = is_from_server(packet->bytes + PACKET_ETHERNET);
	struct packet *kept = malloc(offsetof(struct packet, bytes) + packet->len);

	assert_in_range(stage->count, 0, PACKETS_MAX - 1);
	memcpy(kept, packet, offsetof(struct packet, bytes) + packet->len);
	if (stage->only && stage->only != 1 + from)
		kept->captured = 0;
	stage->packets[stage->count] = (struct timed){kept, stage->count};
	stage->count++;
}

/* Behind others that were sent after it; a hop further, where routers mirror. */
static inline void see_copy(
	struct stage *stage, const struct packet *packet, int64_t after_us)
{
	struct packet copy;
	uint8_t *ip = copy.bytes + PACKET_ETHERNET;

	memcpy(&copy, packet, offsetof(struct packet, bytes) + packet->len);
	copy.at = moment_plus_us(packet->at, after_us);
	ip[ip[0] >> 4 == 6 ? 7 : 8]--;
	put_on_stage(stage, &copy);
}

static inline void see_again(
	struct stage *stage, const struct packet *packet, int64_t after_us)
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
static inline void play_message(struct stage *stage, struct dialogue *dialogue,
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
		if (one_in(stage, how->mirror_in))
			see_copy(stage, packet, 1 + roll(stage, 4000));
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

static inline void play_talk(struct stage *stage, const struct talk *talk,
	unsigned number, const struct disturbance *how)
{
	static const uint16_t ports[SPEECHES] = {
		80, 443, 443, 443, 8080, 3128, 25, 443, 80, 53};
	bool four = stage->all_four || number % 2;
	struct dialogue dialogue = dialogue_between(four ? "192.0.2.7" : "2001:db8::7",
		(uint16_t)(20000 + number), four ? "198.51.100.1" : "2001:db8::1",
		ports[talk->speech]);
	unsigned skip = how->skip;

	dialogue.send = put_on_stage;
	dialogue.arg = stage;
	stage->only = how->only;
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

static inline int in_time(const void *a, const void *b)
{
	const struct timed *left = a, *right = b;

	if (left->packet->at.us != right->packet->at.us)
		return left->packet->at.us < right->packet->at.us ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static inline void emitted(void *arg, const struct obs *obs)
{
	struct stage *stage = arg;

	if (obs->kind == OBS_TRAFFIC)
		assert_true(traffic_sum_add(stage->sum, &obs->traffic));
}

/* All packets in the order of their times; leaves what was measured in stage->sum. */
static inline void measure(struct stage *stage)
{
	struct services services = {0};
	struct meter_config config = {.window_us = MOMENT_SECOND_US,
		.pause_us = MOMENT_HOUR_US,
		.flows = 512,
		.service_limit = 16,
		.tunnels = stage->tunnels,
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

		if (packet->captured && stage->show)
			stage->show(stage, meter, packet);
		else if (packet->captured)
			meter_packet(meter, LINK_LAYER_ETHERNET, packet->at,
				packet->bytes, packet->captured, packet->len);
		free(packet);
	}
	stage->count = 0;
	meter_finish(meter);
	meter_free(meter);
}

static inline struct obs_traffic take(struct stage *stage, const char *service)
{
	struct obs_traffic none = {0};

	for (size_t i = 0; i < traffic_sum_count(stage->sum); i++)
		if (strcmp(traffic_sum_at(stage->sum, i)->service, service) == 0)
			return *traffic_sum_at(stage->sum, i);
	return none;
}

/* Of all services together: whose name was lost is known by its address. */
static inline struct obs_traffic take_all(struct stage *stage)
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

static inline void measure_talks(struct stage *stage, const struct talk *talks,
	unsigned count, const struct disturbance *how)
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

static inline void assert_same(struct stage *stage, const struct obs_traffic *plain,
	const struct obs_traffic *other)
{
	static const enum obs_sketch sketches[] = {
		OBS_RESPONSE, OBS_TLS, OBS_CONNECT, OBS_CLIENT_CONNECT};

	assert_string_equal(plain->service, other->service);
	SAME(connections);
	SAME(requests);
	SAME(responses);
	SAME(errors);
	SAME(tls_failed);
	for (unsigned i = 0; i < OBS_STATUS_CLASSES; i++)
		SAME(statuses[i]);
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

/* Takes what was measured off the stage. */
static inline struct traffic_sum *keep_sum(struct stage *stage)
{
	struct traffic_sum *sum = stage->sum;

	stage->sum = NULL;
	return sum;
}

static inline void assert_same_sums(struct stage *stage, struct traffic_sum *plain)
{
	assert_int_equal(traffic_sum_count(stage->sum), traffic_sum_count(plain));
	for (size_t i = 0; i < traffic_sum_count(plain); i++)
		assert_same(
			stage, traffic_sum_at(plain, i), traffic_sum_at(stage->sum, i));
}

static inline struct stage *raise_stage(uint32_t round)
{
	const char *wish = getenv("ASTRAY_SEED");
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->first_seed = (wish ? (uint32_t)strtoul(wish, NULL, 10) : 2020) + round;
	stage->seed = stage->first_seed * 2654435761u + 1;
	for (unsigned i = 0; i < 8; i++)
		(void)roll(stage, 0);
	return stage;
}

static inline void strike_stage(struct stage *stage, struct talk *talks, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		drop_talk(&talks[i]);
	traffic_sum_free(stage->sum);
	free(stage);
}

#endif
