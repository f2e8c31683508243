#include "spin_bit.h"

void spin_bit_client(struct spin_bit *spin, bool bit, struct moment at)
{
	bool turns = spin->begun[0] && bit != spin->client;

	spin->begun[0] = true;
	spin->client = bit;
	if (!turns)
		return;
	spin->turned = at;
	spin->waiting = true;
}

int64_t spin_bit_server(
	struct spin_bit *spin, bool bit, int64_t least_us, struct moment at)
{
	bool turns = spin->begun[1] && bit != spin->server;
	int64_t rtt_us;

	spin->begun[1] = true;
	spin->server = bit;
	if (!turns || !spin->waiting || bit != spin->client || spin->silent)
		return -1;
	spin->waiting = false;
	rtt_us = moment_since_us(at, spin->turned);
	/* Bits thrown by chance turn with the next packet, not with the next round. */
	spin->silent = rtt_us < 0 || (least_us > 0 && rtt_us < least_us / 2);
	return spin->silent ? -1 : rtt_us;
}
