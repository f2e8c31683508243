/*
 * Bytes as what the two sides of an HTTP/2 connection say: a byte that chooses who speaks
 * and whether bytes are lost before, one of time passed, two of length, the bytes. A
 * request has one answer at most, whatever is said.
 */
#include <assert.h>
#include <stdlib.h>

#include "buffer_pool.h"
#include "h2_exchange.h"
#include "hpack_pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event(void *arg, enum exchange_event which, int64_t value_us)
{
	unsigned *counts = arg;

	assert(value_us >= 0);
	counts[which]++;
}

static void host(void *arg, const struct exchange_host *host)
{
	(void)arg;
	assert(host->name || host->len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cur = cursor_over(data, size);
	struct moment now = {INT64_C(1590854700000000)};
	unsigned counts[EXCHANGE_HANDSHAKE + 1] = {0};
	struct exchange_sink sink = {.event = event, .host = host, .arg = counts};
	struct h2_exchange h2;

	assert(buffer_pool_new(&sink.buffers, 1) == 0);
	assert(hpack_pool_new(&sink.readers, 1) == 0);
	h2_exchange_init(&h2, &sink, size > 0 && (data[0] & 4));
	while (cursor_left(&cur) > 4) {
		uint8_t choice = cursor_take_u8(&cur);
		enum exchange_side from = choice & 1 ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
		struct cursor part;

		now = moment_plus_us(now, (int64_t)cursor_take_u8(&cur) * 1000);
		part = cursor_take_sub(&cur, cursor_take_u16(&cur));
		if (choice & 2)
			h2_exchange_skip(&h2, &sink, from, choice);
		h2_exchange_bytes(&h2, &sink, from, part, now);
		assert(h2_exchange_skippable(&h2, from) > 0 || !h2.sides[from].lost);
	}
	assert(counts[EXCHANGE_RESPONSE] + counts[EXCHANGE_ANSWERED] <=
		counts[EXCHANGE_REQUEST]);
	assert(counts[EXCHANGE_LAST_BYTE] <= counts[EXCHANGE_RESPONSE]);
	assert(h2.open <= counts[EXCHANGE_REQUEST]);
	h2_exchange_drop(&h2, &sink);
	hpack_pool_free(sink.readers);
	buffer_pool_free(sink.buffers);
	return 0;
}
