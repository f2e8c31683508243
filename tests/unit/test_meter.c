#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "astray/own_mark.h"
#include "astray/services.h"
#include "exchange_recorder.h"
#include "meter_bench.h"
#include "syn_mark.h"

#define GET "GET / HTTP/1.1\r\nHost: exchange.example\r\n\r\n"
#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"

static void a_connection_is_measured(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	dialogue_open(&talk, 12000);
	dialogue_text(&talk, CLIENT, GET);
	dialogue_wait(&talk, 30000);
	dialogue_text(&talk, SERVER, ANSWER);
	dialogue_close(&talk);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->responses, 1);
	assert_int_equal(seen->untimed, 0);
	assert_int_equal(seen->sent_bytes, strlen(GET));
	assert_int_equal(seen->received_bytes, strlen(ANSWER));
	assert_int_equal(seen->retransmits + seen->lost_packets, 0);
	assert_true(seen->sketches[OBS_CONNECT].max == 12000);
	assert_true(seen->sketches[OBS_CLIENT_CONNECT].max == 12000);
	assert_true(seen->sketches[OBS_RESPONSE].max == 30000);
	assert_true(seen->sketches[OBS_THINK].max == 18000);
	assert_int_equal(seen->peer_count, 1);
	assert_int_equal(seen->peers[0].requests, 1);
	bench_end(&bench);
}

static void failures_are_told_apart(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 7000); /* refused */
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	dialogue_segment(&talk, SERVER, TCP_SEGMENT_RST | TCP_SEGMENT_ACK, NULL, 0);
	talk = talk_to(&bench, 2, 7000); /* reset while an answer is awaited */
	dialogue_open(&talk, 10);
	dialogue_text(&talk, CLIENT, "request");
	dialogue_text(&talk, CLIENT, " in two parts");
	dialogue_segment(&talk, SERVER, TCP_SEGMENT_RST | TCP_SEGMENT_ACK, NULL, 0);
	talk = talk_to(&bench, 3, 7000); /* reset afterwards: nobody waits */
	dialogue_open(&talk, 10);
	dialogue_text(&talk, CLIENT, "request");
	dialogue_text(&talk, SERVER, "answer");
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_RST, NULL, 0);
	talk = talk_to(&bench, 4, 7000); /* three SYNs */
	for (unsigned i = 0; i < 3; i++) {
		struct packet syn =
			dialogue_packet(&talk, CLIENT, 99, 0, TCP_SEGMENT_SYN, "", 0);

		to_meter(&bench, &syn);
		dialogue_wait(&talk, 1000000);
	}
	talk.port[CLIENT] = 5; /* one SYN, then silence */
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	meter_advance(bench.meter, moment_plus_us(talk.now, 8 * MOMENT_SECOND_US));
	meter_finish(bench.meter);
	seen = find(&bench, "198.51.100.1:7000");
	assert_int_equal(seen->connections, 2);
	assert_int_equal(seen->refused, 1);
	assert_int_equal(seen->reset, 1);
	assert_int_equal(seen->timed_out, 2);
	assert_int_equal(seen->requests, 2);
	assert_int_equal(seen->responses, 1);
	assert_int_equal(seen->retransmits, 2);
	bench_end(&bench);
}

/* ICMP's word that the client's segment with this number cannot arrive, quoting as little
 * of it as routers must. */
static void say_unreachable(struct bench *bench, const struct dialogue *talk,
	uint32_t seq, uint8_t type, uint8_t code)
{
	static const struct address router = {4, {203, 0, 113, 1}};
	bool v6 = talk->address[CLIENT].family == 6;
	struct packet packet = {.at = talk->now};
	uint8_t *at = packet.bytes + PACKET_ETHERNET;
	size_t quote_len = (v6 ? 40 : 20) + 8;

	put_u16(packet.bytes + 12, v6 ? 0x86dd : 0x0800);
	at += put_ip(at, v6 ? &talk->address[SERVER] : &router, &talk->address[CLIENT], 7,
		8 + quote_len);
	packet.bytes[PACKET_ETHERNET + (v6 ? 6 : 9)] = v6 ? 58 : 1;
	memset(at, 0, 8);
	at[0] = type;
	at[1] = code;
	at += 8;
	at += put_ip(at, &talk->address[CLIENT], &talk->address[SERVER], 1, 40);
	put_u16(at, talk->port[CLIENT]);
	put_u16(at + 2, talk->port[SERVER]);
	put_u32(at + 4, seq);
	packet.len = packet.captured = (uint32_t)(at + 8 - packet.bytes);
	to_meter(bench, &packet);
}

static void a_syn_that_icmp_says_no_to_is_refused(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;
	uint32_t start;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 7000); /* no such port */
	start = talk.next[CLIENT];
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	say_unreachable(&bench, &talk, start, 3, 3);
	say_unreachable(&bench, &talk, start, 3, 3); /* said twice, counted once */
	talk = talk_to(&bench, 2, 7000);             /* forbidden */
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	say_unreachable(&bench, &talk, start, 3, 13);
	talk = talk_to(
		&bench, 3, 7000); /* no way there: nobody refuses, nobody answers */
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	say_unreachable(&bench, &talk, start, 3, 1);
	meter_advance(bench.meter, moment_plus_us(talk.now, 8 * MOMENT_SECOND_US));
	meter_finish(bench.meter);
	seen = find(&bench, "198.51.100.1:7000");
	assert_int_equal(seen->refused, 2);
	assert_int_equal(seen->timed_out, 1);
	assert_int_equal(seen->connections, 0);
	bench_end(&bench);
}

static void six_is_refused_as_four_is(void **state)
{
	struct bench bench = {0};
	struct dialogue talk = dialogue_between("2001:db8::7", 40000, "2001:db8::1", 25);
	uint32_t start = talk.next[CLIENT];

	(void)state;
	bench_begin(&bench, 64);
	talk.send = to_meter;
	talk.arg = &bench;
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	say_unreachable(&bench, &talk, start, 1, 4);
	meter_finish(bench.meter);
	assert_int_equal(find(&bench, "[2001:db8::1]:25")->refused, 1);
	bench_end(&bench);
}

/* Who forges does not know the numbers, comes too late, or turns the ends round. */
static void forged_quotes_do_not_count(void **state)
{
	struct bench bench = {0};
	struct dialogue talk, turned;
	const struct obs_traffic *seen;
	uint32_t start;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 7000);
	start = talk.next[CLIENT];
	say_unreachable(&bench, &talk, start, 3, 3); /* of what was never sent */
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	say_unreachable(&bench, &talk, start + 1, 3, 3);
	say_unreachable(&bench, &talk, 0, 3, 3);
	turned = talk;
	turned.address[CLIENT] = talk.address[SERVER];
	turned.address[SERVER] = talk.address[CLIENT];
	turned.port[CLIENT] = talk.port[SERVER];
	turned.port[SERVER] = talk.port[CLIENT];
	say_unreachable(&bench, &turned, start, 3, 3);
	talk.next[CLIENT] = start;
	dialogue_open(&talk, 10);
	say_unreachable(&bench, &talk, start, 3, 3); /* it was answered */
	dialogue_text(&talk, CLIENT, "request");
	say_unreachable(&bench, &talk, start + 1, 3, 3);
	dialogue_text(&talk, SERVER, "answer");
	meter_finish(bench.meter);
	seen = find(&bench, "198.51.100.1:7000");
	assert_int_equal(seen->refused, 0);
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->responses, 1);
	bench_end(&bench);
}

static void the_syns_of_traces_are_no_connections(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	struct packet syn;

	(void)state;
	bench_begin(&bench, 64);
	for (uint16_t port = 1; port <= 2; port++) {
		talk = talk_to(&bench, port, 7000);
		syn = dialogue_packet(&talk, CLIENT, 99, 0, TCP_SEGMENT_SYN, "", 0);
		put_u16(syn.bytes + syn.len - 6, SYN_MARK_WINDOW);
		to_meter(&bench, &syn);
		dialogue_segment(&talk, SERVER,
			port == 1 ? TCP_SEGMENT_SYN | TCP_SEGMENT_ACK
				  : TCP_SEGMENT_RST | TCP_SEGMENT_ACK,
			NULL, 0);
		dialogue_segment(&talk, CLIENT, TCP_SEGMENT_RST, NULL, 0);
	}
	talk = talk_to(&bench, 3, 7000); /* nobody answers */
	syn = dialogue_packet(&talk, CLIENT, 99, 0, TCP_SEGMENT_SYN, "", 0);
	put_u16(syn.bytes + syn.len - 6, SYN_MARK_WINDOW);
	to_meter(&bench, &syn);
	meter_advance(bench.meter, moment_plus_us(talk.now, 8 * MOMENT_SECOND_US));
	meter_finish(bench.meter);
	assert_int_equal(traffic_sum_count(bench.sum), 0);
	bench_end(&bench);
}

/* Gives the client's packets a time to live. */
struct client_ttl {
	struct bench *bench;
	uint8_t ttl;
};

static void to_meter_with_ttl(void *arg, const struct packet *packet)
{
	const struct client_ttl *way = arg;
	struct packet changed = *packet;
	uint8_t *ip = changed.bytes + PACKET_ETHERNET;
	bool from_client = memcmp(ip + 12, "\xc0\x00\x02\x07", 4) == 0;

	if (ip[0] >> 4 == 6)
		from_client = ip[23] == 7;
	if (from_client)
		ip[ip[0] >> 4 == 6 ? 7 : 8] = way->ttl;
	to_meter(way->bench, &changed);
}

static size_t services_seen_with_ttl(uint8_t ttl, bool v6, bool from_the_middle)
{
	struct bench bench = {0};
	struct client_ttl way = {&bench, ttl};
	struct dialogue talk;
	size_t seen;

	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	if (v6)
		talk = dialogue_between("2001:db8::7", 40000, "2001:db8::1", 80);
	talk.send = to_meter_with_ttl;
	talk.arg = &way;
	if (from_the_middle)
		dialogue_text(&talk, SERVER, "0123456789");
	else
		dialogue_open(&talk, 1000);
	for (unsigned i = 0; i < 3; i++) {
		dialogue_text(&talk, CLIENT, GET);
		dialogue_wait(&talk, 1000);
		dialogue_text(&talk, SERVER, ANSWER);
	}
	dialogue_close(&talk);
	meter_finish(bench.meter);
	seen = traffic_sum_count(bench.sum);
	for (size_t i = 0; ttl == OWN_MARK_TTL && i < seen; i++)
		assert_int_equal(traffic_sum_at(bench.sum, i)->requests, 0);
	bench_end(&bench);
	return seen;
}

static void our_own_requests_are_not_the_users(void **state)
{
	(void)state;
	for (int v6 = 0; v6 <= 1; v6++) {
		assert_int_equal(services_seen_with_ttl(OWN_MARK_TTL, v6, false), 0);
		assert_int_equal(services_seen_with_ttl(64, v6, false), 1);
		assert_int_equal(services_seen_with_ttl(OWN_MARK_TTL - 1, v6, false), 1);
		(void)services_seen_with_ttl(OWN_MARK_TTL, v6, true);
	}
}

static void an_answer_may_overtake_the_syn_in_the_capture(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	struct packet syn;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	syn = dialogue_packet(
		&talk, CLIENT, talk.next[CLIENT]++, 0, TCP_SEGMENT_SYN, NULL, 0);
	dialogue_segment(&talk, SERVER, TCP_SEGMENT_SYN | TCP_SEGMENT_ACK, NULL, 0);
	syn.at = talk.now;
	to_meter(&bench, &syn);
	dialogue_wait(&talk, 40000);
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_ACK, NULL, 0);
	dialogue_text(&talk, CLIENT, GET);
	dialogue_wait(&talk, 7000);
	dialogue_text(&talk, SERVER, ANSWER);
	dialogue_close(&talk);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->connections, 1);
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->responses, 1);
	assert_int_equal(seen->retransmits, 0);
	assert_int_equal(seen->sketches[OBS_CONNECT].total, 0);
	assert_true(seen->sketches[OBS_CLIENT_CONNECT].max == 40000);
	bench_end(&bench);
}

static void a_repeated_handshake_is_not_timed(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	struct packet again;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 7000);
	again = dialogue_packet(
		&talk, CLIENT, talk.next[CLIENT], 0, TCP_SEGMENT_SYN, "", 0);
	to_meter(&bench, &again);
	dialogue_wait(&talk, 1000000);
	dialogue_open(&talk, 10);
	meter_finish(bench.meter);
	seen = find(&bench, "198.51.100.1:7000");
	assert_int_equal(seen->connections, 1);
	assert_true(sketch_is_empty(&seen->sketches[OBS_CONNECT]));
	assert_false(sketch_is_empty(&seen->sketches[OBS_CLIENT_CONNECT]));
	bench_end(&bench);
}

/* A whole conversation as two byte streams, and where the one waits for the other. */
struct script {
	struct {
		enum exchange_side side;
		size_t from, len;
	} lines[64];
	unsigned count;
	uint8_t bytes[2][65536];
	size_t len[2];
};

static void script_add(
	struct script *script, enum exchange_side side, const void *bytes, size_t len)
{
	memcpy(script->bytes[side] + script->len[side], bytes, len);
	script->lines[script->count].side = side;
	script->lines[script->count].from = script->len[side];
	script->lines[script->count++].len = len;
	script->len[side] += len;
}

static void write_clear(struct script *script)
{
	static const char chunked[] =
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nabcde\r\n0\r\n\r\n";
	static const char upload[] =
		"POST /u HTTP/1.1\r\nHost: exchange.example\r\n"
		"Content-Length: 28\r\n\r\nGET / HTTP/1.1\r\n\r\n0123456789";

	for (unsigned i = 0; i < 4; i++) {
		script_add(script, CLIENT, GET GET, 2 * strlen(GET));
		script_add(script, SERVER, ANSWER ANSWER, 2 * strlen(ANSWER));
		script_add(script, CLIENT, upload, strlen(upload));
		script_add(script, SERVER, chunked, strlen(chunked));
	}
}

static void write_tls(struct script *script)
{
	uint8_t bytes[20000];
	size_t len;

	script_add(script, CLIENT, bytes,
		make_client_hello(bytes, "exchange.example", 1600));
	len = make_server_hello(bytes, 1);
	len += make_record(bytes + len, 20, 1);
	len += make_record(bytes + len, 23, 2500);
	script_add(script, SERVER, bytes, len);
	len = make_record(bytes, 20, 1);
	len += make_record(bytes + len, 23, 53);
	len += make_record(bytes + len, 23, 130);
	script_add(script, CLIENT, bytes, len);
	for (unsigned i = 0; i < 8; i++) {
		len = 0;
		if (i == 0) {
			len += make_record(bytes, 23, 266);
			len += make_record(bytes + len, 23, 266);
		}
		len += make_record(bytes + len, 23, 400);
		len += make_record(bytes + len, 23, 3000);
		script_add(script, SERVER, bytes, len);
		if (i < 7)
			script_add(
				script, CLIENT, bytes, make_record(bytes, 23, 130 + i));
	}
}

/* Cuts each line into segments of random lengths, some sent twice, some out of order. */
static void perform(struct dialogue *talk, const struct script *script, bool disorder)
{
	dialogue_open(talk, 1000);
	for (unsigned i = 0; i < script->count; i++) {
		enum exchange_side side = script->lines[i].side;
		const uint8_t *bytes = script->bytes[side] + script->lines[i].from;
		size_t left = script->lines[i].len;
		struct packet held = {0};

		dialogue_wait(talk, 5000);
		while (left > 0) {
			size_t len = 1 + (size_t)rand() % (rand() % 3 ? 1400 : 9);
			struct packet packet;

			if (len > left)
				len = left;
			dialogue_wait(talk, 10);
			packet = dialogue_packet(talk, side, talk->next[side],
				talk->next[side == CLIENT ? SERVER : CLIENT],
				TCP_SEGMENT_ACK, bytes, len);
			talk->next[side] += (uint32_t)len;
			bytes += len;
			left -= len;
			if (disorder && !held.len && left > 0 && rand() % 3 == 0) {
				held = packet;
				continue;
			}
			talk->send(talk->arg, &packet);
			if (disorder && rand() % 5 == 0)
				talk->send(talk->arg, &packet);
			if (held.len && rand() % 2) {
				held.at = talk->now;
				talk->send(talk->arg, &held);
				held.len = 0;
			}
		}
		if (held.len) {
			held.at = talk->now;
			talk->send(talk->arg, &held);
		}
	}
	dialogue_close(talk);
}

static void perform_many(
	void (*write)(struct script *script), unsigned requests, bool disorder)
{
	struct script *script = calloc(1, sizeof(*script));

	write(script);
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct bench bench = {0};
		struct dialogue talk;
		const struct obs_traffic *seen;

		srand(seed);
		bench_begin(&bench, 64);
		talk = talk_to(&bench, 40000, 443);
		perform(&talk, script, disorder);
		meter_finish(bench.meter);
		seen = find(&bench, "exchange.example");
		assert_int_equal(traffic_sum_count(bench.sum), 1);
		assert_int_equal(seen->connections, 1);
		assert_int_equal(seen->requests, requests);
		assert_int_equal(seen->responses, requests);
		assert_int_equal(seen->untimed, 0);
		assert_int_equal(seen->lost_packets, 0);
		assert_int_equal(seen->sketches[OBS_RESPONSE].total, requests);
		assert_int_equal(seen->sent_bytes, script->len[CLIENT]);
		assert_int_equal(seen->received_bytes, script->len[SERVER]);
		bench_end(&bench);
	}
	free(script);
}

static void any_split_of_the_same_bytes_gives_the_same_answer(void **state)
{
	(void)state;
	perform_many(write_clear, 12, false);
	perform_many(write_tls, 8, false);
}

static void any_order_of_the_same_bytes_gives_the_same_answer(void **state)
{
	(void)state;
	perform_many(write_clear, 12, true);
	perform_many(write_tls, 8, true);
}

static void interleaved_connections_do_not_mix(void **state)
{
	struct bench bench = {0};
	struct dialogue talks[20];

	(void)state;
	bench_begin(&bench, 64);
	for (unsigned i = 0; i < 20; i++) {
		talks[i] = talk_to(&bench, (uint16_t)(40000 + i), 80);
		dialogue_open(&talks[i], 100);
	}
	for (unsigned turn = 0; turn < 5; turn++) {
		for (unsigned i = 0; i < 20; i++)
			dialogue_text(&talks[i], CLIENT, GET);
		for (unsigned i = 20; i-- > 0;) {
			dialogue_wait(&talks[i], 1000 * (i + 1));
			dialogue_text(&talks[i], SERVER, ANSWER);
		}
	}
	meter_finish(bench.meter);
	assert_int_equal(find(&bench, "exchange.example")->requests, 100);
	assert_int_equal(find(&bench, "exchange.example")->responses, 100);
	assert_true(find(&bench, "exchange.example")->sketches[OBS_RESPONSE].min == 1000);
	assert_true(
		find(&bench, "exchange.example")->sketches[OBS_RESPONSE].max == 20000);
	bench_end(&bench);
}

static void a_mirrors_copy_is_no_retransmission(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	struct packet packet;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	dialogue_open(&talk, 100);
	packet = dialogue_packet(&talk, CLIENT, talk.next[CLIENT], talk.next[SERVER],
		TCP_SEGMENT_ACK, GET, strlen(GET));
	to_meter(&bench, &packet);
	to_meter(&bench, &packet);
	packet.bytes[PACKET_ETHERNET + 5] ^=
		0x55; /* another identification: sent again */
	to_meter(&bench, &packet);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->retransmits, 1);
	bench_end(&bench);
}

static void what_the_capture_lost_is_told_apart(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	dialogue_open(&talk, 100);
	dialogue_text(&talk, CLIENT, GET);
	talk.next[SERVER] += (uint32_t)strlen(ANSWER); /* passed unseen */
	for (unsigned i = 0; i < 5; i++) {
		dialogue_wait(&talk, 20000);
		dialogue_text(&talk, CLIENT, GET);
		dialogue_wait(&talk, 20000);
		dialogue_text(&talk, SERVER, ANSWER);
	}
	dialogue_wait(&talk, 20000);
	dialogue_close(&talk);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->requests, 6);
	assert_int_equal(seen->untimed, 1);
	assert_int_equal(seen->lost_packets, 1);
	assert_int_equal(seen->retransmits, 0);
	assert_int_equal(seen->sketches[OBS_RESPONSE].total, 5);
	bench_end(&bench);
}

#define PIECE 100u

/* A piece of an answer; its number counts from the answer's beginning. */
static void say_piece(
	struct bench *bench, struct dialogue *talk, const char *answer, unsigned number)
{
	struct packet packet = dialogue_packet(talk, SERVER,
		talk->next[SERVER] + number * PIECE, talk->next[CLIENT], TCP_SEGMENT_ACK,
		answer + number * PIECE, PIECE);

	to_meter(bench, &packet);
	dialogue_wait(talk, 100);
}

static void acknowledge_pieces(struct bench *bench, struct dialogue *talk, unsigned count)
{
	struct packet packet = dialogue_packet(talk, CLIENT, talk->next[CLIENT],
		talk->next[SERVER] + count * PIECE, TCP_SEGMENT_ACK, NULL, 0);

	to_meter(bench, &packet);
}

/* The network loses the first piece of an answer and another; both are sent again while
 * the rest is on its way. */
static void what_the_network_lost_is_sent_again_and_not_lost_to_the_capture(void **state)
{
	enum { PIECES = 60, SECOND_LOST = 20, SENT_AGAIN = 40 };
	struct bench bench = {0};
	struct dialogue talk;
	static char answer[PIECES * PIECE] =
		"HTTP/1.1 200 OK\r\nContent-Length: 5959\r\n\r\n";
	const struct obs_traffic *seen;

	(void)state;
	memset(answer + 41, 'x', sizeof(answer) - 41);
	bench_begin(&bench, 2048);
	talk = talk_to(&bench, 40000, 80);
	dialogue_open(&talk, 100);
	dialogue_text(&talk, CLIENT, GET);
	dialogue_wait(&talk, 20000);
	for (unsigned i = 1; i < SENT_AGAIN; i++)
		if (i != SECOND_LOST)
			say_piece(&bench, &talk, answer, i);
	dialogue_wait(&talk, 10000);
	say_piece(&bench, &talk, answer, 0);
	acknowledge_pieces(&bench, &talk, SECOND_LOST);
	for (unsigned i = SENT_AGAIN; i < PIECES; i++)
		say_piece(&bench, &talk, answer, i);
	dialogue_wait(&talk, 10000);
	say_piece(&bench, &talk, answer, SECOND_LOST);
	acknowledge_pieces(&bench, &talk, PIECES);
	dialogue_wait(&talk, 10000);
	acknowledge_pieces(&bench, &talk, PIECES);
	talk.next[SERVER] += sizeof(answer);
	dialogue_close(&talk);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->requests, 1);
	assert_int_equal(seen->responses, 1);
	assert_int_equal(seen->untimed, 0);
	assert_int_equal(seen->retransmits, 2);
	assert_int_equal(seen->lost_packets, 0);
	assert_int_equal(seen->received_bytes, sizeof(answer));
	bench_end(&bench);
}

static void a_stream_is_joined_in_its_middle(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	const struct obs_traffic *seen;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	dialogue_text(&talk, SERVER, "the end of some body");
	for (unsigned i = 0; i < 3; i++) {
		dialogue_text(&talk, CLIENT, GET);
		dialogue_wait(&talk, 7000);
		dialogue_text(&talk, SERVER, ANSWER);
	}
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->connections, 0);
	assert_int_equal(seen->requests, 3);
	assert_int_equal(seen->responses, 3);
	bench_end(&bench);
}

static void a_cut_capture_still_counts(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	static char answer[5000] = "HTTP/1.1 200 OK\r\nContent-Length: 4959\r\n\r\n";
	const struct obs_traffic *seen;

	(void)state;
	memset(answer + 41, 'x', 4959);
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 40000, 80);
	dialogue_open(&talk, 100);
	for (unsigned i = 0; i < 3; i++) {
		struct packet packet;

		dialogue_text(&talk, CLIENT, GET);
		packet = dialogue_packet(&talk, SERVER, talk.next[SERVER],
			talk.next[CLIENT], TCP_SEGMENT_ACK, answer, sizeof(answer));
		packet.captured = 128;
		to_meter(&bench, &packet);
		talk.next[SERVER] += sizeof(answer);
	}
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->requests, 3);
	assert_int_equal(seen->responses, 3);
	assert_int_equal(seen->received_bytes, 3 * sizeof(answer));
	bench_end(&bench);
}

static void a_flood_of_syns_is_bounded_and_reported(void **state)
{
	struct bench bench = {0};
	struct dialogue quiet, flood;
	struct meter_counts counts;

	(void)state;
	bench_begin(&bench, 256);
	quiet = talk_to(&bench, 40000, 80);
	dialogue_open(&quiet, 100);
	dialogue_text(&quiet, CLIENT, GET);
	for (unsigned i = 0; i < 20000; i++) {
		flood = talk_to(&bench, (uint16_t)(1 + i), 80);
		put_u32(flood.address[CLIENT].bytes, 0xc6120000 + i);
		flood.now = quiet.now;
		dialogue_segment(&flood, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	}
	dialogue_wait(&quiet, 5000);
	dialogue_text(&quiet, SERVER, ANSWER);
	meter_count(bench.meter, &counts);
	meter_finish(bench.meter);
	assert_true(counts.evicted_half_open > 19000);
	assert_int_equal(counts.evicted, 0);
	assert_int_equal(find(&bench, "exchange.example")->responses, 1);
	bench_end(&bench);
}

static void the_oldest_connection_gives_way(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	struct meter_counts counts;

	(void)state;
	bench_begin(&bench, 64);
	for (unsigned i = 0; i < 100; i++) {
		talk = talk_to(&bench, (uint16_t)(40000 + i), 80);
		talk.now = moment_plus_us(talk.now, i * 1000);
		dialogue_open(&talk, 100);
		dialogue_text(&talk, CLIENT, GET);
	}
	meter_count(bench.meter, &counts);
	meter_finish(bench.meter);
	assert_int_equal(counts.evicted, 36);
	assert_int_equal(find(&bench, "exchange.example")->requests, 100);
	bench_end(&bench);
}

static void other_services_are_not_counted(void **state)
{
	static struct service list[1] = {{.name = "exchange",
		.host_count = 1,
		.hosts = {"*.example"},
		.port_count = 1,
		.ports = {80}}};
	struct bench bench = {.services = {1, list}};
	struct dialogue talk;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 80);
	dialogue_open(&talk, 100);
	dialogue_text(&talk, CLIENT, GET);
	dialogue_text(&talk, SERVER, ANSWER);
	talk = talk_to(&bench, 2, 80);
	dialogue_open(&talk, 100);
	dialogue_text(&talk, CLIENT, "GET / HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n");
	dialogue_text(&talk, SERVER, ANSWER);
	talk = talk_to(&bench, 3, 81);
	dialogue_open(&talk, 100);
	dialogue_text(&talk, CLIENT, GET);
	meter_finish(bench.meter);
	assert_int_equal(traffic_sum_count(bench.sum), 1);
	assert_int_equal(find(&bench, "exchange")->requests, 1);
	assert_int_equal(find(&bench, "exchange")->connections, 1);
	bench_end(&bench);
}

static void ask_in_turn(struct dialogue *talk, const char *host, int64_t after_us)
{
	char request[200];

	(void)snprintf(
		request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	dialogue_text(talk, CLIENT, request);
	dialogue_wait(talk, after_us);
	dialogue_text(talk, SERVER, ANSWER);
}

/* As a proxy does by one connection: with configured services, and with none. */
static void requests_are_of_the_host_they_ask_for(void **state)
{
	static struct service list[2] = {{.name = "exchange.example",
						 .host_count = 1,
						 .hosts = {"exchange.example"},
						 .port_count = 1,
						 .ports = {80}},
		{.name = "wiki.example",
			.host_count = 1,
			.hosts = {"wiki.example"},
			.port_count = 1,
			.ports = {80}}};

	(void)state;
	for (size_t services = 0; services <= 2; services += 2) {
		struct bench bench = {.services = {services, list}};
		struct dialogue talk;
		const struct obs_traffic *seen;

		bench_begin(&bench, 64);
		talk = talk_to(&bench, 40000, 80);
		dialogue_open(&talk, 100);
		ask_in_turn(&talk, "elsewhere.test", 1000);
		for (unsigned i = 0; i < 3; i++) {
			ask_in_turn(&talk, "exchange.example", 7000);
			ask_in_turn(&talk, "elsewhere.test", 1000);
			ask_in_turn(&talk, "wiki.example", 20000);
		}
		dialogue_close(&talk);
		meter_finish(bench.meter);
		assert_int_equal(traffic_sum_count(bench.sum), services ? 2 : 3);
		seen = find(&bench, "exchange.example");
		assert_int_equal(seen->requests, 3);
		assert_int_equal(seen->responses, 3);
		assert_true(seen->sketches[OBS_RESPONSE].max == 7000);
		seen = find(&bench, "wiki.example");
		assert_int_equal(seen->requests, 3);
		assert_int_equal(seen->responses, 3);
		assert_true(seen->sketches[OBS_RESPONSE].min == 20000);
		assert_int_equal(seen->reset, 0);
		bench_end(&bench);
	}
}

static void a_failure_goes_to_the_service_known_at_that_address(void **state)
{
	static struct service list[1] = {{.name = "exchange",
		.host_count = 1,
		.hosts = {"exchange.example"},
		.port_count = 1,
		.ports = {80}}};
	struct bench bench = {.services = {1, list}};
	struct dialogue talk;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 80);
	dialogue_open(&talk, 100);
	dialogue_text(&talk, CLIENT, GET);
	dialogue_text(&talk, SERVER, ANSWER);
	talk = talk_to(&bench, 2, 80);
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	dialogue_segment(&talk, SERVER, TCP_SEGMENT_RST | TCP_SEGMENT_ACK, NULL, 0);
	meter_finish(bench.meter);
	assert_int_equal(find(&bench, "exchange")->refused, 1);
	bench_end(&bench);
}

static void six_is_as_good_as_four(void **state)
{
	struct bench bench = {0};
	struct dialogue talk = dialogue_between("2001:db8::7", 40000, "2001:db8::1", 25);

	(void)state;
	bench_begin(&bench, 64);
	talk.send = to_meter;
	talk.arg = &bench;
	dialogue_open(&talk, 100);
	dialogue_text(
		&talk, SERVER, "220 mail.example\r\n"); /* a greeting is no answer */
	dialogue_text(&talk, CLIENT, "EHLO me\r\n");
	dialogue_wait(&talk, 400);
	dialogue_text(&talk, SERVER, "250 fine\r\n");
	meter_finish(bench.meter);
	assert_int_equal(find(&bench, "[2001:db8::1]:25")->requests, 1);
	assert_int_equal(find(&bench, "[2001:db8::1]:25")->responses, 1);
	assert_true(find(&bench, "[2001:db8::1]:25")->sketches[OBS_RESPONSE].max == 400);
	bench_end(&bench);
}

static void impossible_times_are_refused(void **state)
{
	struct bench bench = {0};
	struct dialogue talk;
	struct meter_counts counts;

	(void)state;
	bench_begin(&bench, 64);
	talk = talk_to(&bench, 1, 80);
	talk.now.us = -1;
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	talk.now.us = MOMENT_MAX_US + 1;
	dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	meter_count(bench.meter, &counts);
	assert_int_equal(counts.malformed, 2);
	meter_finish(bench.meter);
	assert_int_equal(bench.windows, 0);
	bench_end(&bench);
}

/* A stranger's packet: of a connection never seen before, and never again. */
static void stranger(struct bench *bench, unsigned number, struct moment now)
{
	struct dialogue talk = talk_to(bench, (uint16_t)(number % 50000 + 10000), 443);

	put_u32(talk.address[CLIENT].bytes, 0xc6120000u + number / 50000);
	talk.now = now;
	if (number % 3 == 0) {
		dialogue_segment(&talk, CLIENT, TCP_SEGMENT_SYN, NULL, 0);
	} else if (number % 3 == 1) {
		dialogue_text(&talk, CLIENT, "the middle of something");
	} else {
		dialogue_open(&talk, 10);
		dialogue_say(&talk, CLIENT, "\x16\3\1\1\xf4\1\0\1\xf0\3\3aaaaaaaa", 19);
	}
}

static void floods_leave_measured_connections_alone(void **state)
{
	struct bench bench = {0};
	struct dialogue kept[8];
	struct meter_counts counts;
	const struct obs_traffic *seen;
	struct moment now = {INT64_C(1590854700000000)};

	(void)state;
	bench_begin(&bench, 64);
	for (unsigned i = 0; i < 8; i++) {
		kept[i] = talk_to(&bench, (uint16_t)(1000 + i), 80);
		kept[i].now = now;
		dialogue_open(&kept[i], 1000);
		dialogue_text(&kept[i], CLIENT, GET);
		dialogue_text(&kept[i], SERVER, ANSWER);
		dialogue_text(&kept[i], CLIENT, GET);
	}
	for (unsigned i = 0; i < 30000; i++) {
		now = moment_plus_us(now, 100);
		stranger(&bench, i, now);
	}
	for (unsigned i = 0; i < 8; i++) {
		kept[i].now = now;
		dialogue_text(&kept[i], SERVER, ANSWER);
	}
	meter_count(bench.meter, &counts);
	assert_in_range(counts.evicted, 19000, 20000);
	assert_in_range(counts.evicted_half_open, 9900, 10000);
	meter_finish(bench.meter);
	seen = find(&bench, "exchange.example");
	assert_int_equal(seen->connections, 8);
	assert_int_equal(seen->requests, 16);
	assert_int_equal(seen->responses, 16);
	assert_int_equal(seen->untimed, 0);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_measured),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(a_syn_that_icmp_says_no_to_is_refused),
		cmocka_unit_test(six_is_refused_as_four_is),
		cmocka_unit_test(forged_quotes_do_not_count),
		cmocka_unit_test(the_syns_of_traces_are_no_connections),
		cmocka_unit_test(our_own_requests_are_not_the_users),
		cmocka_unit_test(an_answer_may_overtake_the_syn_in_the_capture),
		cmocka_unit_test(a_repeated_handshake_is_not_timed),
		cmocka_unit_test(any_split_of_the_same_bytes_gives_the_same_answer),
		cmocka_unit_test(any_order_of_the_same_bytes_gives_the_same_answer),
		cmocka_unit_test(interleaved_connections_do_not_mix),
		cmocka_unit_test(a_mirrors_copy_is_no_retransmission),
		cmocka_unit_test(what_the_capture_lost_is_told_apart),
		cmocka_unit_test(
			what_the_network_lost_is_sent_again_and_not_lost_to_the_capture),
		cmocka_unit_test(a_stream_is_joined_in_its_middle),
		cmocka_unit_test(a_cut_capture_still_counts),
		cmocka_unit_test(a_flood_of_syns_is_bounded_and_reported),
		cmocka_unit_test(the_oldest_connection_gives_way),
		cmocka_unit_test(other_services_are_not_counted),
		cmocka_unit_test(requests_are_of_the_host_they_ask_for),
		cmocka_unit_test(a_failure_goes_to_the_service_known_at_that_address),
		cmocka_unit_test(six_is_as_good_as_four),
		cmocka_unit_test(impossible_times_are_refused),
		cmocka_unit_test(floods_leave_measured_connections_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
