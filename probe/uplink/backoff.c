#include "backoff.h"

static int64_t bound_us(const struct backoff *backoff)
{
	int64_t bound = backoff->first_us;

	for (unsigned i = 1; i < backoff->failures && bound < backoff->limit_us; i++)
		bound *= 2;
	return bound < backoff->limit_us ? bound : backoff->limit_us;
}

int64_t backoff_next_us(struct backoff *backoff, int64_t not_before_us, uint64_t random)
{
	backoff->failures++;
	return not_before_us + (int64_t)(random % ((uint64_t)bound_us(backoff) + 1));
}

void backoff_reset(struct backoff *backoff)
{
	backoff->failures = 0;
}
