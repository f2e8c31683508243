#include "dns_stream.h"

#include <string.h>

#include "buffer_pool.h"

#define MESSAGE_LEAST 17 /* a header and a question about the root */
#define QUESTION_MOST 511
#define CLEAR_IN_QUESTIONS                                           \
	0xfecfu /* of the flags all but recursion desired, AD and CD \
		 */

bool dns_stream_may_begin(const uint8_t *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);

	unsigned message_len;

	if (len > 0 && bytes[0] > QUESTION_MOST >> 8)
		return false;
	if (len >= 2) {
		message_len = cursor_take_u16(&cur);
		if (message_len < MESSAGE_LEAST)
			return false;
	}
	if (len >= 6) {
		cursor_skip(&cur, 2);
		if (cursor_take_u16(&cur) & CLEAR_IN_QUESTIONS)
			return false;
	}
	return len < 8 || cursor_take_u16(&cur) == 1;
}

void dns_stream_init(struct dns_stream *stream)
{
	*stream = (struct dns_stream){
		{{.gathered = BUFFER_POOL_NONE}, {.gathered = BUFFER_POOL_NONE}}};
}

static void drop_gathered(struct dns_stream_side *side, const struct exchange_sink *sink)
{
	buffer_pool_give(sink->buffers, side->gathered);
	side->gathered = BUFFER_POOL_NONE;
	side->gathered_len = 0;
}

void dns_stream_drop(struct dns_stream *stream, const struct exchange_sink *sink)
{
	drop_gathered(&stream->sides[EXCHANGE_CLIENT], sink);
	drop_gathered(&stream->sides[EXCHANGE_SERVER], sink);
}

/* Keeps a piece of a message that is not whole yet, as far as there is room. */
static void gather(struct dns_stream_side *side, const struct exchange_sink *sink,
	struct cursor piece)
{
	size_t len = cursor_left(&piece), room;
	uint8_t *bytes;

	if (side->gathered == BUFFER_POOL_NONE && !side->cut)
		side->gathered = buffer_pool_take(sink->buffers);
	if (side->cut || side->gathered == BUFFER_POOL_NONE)
		return;
	bytes = buffer_pool_bytes(sink->buffers, side->gathered);
	room = BUFFER_POOL_SIZE - side->gathered_len;
	if (len > room)
		len = room;
	memcpy(bytes + side->gathered_len, piece.at, len);
	side->gathered_len = (uint16_t)(side->gathered_len + len);
}

static void message_ends(struct dns_stream_side *side, const struct exchange_sink *sink,
	enum exchange_side from, struct cursor last, struct moment at)
{
	struct cursor message = last;

	if (side->len > cursor_left(&last)) {
		gather(side, sink, last);
		message = cursor_over(NULL, 0);
		if (side->gathered != BUFFER_POOL_NONE)
			message = cursor_over(
				buffer_pool_bytes(sink->buffers, side->gathered),
				side->gathered_len);
	}
	sink->message(sink->arg, from, message, side->len, at);
	drop_gathered(side, sink);
	side->length_bytes = 0;
	side->cut = false;
}

static void take_length(struct dns_stream_side *side, struct cursor *bytes)
{
	while (side->length_bytes < 2 && cursor_left(bytes) > 0) {
		side->len = (uint16_t)(side->len << 8 | cursor_take_u8(bytes));
		side->length_bytes++;
	}
	if (side->length_bytes == 2)
		side->remaining = side->len;
}

void dns_stream_bytes(struct dns_stream *stream, const struct exchange_sink *sink,
	enum exchange_side from, struct cursor bytes, struct moment at)
{
	struct dns_stream_side *side = &stream->sides[from];
	struct cursor piece;

	while (!side->lost && cursor_left(&bytes) > 0) {
		if (side->length_bytes < 2) {
			take_length(side, &bytes);
			continue;
		}
		piece = cursor_take_sub(&bytes, side->remaining);
		side->remaining -= (uint32_t)cursor_left(&piece);
		if (side->remaining == 0)
			message_ends(side, sink, from, piece, at);
		else
			gather(side, sink, piece);
	}
	if (!side->lost && side->length_bytes == 2 && side->len == 0)
		side->length_bytes = 0;
}

void dns_stream_skip(struct dns_stream *stream, const struct exchange_sink *sink,
	enum exchange_side from, uint64_t len, struct moment at)
{
	struct dns_stream_side *side = &stream->sides[from];

	if (side->lost)
		return;
	if (side->length_bytes < 2 || len > side->remaining) {
		drop_gathered(side, sink);
		side->lost = true;
		return;
	}
	side->remaining -= (uint32_t)len;
	side->cut = true;
	if (side->remaining == 0)
		message_ends(side, sink, from, cursor_over(NULL, 0), at);
}

uint64_t dns_stream_skippable(const struct dns_stream *stream, enum exchange_side from)
{
	const struct dns_stream_side *side = &stream->sides[from];

	if (side->lost)
		return UINT64_MAX;
	/* The head of a message is wanted; of its end we can do without. */
	return side->length_bytes == 2 && side->gathered_len >= 300 ? side->remaining : 0;
}
