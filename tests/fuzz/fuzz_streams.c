/*
 * Bytes as the records of HTTP/2 inside TLS: of each a byte that chooses who speaks and
 * what of it is seen, one of time passed, two of length. Where the choice says so, the
 * client has had all but so many of the server's bytes. Whatever comes, nothing is
 * answered that was not asked, and sums are of times that can be.
 */
#include <assert.h>
#include <stdlib.h>

#include "slab.h"
#include "streams.h"

#define CELLS 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event(void *arg, enum exchange_event which, int64_t value_us)
{
	unsigned *counts = arg;

	assert(value_us >= 0);
	counts[which]++;
}

/* Gaps from microseconds to seconds: what follows at once is judged otherwise. */
static int64_t gap_us(uint8_t choice, uint8_t value)
{
	return (int64_t)value * (choice & 8 ? 10000 : 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cur = cursor_over(data, size);
	struct moment now = {INT64_C(1590854700000000)};
	unsigned counts[EXCHANGE_HANDSHAKE + 1] = {0};
	struct exchange_sink sink = {.event = event, .arg = counts};
	struct streams streams;

	if (slab_new(&sink.cells, CELLS, EXCHANGE_CELL))
		return 0;

	streams_init(&streams, 17, size & 1, size & 2);
	while (cursor_left(&cur) >= 4) {
		uint8_t choice = cursor_take_u8(&cur);
		enum exchange_side side = choice & 1 ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
		uint16_t len;

		now = moment_plus_us(now, gap_us(choice, cursor_take_u8(&cur)));
		len = cursor_take_u16(&cur);
		if (choice & 16)
			streams_unseen(&streams, &sink, len, len);
		if (choice & 2)
			streams_lost(&streams, &sink, side, (uint64_t)len * 3);
		else if (side == EXCHANGE_SERVER)
			streams_server(&streams, &sink, now, len);
		else
			streams_client(&streams, &sink, now, len);
		if (choice & 4) {
			streams_client_more(&streams, now);
			streams_server_more(&streams, now);
		}
		assert(streams.open.untimed <= streams.open.count &&
			streams.open.shown <= streams.open.count);
	}
	streams_end(&streams, &sink);
	streams_drop(&streams, &sink);
	slab_free(sink.cells);
	assert(counts[EXCHANGE_RESPONSE] + counts[EXCHANGE_ANSWERED] +
			streams.open.count <=
		counts[EXCHANGE_REQUEST]);
	assert(counts[EXCHANGE_MULTIPLEXED] <= counts[EXCHANGE_REQUEST]);
	assert(counts[EXCHANGE_LAST_BYTE] <= counts[EXCHANGE_RESPONSE]);
	return 0;
}
