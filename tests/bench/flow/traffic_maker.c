/*
 * traffic_maker [CONNECTIONS [SEED [SPEECH]]]: a capture file on standard output, the
 * truth about it as one line of JSON on standard error. SPEECH: all speak clear, tls12,
 * tls13 or http2.
 *
 * Every connection is open at the same time for most of the minute that it shows: HTTP/1
 * in the clear, HTTP/1 inside TLS 1.2 and 1.3, HTTP/2 inside TLS 1.3, over IPv4 and IPv6,
 * about six requests each. Some segments are lost before the point of capture and come
 * again later, some are lost behind it and are seen twice. The same words give the same
 * bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_frame.h"

#define START_US (UINT64_C(1590883500) * 1000000)
#define OPENING_US 10000000u /* all connections open within this */
#define PAUSE_US 9000000u    /* between two requests at most */
#define MSS 1448u
#define RECORD_MAX 16384u
#define SERVICES 200
#define TURNS_MAX 12
#define LOSS_IN 250 /* one segment of this many */

enum side { CLIENT, SERVER };
enum speech { CLEAR, TLS_1_2, TLS_1_3, HTTP_2, SPEECHES };
enum {
	SYN,
	SYN_ACK,
	ACK,
	HELLO,
	SERVER_FLIGHT,
	CLIENT_FLIGHT,
	SERVER_LAST,
	REQUEST,
	ANSWER,
	FIN,
	FIN_ACK,
	LAST_ACK,
	OVER
};

static const char *const names[SPEECHES] = {"clear", "tls12", "tls13", "http2"};

struct talk {
	uint64_t due_us;
	uint64_t asked_us;
	uint32_t number, next[2], seed;
	uint32_t len, at; /* of the present message: all of it, as far as sent */
	uint32_t debt_at; /* a segment that is still to be sent (again) */
	uint16_t debt_len, service, port;
	uint16_t rtt_us;
	uint8_t step, speech, turns, unacknowledged;
	bool v6;
};

struct truth {
	uint64_t packets, bytes, resent, requests[SPEECHES], answers[SPEECHES];
	uint32_t *times_us[SPEECHES];
};

struct maker {
	struct talk *talks;
	uint32_t *heap; /* talks by due_us */
	uint32_t count, waiting, time_limit;
	struct truth truth;
	bool broken;
	uint8_t noise[RECORD_MAX + 4096];
};

static uint32_t roll(uint32_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return below ? *seed % below : 0;
}

static void sift(struct maker *maker, uint32_t place)
{
	for (;;) {
		uint32_t least = place, child = place * 2 + 1;

		for (; child <= place * 2 + 2 && child < maker->waiting; child++)
			if (maker->talks[maker->heap[child]].due_us <
				maker->talks[maker->heap[least]].due_us)
				least = child;
		if (least == place)
			return;
		uint32_t number = maker->heap[place];

		maker->heap[place] = maker->heap[least];
		maker->heap[least] = number;
		place = least;
	}
}

/* What a message begins with: hellos, small records, heads. Behind it come body bytes. */
struct head {
	uint8_t bytes[4096];
	unsigned len;
};

static void put_bytes(struct head *head, const void *bytes, size_t len)
{
	memcpy(head->bytes + head->len, bytes, len);
	head->len += (unsigned)len;
}

static void put_record(struct head *head, uint8_t type, unsigned len)
{
	const uint8_t start[5] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};

	put_bytes(head, start, sizeof(start));
	memset(head->bytes + head->len, 0xa5 ^ (int)len, len);
	head->len += len;
}

static void host_name(char out[static 40], const struct talk *talk)
{
	(void)snprintf(out, 40, "%s-%u.example", names[talk->speech], talk->service);
}

static void put_extension(
	struct head *head, unsigned type, const void *bytes, unsigned len)
{
	const uint8_t start[4] = {
		(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(len >> 8), (uint8_t)len};

	put_bytes(head, start, sizeof(start));
	put_bytes(head, bytes, len);
}

static void patch_u16(struct head *head, unsigned at, unsigned value)
{
	head->bytes[at] = (uint8_t)(value >> 8);
	head->bytes[at + 1] = (uint8_t)value;
}

/* Half of the clients send a key share of post-quantum length, so that the hello spans
 * two segments. */
static void put_client_hello(struct head *head, const struct talk *talk)
{
	static const uint8_t zeros[1300];
	static const uint8_t suites[] = {0, 0, 4, 0x13, 1, 0xc0, 0x2f, 1, 0};
	char host[40];
	uint8_t name[64] = {0};
	unsigned extensions, host_len;

	host_name(host, talk);
	host_len = (unsigned)strlen(host);
	name[1] = (uint8_t)(host_len + 3);
	name[4] = (uint8_t)host_len;
	memcpy(name + 5, host, host_len);
	put_bytes(head, "\x16\3\1\0\0\1\0\0\0\3\3", 11);
	put_bytes(head, zeros, 32);
	put_bytes(head, suites, sizeof(suites));
	extensions = head->len;
	put_bytes(head, "\0", 2);
	put_extension(head, 0, name, host_len + 5);
	if (talk->speech == HTTP_2)
		put_extension(head, 16, "\0\x0c\2h2\x8http/1.1", 14);
	else
		put_extension(head, 16, "\0\x9\x8http/1.1", 11);
	if (talk->speech != TLS_1_2)
		put_extension(head, 43, "\2\3\4", 3);
	put_extension(head, 51, zeros, talk->number & 1 ? 1220 : 40);
	patch_u16(head, extensions, head->len - extensions - 2);
	patch_u16(head, 7, head->len - 9);
	patch_u16(head, 3, head->len - 5);
}

static void put_server_hello(struct head *head, bool is_1_3)
{
	static const uint8_t zeros[32];
	unsigned extensions;

	put_bytes(head, "\x16\3\3\0\0\2\0\0\0\3\3", 11);
	put_bytes(head, zeros, 32);
	put_bytes(head, is_1_3 ? "\0\x13\1\0" : "\0\xc0\x2f\0", 4);
	extensions = head->len;
	put_bytes(head, "\0", 2);
	if (is_1_3)
		put_extension(head, 43, "\3\4", 2);
	else
		put_extension(head, 16, "\0\x9\x8http/1.1", 11);
	patch_u16(head, extensions, head->len - extensions - 2);
	patch_u16(head, 7, head->len - 9);
	patch_u16(head, 3, head->len - 5);
}

static void put_server_flight(struct head *head, const struct talk *talk)
{
	put_server_hello(head, talk->speech != TLS_1_2);
	if (talk->speech == TLS_1_2) {
		put_record(head, 22, 2500); /* certificates */
		put_record(head, 22, 330);
		return;
	}
	put_record(head, 20, 1);
	put_record(head, 23, 2700);
}

static void put_client_flight(struct head *head, const struct talk *talk)
{
	if (talk->speech == TLS_1_2)
		put_record(head, 22, 37);
	put_record(head, 20, 1);
	if (talk->speech == TLS_1_2)
		put_record(head, 22, 40);
	else
		put_record(head, 23, 53);
	if (talk->speech == HTTP_2)
		put_record(head, 23, 24 + 9 + 12 + 13 + 17); /* preface and settings */
}

static void put_server_last(struct head *head, const struct talk *talk)
{
	if (talk->speech == TLS_1_2) {
		put_record(head, 20, 1);
		put_record(head, 22, 40);
		return;
	}
	put_record(head, 23, 266); /* tickets */
	put_record(head, 23, 266);
	if (talk->speech == HTTP_2)
		put_record(head, 23, 9 + 18 + 9 + 17);
}

static void put_request(struct head *head, const struct talk *talk)
{
	char text[800], host[40];

	if (talk->speech != CLEAR) {
		if (talk->speech == HTTP_2 && talk->turns == TURNS_MAX)
			put_record(head, 23, 9 + 17);
		put_record(head, 23,
			talk->speech == HTTP_2 ? 70 + talk->number % 5
					       : 300 + talk->number % 400);
		return;
	}
	host_name(host, talk);
	put_bytes(head, text,
		(size_t)snprintf(text, sizeof(text),
			"GET /item/%u/%u HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 "
			"(X11; Linux x86_64) "
			"bench\r\nAccept: "
			"text/html,application/xhtml+xml\r\nAccept-Encoding: gzip, "
			"deflate, "
			"br\r\nCookie: session=%08x%08x%08x%08x\r\n\r\n",
			talk->number, talk->turns, host, talk->number, talk->number * 7,
			talk->service, talk->number * 31));
}

/* A body's length is what is left of the message; of TLS it is the head of a record. */
static void put_answer(struct head *head, unsigned body_len)
{
	char text[400];

	put_bytes(head, text,
		(size_t)snprintf(text, sizeof(text),
			"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: "
			"text/html\r\nCache-Control: "
			"private\r\nContent-Length: %u\r\n\r\n",
			body_len));
}

static void make_head(struct head *head, const struct talk *talk)
{
	head->len = 0;
	switch (talk->step) {
	case HELLO:
		put_client_hello(head, talk);
		break;
	case SERVER_FLIGHT:
		put_server_flight(head, talk);
		break;
	case CLIENT_FLIGHT:
		put_client_flight(head, talk);
		break;
	case SERVER_LAST:
		put_server_last(head, talk);
		break;
	case REQUEST:
		put_request(head, talk);
		break;
	default:
		break;
	}
}

/* Answers from 200 to 25,600 bytes, small ones more often. */
static unsigned answer_len(struct talk *talk)
{
	unsigned base = 200u << roll(&talk->seed, 7);
	unsigned body = base + roll(&talk->seed, base);
	struct head head = {.len = 0};

	if (talk->speech != CLEAR)
		return body + (body + RECORD_MAX - 1) / RECORD_MAX * 5;
	put_answer(&head, body);
	return head.len + body;
}

/* The stretch of an answer inside TLS: records of the greatest length, the last one
 * shorter. */
static void fill_records(struct maker *maker, const struct talk *talk, uint32_t from,
	uint8_t *out, unsigned len)
{
	const uint32_t step = RECORD_MAX + 5;

	memcpy(out, maker->noise + from % 4096, len);
	for (uint32_t start = from / step * step; start < from + len; start += step) {
		uint32_t rest = talk->len - start - 5;
		uint32_t record = rest < RECORD_MAX ? rest : RECORD_MAX;
		const uint8_t head[5] = {
			23, 3, 3, (uint8_t)(record >> 8), (uint8_t)record};

		for (uint32_t i = 0; i < 5; i++)
			if (start + i >= from && start + i < from + len)
				out[start + i - from] = head[i];
	}
}

static void fill_clear(struct maker *maker, const struct talk *talk, uint32_t from,
	uint8_t *out, unsigned len)
{
	struct head head = {.len = 0};
	unsigned body;

	memcpy(out, maker->noise + from % 4096, len);
	if (from > 0)
		return; /* heads fit the first segment */
	for (body = talk->len; body > 0; body--) {
		head.len = 0;
		put_answer(&head, body);
		if (head.len + body <= talk->len)
			break;
	}
	memcpy(out, head.bytes, head.len < len ? head.len : len);
}

static void fill(struct maker *maker, const struct talk *talk, uint32_t from,
	uint8_t *out, unsigned len)
{
	struct head head;

	if (talk->step == ANSWER && talk->speech == CLEAR) {
		fill_clear(maker, talk, from, out, len);
	} else if (talk->step == ANSWER) {
		fill_records(maker, talk, from, out, len);
	} else {
		make_head(&head, talk);
		memcpy(out, head.bytes + from, len);
	}
}

static enum side speaker(const struct talk *talk)
{
	return talk->step == SYN_ACK || talk->step == SERVER_FLIGHT ||
			       talk->step == SERVER_LAST || talk->step == ANSWER ||
			       talk->step == FIN_ACK
		       ? SERVER
		       : CLIENT;
}

/* A packet of `side` whose payload is the message's stretch at `from`. */
static void send_packet(struct maker *maker, struct talk *talk, enum side side,
	uint8_t flags, uint32_t from, unsigned len)
{
	uint8_t bytes[BENCH_FRAME_MAX];
	struct bench_frame frame = {.v6 = talk->v6,
		.from_server = side == SERVER,
		.client = talk->number,
		.server = talk->service,
		.client_port = talk->port,
		.server_port = talk->speech == CLEAR ? 80 : 443,
		.seq = talk->next[side] - (len ? talk->at - from : 0),
		.ack = flags == BENCH_FRAME_SYN ? 0 : talk->next[!side],
		.stamp_ms = (uint32_t)(talk->due_us / 1000),
		.echo_ms = (uint32_t)((talk->due_us - talk->rtt_us) / 1000),
		.flags = flags,
		.len = (uint16_t)len};
	unsigned head_len = bench_frame_head(bytes, &frame);

	if (len)
		fill(maker, talk, from, bytes + head_len, len);
	maker->broken |= !bench_frame_write(stdout, talk->due_us, bytes, head_len + len);
	maker->truth.packets++;
	maker->truth.bytes += head_len + len;
}

static void send_flag(struct maker *maker, struct talk *talk, uint8_t flags)
{
	enum side side = speaker(talk);

	send_packet(maker, talk, side, flags, 0, 0);
	talk->next[side] += (flags & (BENCH_FRAME_SYN | BENCH_FRAME_FIN)) != 0;
}

static uint32_t ask(struct maker *maker, struct talk *talk)
{
	uint32_t wait = 500 + roll(&talk->seed, 2000);

	/* One in eight thinks long. */
	if (roll(&talk->seed, 8) == 0)
		wait += 20000 + roll(&talk->seed, 200000);
	maker->truth.requests[talk->speech]++;
	return talk->rtt_us + wait;
}

static void answer_begins(struct maker *maker, const struct talk *talk)
{
	struct truth *truth = &maker->truth;
	uint64_t number = truth->answers[talk->speech]++;

	if (number < maker->time_limit)
		truth->times_us[talk->speech][number] =
			(uint32_t)(talk->due_us - talk->asked_us);
}

static void enter(struct talk *talk, uint8_t step)
{
	struct head head = {.len = 0};

	talk->step = step;
	talk->at = 0;
	make_head(&head, talk);
	talk->len = step == ANSWER ? answer_len(talk) : head.len;
}

static uint32_t pause(struct talk *talk)
{
	return 1000 + roll(&talk->seed, PAUSE_US);
}

/* The message is out: what comes next, and after how long. */
static uint32_t go_on(struct maker *maker, struct talk *talk)
{
	bool two_trips = talk->speech == TLS_1_2;

	switch (talk->step) {
	case HELLO:
		enter(talk, SERVER_FLIGHT);
		return talk->rtt_us + 300u;
	case SERVER_FLIGHT:
		enter(talk, CLIENT_FLIGHT);
		return 400;
	case CLIENT_FLIGHT:
		enter(talk, SERVER_LAST);
		return talk->rtt_us + 50u;
	case SERVER_LAST:
		enter(talk, REQUEST);
		return two_trips ? 100 : pause(talk);
	case REQUEST:
		enter(talk, ANSWER);
		return ask(maker, talk);
	case ANSWER:
		talk->turns--;
		enter(talk,
			talk->turns > TURNS_MAX - 6 - talk->number % 2 ? REQUEST : FIN);
		return pause(talk);
	default:
		return 0;
	}
}

/* A segment of the present message; some are lost on the way here, some further on. */
static uint32_t send_segment(struct maker *maker, struct talk *talk)
{
	enum side side = speaker(talk);
	unsigned len = talk->len - talk->at < MSS ? talk->len - talk->at : MSS;
	bool may_fail = talk->step == ANSWER && talk->at > 0 && talk->debt_len == 0;
	bool fails = may_fail && roll(&talk->seed, LOSS_IN) == 0;
	bool seen = !fails || roll(&talk->seed, 2);

	if (talk->step == REQUEST)
		talk->asked_us = talk->due_us;
	if (talk->step == ANSWER && talk->at == 0)
		answer_begins(maker, talk);
	if (fails) {
		talk->debt_at = talk->at;
		talk->debt_len = (uint16_t)len;
	}
	if (seen)
		send_packet(maker, talk, side, BENCH_FRAME_ACK, talk->at, len);
	talk->at += len;
	talk->next[side] += len;
	talk->unacknowledged = (uint8_t)(talk->unacknowledged + seen);
	return talk->at < talk->len ? 12 : talk->rtt_us;
}

static void pay_debt(struct maker *maker, struct talk *talk)
{
	send_packet(maker, talk, SERVER, BENCH_FRAME_ACK, talk->debt_at, talk->debt_len);
	talk->debt_len = 0;
	maker->truth.resent++;
}

static void acknowledge(struct maker *maker, struct talk *talk)
{
	enum side side = speaker(talk) == CLIENT ? SERVER : CLIENT;
	uint32_t held = talk->debt_len ? talk->at - talk->debt_at : 0;

	talk->next[speaker(talk)] -= held;
	send_packet(maker, talk, side, BENCH_FRAME_ACK, 0, 0);
	talk->next[speaker(talk)] += held;
	talk->unacknowledged = 0;
}

/* One packet of a message, and how long until the next. */
static uint32_t speak(struct maker *maker, struct talk *talk)
{
	bool sent = talk->at == talk->len;

	if (talk->unacknowledged >= 2 || (sent && talk->unacknowledged)) {
		acknowledge(maker, talk);
		return 8;
	}
	if (sent && talk->debt_len) {
		pay_debt(maker, talk);
		talk->unacknowledged = 1;
		return 20;
	}
	if (sent)
		return go_on(maker, talk);
	return send_segment(maker, talk);
}

static uint32_t one_step(struct maker *maker, struct talk *talk)
{
	switch (talk->step) {
	case SYN:
		send_flag(maker, talk, BENCH_FRAME_SYN);
		talk->step = SYN_ACK;
		return talk->rtt_us;
	case SYN_ACK:
		send_flag(maker, talk, BENCH_FRAME_SYN | BENCH_FRAME_ACK);
		talk->step = ACK;
		return 60;
	case ACK:
		send_flag(maker, talk, BENCH_FRAME_ACK);
		enter(talk, talk->speech == CLEAR ? REQUEST : HELLO);
		return 30;
	case FIN:
		send_flag(maker, talk, BENCH_FRAME_FIN | BENCH_FRAME_ACK);
		talk->step = FIN_ACK;
		return talk->rtt_us;
	case FIN_ACK:
		send_flag(maker, talk, BENCH_FRAME_FIN | BENCH_FRAME_ACK);
		talk->step = LAST_ACK;
		return 60;
	case LAST_ACK:
		send_flag(maker, talk, BENCH_FRAME_ACK);
		talk->step = OVER;
		return 0;
	default:
		return speak(maker, talk);
	}
}

/* speech: SPEECHES for a mixture */
static void begin_talk(
	struct talk *talk, uint32_t number, uint32_t seed, enum speech speech)
{
	static const uint8_t speeches[10] = {CLEAR, CLEAR, TLS_1_2, TLS_1_2, TLS_1_3,
		TLS_1_3, TLS_1_3, TLS_1_3, TLS_1_3, HTTP_2};

	*talk = (struct talk){
		.number = number, .seed = seed * 2654435761u + number * 40503u + 1};
	for (unsigned i = 0; i < 8; i++)
		(void)roll(&talk->seed, 0);
	talk->due_us = START_US + roll(&talk->seed, OPENING_US);
	talk->speech = speeches[roll(&talk->seed, 10)];
	if (speech != SPEECHES)
		talk->speech = (uint8_t)speech;
	talk->service = (uint16_t)roll(&talk->seed, SERVICES / SPEECHES);
	talk->service = (uint16_t)(talk->service * SPEECHES + talk->speech);
	talk->port = (uint16_t)(1024 + roll(&talk->seed, 60000));
	talk->rtt_us = (uint16_t)(200 + roll(&talk->seed, 20000));
	talk->v6 = roll(&talk->seed, 5) == 0;
	talk->turns = TURNS_MAX;
	talk->next[CLIENT] = roll(&talk->seed, 0);
	talk->next[SERVER] = roll(&talk->seed, 0);
}

static bool make_room(struct maker *maker, uint32_t count)
{
	maker->count = maker->waiting = count;
	maker->time_limit = count * TURNS_MAX;
	maker->talks = calloc(count, sizeof(*maker->talks));
	maker->heap = calloc(count, sizeof(*maker->heap));
	for (unsigned i = 0; i < SPEECHES; i++)
		if (!(maker->truth.times_us[i] =
				    calloc(maker->time_limit, sizeof(uint32_t))))
			return false;
	return maker->talks && maker->heap;
}

static void play(struct maker *maker)
{
	maker->broken = !bench_frame_open_file(stdout);
	while (maker->waiting > 0 && !maker->broken) {
		struct talk *talk = &maker->talks[maker->heap[0]];

		talk->due_us += one_step(maker, talk);
		if (talk->step == OVER)
			maker->heap[0] = maker->heap[--maker->waiting];
		sift(maker, 0);
	}
	maker->broken |= fflush(stdout) != 0;
}

static int by_size(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static void print_truth(struct truth *truth)
{
	(void)fprintf(stderr, "{\"packets\":%llu,\"bytes\":%llu,\"resent\":%llu",
		(unsigned long long)truth->packets, (unsigned long long)truth->bytes,
		(unsigned long long)truth->resent);
	for (unsigned i = 0; i < SPEECHES; i++) {
		size_t count = truth->answers[i];

		qsort(truth->times_us[i], count, sizeof(uint32_t), by_size);
		(void)fprintf(stderr,
			",\"%s\":{\"requests\":%zu,\"p50_us\":%u,\"p99_us\":%u}",
			names[i], count, count ? truth->times_us[i][count / 2] : 0,
			count ? truth->times_us[i][count * 99 / 100] : 0);
	}
	(void)fprintf(stderr, "}\n");
}

static enum speech speech_of(const char *name)
{
	enum speech speech = CLEAR;

	while (speech < SPEECHES && strcmp(names[speech], name) != 0)
		speech++;
	return speech;
}

int main(int argc, char **argv)
{
	enum speech speech = argc > 3 ? speech_of(argv[3]) : SPEECHES;
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 80000;
	uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 2020;
	static struct maker maker;

	if (argc > 3 && speech == SPEECHES) {
		(void)fprintf(stderr, "traffic_maker: nobody speaks %s\n", argv[3]);
		return 64;
	}
	if (count == 0 || !make_room(&maker, count)) {
		(void)fputs("traffic_maker: no such number of connections\n", stderr);
		return 64;
	}
	for (size_t i = 0; i < sizeof(maker.noise); i++)
		maker.noise[i] = (uint8_t)roll(&seed, 256);
	for (uint32_t i = 0; i < count; i++) {
		begin_talk(&maker.talks[i], i, seed, speech);
		maker.heap[i] = i;
	}
	for (uint32_t i = count / 2; i-- > 0;)
		sift(&maker, i);
	play(&maker);
	if (maker.broken)
		perror("traffic_maker: standard output");
	else
		print_truth(&maker.truth);
	return maker.broken;
}
