/*
 * What one line of the wire costs in processor time, read and written: a traffic window,
 * and a path of fifteen hops. Prints one row for each; the best of several rounds, since
 * anything that disturbs a round only makes it slower.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "astray/wire.h"

#define ROUNDS 7
#define LINES_A_ROUND 20000

struct bench {
	struct obs obs;
	char line[WIRE_LINE_MAX];
	size_t len;
};

static double cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int read_once(struct bench *bench)
{
	return wire_decode(&bench->obs, bench->line, bench->len, NULL);
}

static int write_once(struct bench *bench)
{
	return wire_encode(bench->line, sizeof(bench->line), &bench->obs) > 0 ? 0 : -1;
}

static double best_ns(int (*once)(struct bench *), struct bench *bench)
{
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double begin = cpu_ns(), each;

		for (int i = 0; i < LINES_A_ROUND; i++)
			if (once(bench))
				abort();
		each = (cpu_ns() - begin) / LINES_A_ROUND;
		best = each < best ? each : best;
	}
	return best;
}

static void fill_traffic(struct obs *obs)
{
	struct obs_traffic *traffic = &obs->traffic;

	obs_init(obs, OBS_TRAFFIC, (struct moment){INT64_C(1590854700000000)});
	traffic->window_us = 10 * MOMENT_SECOND_US;
	(void)snprintf(traffic->service, sizeof(traffic->service), "exchange");
	traffic->connections = 12;
	traffic->refused = traffic->reset = traffic->errors = 0;
	traffic->timed_out = 1;
	traffic->requests = 120;
	traffic->responses = 118;
	traffic->sent_bytes = 48211;
	traffic->received_bytes = 1903377;
	for (int i = 0; i < 9; i++)
		(void)sketch_add(&traffic->sketches[OBS_RESPONSE], 24000 + 20 * i);
	traffic->peer_count = 1;
	(void)address_parse(&traffic->peers[0].address, "203.0.113.10");
	traffic->peers[0].requests = 120;
}

static void fill_trace(struct obs *obs)
{
	struct obs_trace *trace = &obs->trace;

	obs_init(obs, OBS_TRACE, (struct moment){INT64_C(1590854700000000)});
	(void)snprintf(trace->service, sizeof(trace->service), "exchange");
	(void)address_parse(&trace->peer, "203.0.113.10");
	trace->port = 443;
	trace->flow = 3;
	trace->reached = true;
	trace->hop_count = 15;
	for (unsigned i = 0; i < trace->hop_count; i++) {
		struct obs_hop *hop = &trace->hops[i];

		*hop = (struct obs_hop){
			.ttl = i + 1, .sent = 3, .answered = 3, .rtt_us = 800 + 1700 * i};
		hop->address = address_v4(&(uint8_t[]){198, 51, 100, (uint8_t)i});
		(void)snprintf(
			hop->name, sizeof(hop->name), "ae%u.cr1.transit.example", i);
		hop->place = (struct place){.country = "NL",
			.city = "Amsterdam",
			.org = "Transit Example",
			.located = true,
			.latitude = 52.4,
			.longitude = 4.9,
			.asn = 64511,
			.source = PLACE_SOURCE_MMDB,
			.verdict = PLACE_POSSIBLE};
	}
}

static void measure(struct bench *bench, const char *what)
{
	double written_ns = best_ns(write_once, bench);

	bench->len = strlen(bench->line);
	printf("%-16s %5zu bytes   read %8.0f ns   write %8.0f ns\n", what, bench->len,
		best_ns(read_once, bench), written_ns);
}

int main(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return 1;
	fill_traffic(&bench->obs);
	measure(bench, "traffic");
	fill_trace(&bench->obs);
	measure(bench, "trace of 15 hops");
	free(bench);
	return 0;
}
