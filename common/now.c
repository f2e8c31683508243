#include "astray/now.h"

#include <time.h>

static int64_t read_us(clockid_t which)
{
	struct timespec ts;

	(void)clock_gettime(which, &ts); /* cannot fail for these two */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct moment now_moment(void)
{
	return (struct moment){read_us(CLOCK_REALTIME)};
}

struct tick now_tick(void)
{
	return (struct tick){read_us(CLOCK_MONOTONIC)};
}
