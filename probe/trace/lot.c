#include "lot.h"

#include <errno.h>
#include <string.h>

#include "astray/now.h"

#define PACKET_MAX_US 4

void lot_add(struct lot *lot, struct flight *flight, const struct trace_packet *packet)
{
	lot->packets[lot->count] = *packet;
	lot->flights[lot->count++] = flight;
}

void lot_forget(struct lot *lot, const struct flight *flight)
{
	for (unsigned i = 0; i < lot->count; i++)
		if (lot->flights[i] == flight)
			lot->flights[i] = NULL;
}

static void drop_first(struct lot *lot, unsigned count)
{
	unsigned rest = lot->count - count;

	memmove(lot->packets, lot->packets + count, rest * sizeof(lot->packets[0]));
	memmove(lot->flights, lot->flights + count, rest * sizeof(struct flight *));
	lot->count = rest;
}

/* One call took from `before` to `after`; its packets left one by one in between, each at
 * the beginning of its share: what the kernel does with it afterwards counts as on the
 * way. A call that took much longer than packets do was interrupted, who knows after
 * which: a round trip may be said too long then, never too short. */
static void note_sent(
	const struct lot *lot, unsigned count, struct tick before, struct tick after)
{
	int64_t span_us = tick_since_us(after, before);

	for (unsigned i = 0; i < count; i++) {
		int64_t share_us = span_us * i / count;
		struct tick at = {before.us + share_us};

		if (share_us > i * PACKET_MAX_US)
			at.us = before.us + i * PACKET_MAX_US;
		if (lot->flights[i])
			flight_note_sent(lot->flights[i], lot->packets[i].id, at);
	}
}

int lot_send(struct lot *lot, bool stamped)
{
	struct tick before = now_tick();
	int sent = trace_socket_send(lot->socket, lot->packets, lot->count, stamped);

	if (sent == -EAGAIN)
		return sent;
	if (sent > 0)
		note_sent(lot, (unsigned)sent, before, now_tick());
	drop_first(lot, sent > 0 ? (unsigned)sent : 1);
	return sent;
}
