/*
 * A meter that a test's packets go to, and what it says of a service in the end. For
 * tests with cmocka.
 */
#ifndef TEST_METER_BENCH_H
#define TEST_METER_BENCH_H

#include <stdlib.h>
#include <string.h>

#include "astray/services.h"
#include "link_layer.h"
#include "meter.h"
#include "packet_builder.h"
#include "traffic_sum.h"

#define CLIENT EXCHANGE_CLIENT
#define SERVER EXCHANGE_SERVER

struct bench {
	struct meter *meter;
	struct traffic_sum *sum;
	struct services services;
	unsigned windows;
};

static inline void bench_hear(void *arg, const struct obs *obs)
{
	struct bench *bench = arg;

	bench->windows++;
	assert_true(traffic_sum_add(bench->sum, &obs->traffic));
}

static inline void bench_begin(struct bench *bench, uint32_t flows)
{
	struct meter_config config = {.window_us = 10 * MOMENT_SECOND_US,
		.pause_us = MOMENT_HOUR_US,
		.flows = flows,
		.service_limit = 16,
		.seed = 42,
		.emit = bench_hear,
		.emit_arg = bench};

	assert_int_equal(traffic_sum_new(&bench->sum, 64), 0);
	assert_int_equal(meter_new(&bench->meter, &config, &bench->services), 0);
}

static inline void bench_end(struct bench *bench)
{
	meter_free(bench->meter);
	traffic_sum_free(bench->sum);
}

static inline void to_meter(void *arg, const struct packet *packet)
{
	struct bench *bench = arg;
	/* An exact copy, so that reading one byte too far is seen. */
	uint8_t *bytes = malloc(packet->captured);

	memcpy(bytes, packet->bytes, packet->captured);
	meter_packet(bench->meter, LINK_LAYER_ETHERNET, packet->at, bytes,
		packet->captured, packet->len);
	free(bytes);
}

static inline struct dialogue talk_to(
	struct bench *bench, uint16_t client_port, uint16_t port)
{
	struct dialogue dialogue =
		dialogue_between("192.0.2.7", client_port, "198.51.100.1", port);

	dialogue.send = to_meter;
	dialogue.arg = bench;
	return dialogue;
}

/* What the meter says of a service once everything is over. */
static inline const struct obs_traffic *find(struct bench *bench, const char *service)
{
	for (size_t i = 0; i < traffic_sum_count(bench->sum); i++)
		if (strcmp(traffic_sum_at(bench->sum, i)->service, service) == 0)
			return traffic_sum_at(bench->sum, i);
	fail_msg("no traffic of %s", service);
	abort(); /* never reached, which compilers are not told */
}

#endif
