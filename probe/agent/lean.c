#include "lean.h"

/* The last byte lies behind the first one, which is judged; the client's half of a
 * connection is what rtt_us and connect_us hold as well; and thinking is the response
 * less the round trip, which stand there both. */
static const enum obs_sketch spare[] = {OBS_LAST_BYTE, OBS_THINK, OBS_CLIENT_CONNECT};
#define SPARE (sizeof(spare) / sizeof(spare[0]))

bool lean_is_wanted(const struct obs *obs)
{
	for (unsigned i = 0; obs->kind == OBS_TRAFFIC && i < SPARE; i++)
		if (!sketch_is_empty(&obs->traffic.sketches[spare[i]]))
			return true;
	return false;
}

void lean_strip(struct obs *obs)
{
	for (unsigned i = 0; i < SPARE; i++)
		sketch_init(&obs->traffic.sketches[spare[i]]);
}
