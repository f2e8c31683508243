/*
 * Bytes as datagrams between two hosts: a byte that chooses who speaks and what is done
 * with the rest, one of time passed, two of length, the datagram. Frames may also be
 * given bare, as what an Initial packet held: nobody's chance makes a seal that opens.
 */
#include <assert.h>
#include <stdlib.h>

#include "quic_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event(void *arg, enum exchange_event which, int64_t value_us)
{
	(void)arg;
	(void)which;
	assert(value_us >= 0);
}

static void host(void *arg, const struct exchange_host *host)
{
	unsigned *told = arg;

	assert(host->by == OBS_BY_SERVER_NAME && (host->name || host->len == 0));
	++*told;
}

static void frames(struct quic_hello *hello, struct buffer_pool *pool, struct cursor cur)
{
	struct quic_hello_frames seen;
	const struct quic_hello_piece *pieces;
	struct cursor bytes;

	(void)quic_hello_read(hello, pool, &seen, cur);
	assert(!seen.news || seen.crypto);
	bytes = quic_hello_bytes(hello, pool);
	assert(cursor_left(&bytes) <= BUFFER_POOL_SIZE);
	pieces = quic_hello_pieces(hello, pool);
	for (unsigned i = 0; i + 1 < hello->piece_count; i++)
		assert(pieces[i].until < pieces[i + 1].from);
	(void)quic_hello_is_whole(hello, pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor cur = cursor_over(data, size);
	struct moment now = {INT64_C(1590854700000000)};
	unsigned told = 0;
	struct exchange_sink sink = {.event = event, .host = host, .arg = &told};
	struct quic_talk_scene scene = {.plain = malloc(65536), .sink = &sink};
	struct quic_talk_news news;
	struct quic_hello hello;
	struct quic_talk talk;

	assert(scene.plain && buffer_pool_new(&sink.buffers, 4) == 0);
	assert(quic_crypt_new(&scene.crypt) == 0);
	quic_talk_init(&talk);
	quic_hello_init(&hello);
	while (cursor_left(&cur) > 4) {
		uint8_t choice = cursor_take_u8(&cur);
		enum exchange_side from = choice & 1 ? EXCHANGE_SERVER : EXCHANGE_CLIENT;
		struct cursor part;
		size_t len;

		now = moment_plus_us(now, (int64_t)cursor_take_u8(&cur) * 1000);
		part = cursor_take_sub(&cur, cursor_take_u16(&cur));
		len = cursor_left(&part);
		if (choice & 2)
			frames(&hello, sink.buffers, part);
		else if (quic_talk_may_begin(scene.crypt, scene.plain, part, 1200) ||
			 !(choice & 4))
			quic_talk_datagram(
				&talk, &scene, &news, from, part, (uint32_t)len, now);
	}
	quic_talk_end(&talk, &sink);
	quic_talk_drop(&talk, &sink);
	quic_hello_drop(&hello, sink.buffers);
	assert(told <= 1);
	for (unsigned i = 0; i < 4; i++)
		assert(buffer_pool_take(sink.buffers) != BUFFER_POOL_NONE);
	quic_crypt_free(scene.crypt);
	buffer_pool_free(sink.buffers);
	free(scene.plain);
	return 0;
}
