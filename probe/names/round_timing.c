#include "round_timing.h"

#include <stddef.h>
#include <sys/random.h>

#include "astray/now.h"

#define SILENT_MAX_US (5 * MOMENT_MINUTE_US)
#define FIRST_MAX_MS 5000

uint32_t round_timing_random(void)
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint32_t)now_tick().us;
	return number;
}

uint64_t round_timing_wait_ms(int64_t interval_us, unsigned silence)
{
	int64_t wait_us = interval_us, fifth_us = interval_us / 5;

	while (silence-- > 0 && wait_us < SILENT_MAX_US)
		wait_us *= 2;
	if (wait_us > SILENT_MAX_US && wait_us > interval_us)
		wait_us = interval_us > SILENT_MAX_US ? interval_us : SILENT_MAX_US;
	return (uint64_t)(wait_us - fifth_us +
			  round_timing_random() % (2 * fifth_us + 1)) /
	       1000;
}

uint64_t round_timing_first_ms(int64_t interval_us)
{
	uint64_t tenth_ms = (uint64_t)interval_us / 10000;

	return round_timing_random() %
	       ((tenth_ms < FIRST_MAX_MS ? tenth_ms : FIRST_MAX_MS) + 1);
}
