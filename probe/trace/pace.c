#include "pace.h"

#define PACKET 1000000 /* of credit; a rate a second is then one a microsecond */
#define BURST_SHARE 50

void pace_init(struct pace *pace, int64_t rate, struct tick now)
{
	int64_t burst = rate / BURST_SHARE;

	pace->rate = rate;
	pace->credit_max = (burst > PACE_BURST_MIN ? burst : PACE_BURST_MIN) * PACKET;
	pace->credit = pace->credit_max;
	pace->counted = now;
}

void pace_limit_burst(struct pace *pace, unsigned packets)
{
	pace->credit_max = (int64_t)packets * PACKET;
	pace->credit = pace->credit_max;
}

static int64_t credit_at(const struct pace *pace, struct tick now)
{
	int64_t idle_us = tick_since_us(now, pace->counted);
	int64_t missing = pace->credit_max - pace->credit;

	if (idle_us <= 0)
		return pace->credit;
	if (idle_us > missing / pace->rate)
		return pace->credit_max;
	return pace->credit + idle_us * pace->rate;
}

static void count_up(struct pace *pace, struct tick now)
{
	pace->credit = credit_at(pace, now);
	if (tick_since_us(now, pace->counted) > 0)
		pace->counted = now;
}

bool pace_take(struct pace *pace, struct tick now)
{
	count_up(pace, now);
	if (pace->credit < PACKET)
		return false;
	pace->credit -= PACKET;
	return true;
}

void pace_owe(struct pace *pace, struct tick now)
{
	count_up(pace, now);
	pace->credit -= PACKET;
	if (pace->credit < -pace->credit_max)
		pace->credit = -pace->credit_max;
}

static int64_t until_us(const struct pace *pace, int64_t credit, struct tick now)
{
	int64_t missing = credit - credit_at(pace, now);

	return missing > 0 ? (missing + pace->rate - 1) / pace->rate : 0;
}

int64_t pace_wait_us(const struct pace *pace, struct tick now)
{
	return until_us(pace, PACKET, now);
}

int64_t pace_rest_us(const struct pace *pace, struct tick now)
{
	return until_us(pace, pace->credit_max, now);
}
