/*
 * Plays a fan of flows through a network whose third hop is several routers.
 */
#ifndef TESTS_FAN_PLAY_H
#define TESTS_FAN_PLAY_H

#include "fan.h"

#define FAN_PLAY_FIRST_ID 7
#define FAN_PLAY_LENGTH 6

/* A path whose third hop is `width` routers, chosen by flow or by packet. */
struct diamond {
	unsigned width;
	bool by_packet, silent_hop;
};

static inline uint32_t fan_play_mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352dU;
	x ^= x >> 15;
	x *= 0x846ca68bU;
	return x ^ x >> 16;
}

static inline struct reply_packet fan_play_answer(
	const struct diamond *diamond, const struct fan_probe *probe, uint32_t seed)
{
	struct reply_packet reply = {.kind = REPLY_EXPIRED,
		.from = {.family = 4, .bytes = {192, 0, 2, probe->ttl}}};

	if (probe->ttl >= FAN_PLAY_LENGTH) {
		reply.kind = REPLY_ARRIVED;
		reply.from.bytes[0] = 203;
		reply.from.bytes[3] = 9;
	} else if (probe->ttl == 3) {
		uint32_t key = diamond->by_packet ? probe->id * 7919u : probe->flow;

		reply.from.bytes[2] =
			(uint8_t)(10 + fan_play_mix(key + seed) % diamond->width);
	}
	return reply;
}

/* Plays in batches, 10 ms each; the number of batches. */
static inline unsigned play(
	struct fan **fan, const struct diamond *diamond, uint32_t seed)
{
	struct fan_plan plan = {.max_ttl = 30, .first_id = FAN_PLAY_FIRST_ID};
	struct tick now = {0};
	unsigned batches = 0;

	assert_int_equal(fan_new(fan, &plan), 0);
	for (; !fan_is_done(*fan); batches++) {
		static struct fan_probe probes[FAN_SHOTS];
		unsigned count = 0;

		assert_in_range(batches, 0, 200);
		while (fan_next(*fan, now, NULL, &probes[count]))
			count++;
		now.us += 10000;
		for (unsigned i = 0; i < count; i++) {
			struct reply_packet reply =
				fan_play_answer(diamond, &probes[i], seed);

			if (diamond->silent_hop && probes[i].ttl == 4)
				continue;
			assert_true(fan_take_reply(*fan, probes[i].id, &reply, now));
		}
		if (diamond->silent_hop && fan_deadline(*fan).us != INT64_MAX) {
			now = fan_deadline(*fan);
			fan_expire(*fan, now);
		}
	}
	return batches;
}

#endif
