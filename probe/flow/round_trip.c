#include "round_trip.h"

#include "tcp_segment.h"

/* An acknowledgement within the least round trip and this much more was not delayed. */
#define SLACK_US 1000

/* The least that every path carries: a full segment is at least so long (RFC 9293
 * §3.7.1). */
#define FULL_LEN 536

void round_trip_init(struct round_trip *trip)
{
	*trip = (struct round_trip){.least_us = ROUND_TRIP_NONE};
}

/* Never 0. No sample is longer than half of what 32 bits hold, which is 36 minutes: what
 * is acknowledged an hour later was sent again. */
static uint32_t low_us(struct moment at)
{
	return (uint32_t)at.us | (uint32_t)((uint32_t)at.us == 0);
}

void round_trip_sent(
	struct round_trip *trip, uint32_t seq_end, uint32_t len, struct moment at)
{
	uint32_t segments = trip->segments + len / FULL_LEN;

	trip->segments = (uint8_t)(segments < UINT8_MAX ? segments : UINT8_MAX);
	trip->awaited = seq_end;
	trip->sent_us = low_us(at);
}

void round_trip_forget(struct round_trip *trip)
{
	trip->sent_us = 0;
	trip->segments = 0;
}

static bool is_prompt(const struct round_trip *trip, uint32_t len, int64_t sample_us)
{
	if (trip->segments >= 2 && len == 0)
		return true;
	return trip->least_us != ROUND_TRIP_NONE &&
	       sample_us <= (int64_t)trip->least_us + SLACK_US;
}

int64_t round_trip_acknowledged(
	struct round_trip *trip, uint32_t ack, uint32_t len, struct moment at)
{
	int64_t sample_us = (int32_t)((uint32_t)at.us - trip->sent_us);
	bool good;

	if (!trip->sent_us || tcp_segment_distance(ack, trip->awaited) < 0)
		return -1;
	good = sample_us >= 0 && is_prompt(trip, len, sample_us);
	round_trip_forget(trip);
	if (!good)
		return -1;
	round_trip_note(trip, sample_us);
	return sample_us;
}

void round_trip_note(struct round_trip *trip, int64_t sample_us)
{
	if (sample_us >= 0 && sample_us < (int64_t)trip->least_us)
		trip->least_us = (uint32_t)sample_us;
}
