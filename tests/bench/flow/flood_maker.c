/*
 * flood_maker FLOWS [KIND]: a capture on standard output in which that many connections
 * never seen before pass by a hundred established ones, each of which asks and is
 * answered once a thousand flows; the truth as JSON on standard error. KIND: syn (nobody
 * answers), scan (every SYN is refused), middle (one segment of a connection that began
 * long ago), hello (all open and stay, half a ClientHello each).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_frame.h"

#define START_US (UINT64_C(1590883500) * 1000000)
#define ESTABLISHED 100
#define GAP_US 2u  /* half a million flows a second */
#define EVERY 1000 /* flows, for one request on each established connection */

static const char request[] = "GET / HTTP/1.1\r\nHost: kept.example\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/* The beginning of a ClientHello of 500 bytes. */
static const char hello[] =
	"\x16\3\1\1\xf4\1\0\1\xf0\3\3aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct end {
	uint32_t next[2];
};

struct flood {
	struct end kept[ESTABLISHED];
	uint64_t now_us, requests, flows;
	bool broken;
};

static void send_text(
	struct flood *flood, struct bench_frame frame, const char *text, size_t len)
{
	uint8_t bytes[BENCH_FRAME_MAX];
	unsigned head_len;

	frame.len = (uint16_t)len;
	frame.stamp_ms = (uint32_t)(flood->now_us / 1000);
	head_len = bench_frame_head(bytes, &frame);
	memcpy(bytes + head_len, text, len);
	flood->broken |=
		!bench_frame_write(stdout, flood->now_us, bytes, head_len + frame.len);
}

static void kept_says(struct flood *flood, uint32_t number, bool server, uint8_t flags,
	const char *text)
{
	struct end *end = &flood->kept[number];
	struct bench_frame frame = {.from_server = server,
		.client = 60000,
		.server = 60000,
		.client_port = (uint16_t)(10000 + number),
		.server_port = 80,
		.seq = end->next[server],
		.ack = end->next[!server],
		.flags = flags};

	send_text(flood, frame, text, strlen(text));
	end->next[server] += (uint32_t)strlen(text) + (flags & BENCH_FRAME_SYN ? 1 : 0);
}

static void open_kept(struct flood *flood)
{
	for (uint32_t i = 0; i < ESTABLISHED; i++) {
		kept_says(flood, i, false, BENCH_FRAME_SYN, "");
		kept_says(flood, i, true, BENCH_FRAME_SYN | BENCH_FRAME_ACK, "");
		kept_says(flood, i, false, BENCH_FRAME_ACK, "");
	}
}

static void all_kept(struct flood *flood, bool server)
{
	for (uint32_t i = 0; i < ESTABLISHED; i++)
		kept_says(flood, i, server, BENCH_FRAME_ACK, server ? answer : request);
	flood->requests += server ? 0 : ESTABLISHED;
}

/* Client and port tell 32,768 times 61,440 flows apart before numbers come again. */
static void stranger(struct flood *flood, const char *kind)
{
	uint32_t number = (uint32_t)flood->flows++;
	struct bench_frame frame = {.client = number % 32768,
		.server = 60001,
		.client_port = (uint16_t)(4096 + number / 32768 % 61440),
		.server_port = 443,
		.seq = number * 2654435761u,
		.flags = BENCH_FRAME_SYN};
	struct bench_frame back = frame;

	if (strcmp(kind, "middle") == 0) {
		frame.flags = BENCH_FRAME_ACK;
		send_text(flood, frame, "whatever it may be", 18);
		return;
	}
	send_text(flood, frame, "", 0);
	if (strcmp(kind, "syn") == 0)
		return;
	back.from_server = true;
	back.ack = ++frame.seq;
	back.flags = strcmp(kind, "scan") == 0 ? BENCH_FRAME_RST | BENCH_FRAME_ACK
					       : BENCH_FRAME_SYN | BENCH_FRAME_ACK;
	send_text(flood, back, "", 0);
	if (strcmp(kind, "hello") != 0)
		return;
	frame.flags = BENCH_FRAME_ACK;
	frame.ack = back.seq + 1;
	send_text(flood, frame, hello, sizeof(hello) - 1);
}

int main(int argc, char **argv)
{
	uint64_t flows = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	const char *kind = argc > 2 ? argv[2] : "syn";
	static struct flood flood = {.now_us = START_US};

	flood.broken = !bench_frame_open_file(stdout);
	open_kept(&flood);
	while (flood.flows < flows && !flood.broken) {
		flood.now_us += GAP_US;
		if (flood.flows % EVERY == 0)
			all_kept(&flood, false);
		stranger(&flood, kind);
		if (flood.flows % EVERY == EVERY / 2)
			all_kept(&flood, true);
	}
	if (fflush(stdout) || flood.broken) {
		perror("flood_maker: standard output");
		return 74;
	}
	(void)fprintf(stderr, "{\"flows\":%llu,\"requests\":%llu}\n",
		(unsigned long long)flood.flows, (unsigned long long)flood.requests);
	return 0;
}
