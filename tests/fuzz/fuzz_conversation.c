/*
 * Bytes as what the two sides of one connection say, in whatever protocol: first a byte
 * that says whether its beginning was seen; then pieces: a byte that chooses who speaks,
 * whether bytes are lost before and how much of it was captured, one of time passed, two
 * of length, the bytes. Every request has one answer at most, nobody is named twice over,
 * and what was borrowed is given back.
 */
#include <assert.h>
#include <stdlib.h>

#include "buffer_pool.h"
#include "conversation.h"
#include "hpack_pool.h"
#include "slab.h"

#define BUFFERS 4
#define CELLS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
	unsigned counts[EXCHANGE_HANDSHAKE + 1];
	unsigned hosts, ahead;
};

static void event(void *arg, enum exchange_event which, int64_t value_us)
{
	struct heard *heard = arg;

	assert(value_us >= 0);
	heard->counts[which]++;
	if (heard->hosts == 0)
		assert(++heard->ahead <= EXCHANGE_EVENTS_AHEAD);
}

static void host(void *arg, const struct exchange_host *host)
{
	struct heard *heard = arg;
	unsigned sum = 0;

	for (size_t i = 0; host->name && i < host->len; i++)
		sum += (uint8_t)host->name[i]; /* ASan sees what may not be read */
	assert(sum <= 255 * host->len);
	heard->hosts++;
}

static void message(void *arg, enum exchange_side from, struct cursor bytes, uint32_t len,
	struct moment at)
{
	(void)arg;
	(void)from;
	(void)at;
	assert(cursor_left(&bytes) <= len);
}

static void make_sink(struct exchange_sink *sink, struct heard *heard)
{
	*sink = (struct exchange_sink){
		.event = event, .host = host, .message = message, .arg = heard};
	if (buffer_pool_new(&sink->buffers, BUFFERS) ||
		slab_new(&sink->cells, CELLS, EXCHANGE_CELL) ||
		hpack_pool_new(&sink->readers, 1))
		abort();
}

static void drop_sink(struct exchange_sink *sink)
{
	for (unsigned i = 0; i < BUFFERS; i++)
		if (buffer_pool_take(sink->buffers) == BUFFER_POOL_NONE)
			abort();
	for (unsigned i = 0; i < CELLS; i++)
		if (slab_take(sink->cells) == SLAB_NONE)
			abort();
	hpack_pool_free(sink->readers);
	slab_free(sink->cells);
	buffer_pool_free(sink->buffers);
}

static void speak(
	struct conversation *talk, const struct exchange_sink *sink, struct cursor *cur)
{
	struct moment now = {INT64_C(1590854700000000)};

	while (cursor_left(cur) > 4) {
		uint8_t choice = cursor_take_u8(cur);
		enum exchange_side side = choice & 1 ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
		struct cursor part, seen;

		now = moment_plus_us(now, (int64_t)cursor_take_u8(cur) * 1000);
		part = cursor_take_sub(cur, cursor_take_u16(cur));
		seen = choice & 4 ? cursor_over(part.at, cursor_left(&part) / 2) : part;
		if (choice & 2)
			conversation_hole(talk, sink, side,
				choice & 8 ? UINT64_MAX : choice >> 4, now);
		if (cursor_left(&part) > 0)
			conversation_segment(talk, sink, side, seen,
				(uint32_t)cursor_left(&part), now);
		(void)conversation_skippable(talk, sink, side);
		(void)conversation_is_open(talk, sink);
		if (choice >= 0xf8)
			conversation_client_away(
				talk, moment_since_us(now, (struct moment){0}));
		if (choice == 0xff)
			conversation_breaks_off(talk, sink, side);
	}
	conversation_end(talk, sink, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cur = cursor_over(data, size);
	struct heard heard = {0};
	struct exchange_sink sink;
	struct conversation talk;

	make_sink(&sink, &heard);
	conversation_init(&talk, cursor_take_u8(&cur) & 1);
	speak(&talk, &sink, &cur);
	assert(heard.counts[EXCHANGE_RESPONSE] + heard.counts[EXCHANGE_ANSWERED] <=
		heard.counts[EXCHANGE_REQUEST]);
	assert(heard.counts[EXCHANGE_UNTIMED] <= heard.counts[EXCHANGE_REQUEST]);
	assert(heard.counts[EXCHANGE_LAST_BYTE] <= heard.counts[EXCHANGE_REQUEST]);
	assert(heard.counts[EXCHANGE_ERROR] <= heard.counts[EXCHANGE_REQUEST]);
	assert(heard.counts[EXCHANGE_HANDSHAKE] <= 1 &&
		heard.counts[EXCHANGE_BROKEN] <= 1);
	conversation_drop(&talk, &sink);
	drop_sink(&sink);
	return 0;
}
