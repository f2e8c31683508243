#include "h2_exchange.h"

#include <string.h>

#include "buffer_pool.h"
#include "hpack_pool.h"
#include "http_head.h"

#define HEADER_LEN 9
#define FRAME_DATA 0
#define FRAME_HEADERS 1
#define FRAME_RESET 3
#define FRAME_SETTINGS 4
#define SETTING_LEN 6
#define FRAME_PROMISE 5
#define FRAME_GO_AWAY 7
#define FRAME_CONTINUATION 9
#define FLAG_END_STREAM 0x01u
#define FLAG_END_HEADERS 0x04u
#define FLAG_PADDED 0x08u
#define FLAG_PRIORITY 0x20u
#define PRIORITY_LEN 5
#define NOT_TIMED UINT32_MAX

static const char preface[H2_EXCHANGE_PREFACE + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* A request whose answer is not complete. */
struct stream {
	uint32_t number;
	uint32_t asked_us; /* after the base; NOT_TIMED */
	bool answered;
};

_Static_assert(H2_EXCHANGE_OPEN * sizeof(struct stream) <= BUFFER_POOL_SIZE,
	"the open streams fit a buffer");

bool h2_exchange_may_begin(const uint8_t *bytes, size_t len)
{
	return memcmp(bytes, preface,
		       len < H2_EXCHANGE_PREFACE ? len : H2_EXCHANGE_PREFACE) == 0;
}

bool h2_exchange_may_greet(const uint8_t *bytes, size_t len)
{
	struct cursor cur = cursor_over(bytes, len);
	uint32_t settings_len = cursor_take_u24(&cur);

	return settings_len % SETTING_LEN == 0 &&
	       cursor_take_u8(&cur) == FRAME_SETTINGS && cursor_take_u8(&cur) == 0 &&
	       cursor_take_u32(&cur) == 0 && !cur.short_read;
}

void h2_exchange_init(
	struct h2_exchange *h2, const struct exchange_sink *sink, bool switched)
{
	*h2 = (struct h2_exchange){.preface_left = H2_EXCHANGE_PREFACE,
		.last_stream = switched ? 1 : 0,
		.named = switched,
		.book = buffer_pool_take(sink->buffers),
		.readers = hpack_pool_take(sink->readers)};
}

void h2_exchange_drop(struct h2_exchange *h2, const struct exchange_sink *sink)
{
	buffer_pool_give(sink->buffers, h2->book);
	hpack_pool_give(sink->readers, h2->readers);
	h2->book = BUFFER_POOL_NONE;
	h2->readers = HPACK_POOL_NONE;
	h2->open = 0;
}

static struct stream *book_of(
	const struct h2_exchange *h2, const struct exchange_sink *sink)
{
	return h2->book == BUFFER_POOL_NONE ? NULL
					    : buffer_pool_bytes(sink->buffers, h2->book);
}

static struct stream *find(
	const struct h2_exchange *h2, const struct exchange_sink *sink, uint32_t number)
{
	struct stream *book = book_of(h2, sink);

	for (unsigned i = 0; book && i < h2->open; i++)
		if (book[i].number == number)
			return &book[i];
	return NULL;
}

static void forget(
	struct h2_exchange *h2, const struct exchange_sink *sink, struct stream *stream)
{
	h2->open--;
	*stream = book_of(h2, sink)[h2->open];
}

static void give_up_time(const struct exchange_sink *sink, struct stream *stream)
{
	if (stream->asked_us != NOT_TIMED && !stream->answered)
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
	stream->asked_us = NOT_TIMED;
}

/* What was asked for after this stream will not be served here. */
static void give_up_above(
	struct h2_exchange *h2, const struct exchange_sink *sink, uint32_t number)
{
	struct stream *book = book_of(h2, sink);

	for (unsigned i = h2->open; book && i > 0; i--) {
		if (book[i - 1].number <= number)
			continue;
		give_up_time(sink, &book[i - 1]);
		forget(h2, sink, &book[i - 1]);
	}
}

static void lose(
	struct h2_exchange *h2, const struct exchange_sink *sink, enum exchange_side side)
{
	if (h2->sides[side].lost)
		return;
	h2->sides[side].lost = true;
	give_up_above(h2, sink, 0);
}

static uint32_t offset_us(const struct h2_exchange *h2, struct moment at)
{
	int64_t us = moment_since_us(at, h2->base);

	if (us < 0)
		us = 0;
	return us < NOT_TIMED ? (uint32_t)us : NOT_TIMED;
}

static void request_came(struct h2_exchange *h2, const struct exchange_sink *sink,
	uint32_t number, struct moment at)
{
	struct stream *book = book_of(h2, sink);

	if (number <= h2->last_stream || number % 2 == 0)
		return; /* trailers, or no request */
	h2->last_stream = number;
	if (!h2->named)
		exchange_nameless(sink);
	h2->named = true;
	exchange_tell(sink, EXCHANGE_REQUEST, 0);
	if (!book || h2->open == H2_EXCHANGE_OPEN || h2->sides[EXCHANGE_SERVER].lost) {
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
		return;
	}
	if (h2->open == 0)
		h2->base = at;
	book[h2->open++] = (struct stream){number, offset_us(h2, at), false};
}

static void answer_came(
	struct h2_exchange *h2, const struct exchange_sink *sink, struct stream *stream)
{
	if (h2->status >= 100 && h2->status < 200)
		return;
	stream->answered = true;
	if (stream->asked_us == NOT_TIMED)
		exchange_tell(sink, EXCHANGE_ANSWERED, 0);
	else
		exchange_tell(sink, EXCHANGE_RESPONSE,
			moment_since_us(h2->head, h2->base) - stream->asked_us);
	exchange_tell_status(sink, h2->status);
}

static void answer_ends(struct h2_exchange *h2, const struct exchange_sink *sink,
	struct stream *stream, struct moment at)
{
	if (!stream->answered)
		give_up_time(sink, stream); /* a body without a head answers nothing */
	else if (stream->asked_us != NOT_TIMED)
		exchange_tell(sink, EXCHANGE_LAST_BYTE,
			moment_since_us(at, h2->base) - stream->asked_us);
	forget(h2, sink, stream);
}

static void head_ends(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct moment at)
{
	struct h2_side *side = &h2->sides[from];
	struct stream *stream;

	side->in_block = false;
	if (from == EXCHANGE_CLIENT) {
		request_came(h2, sink, side->stream, at);
		return;
	}
	stream = find(h2, sink, side->stream);
	if (stream && !stream->answered)
		answer_came(h2, sink, stream);
	if (stream && stream->answered && (side->opening & FLAG_END_STREAM))
		answer_ends(h2, sink, stream, at);
}

struct reading {
	struct h2_exchange *h2;
	const struct exchange_sink *sink;
	enum exchange_side from;
};

static void field_came(
	void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	static const char status[] = ":status", authority[] = ":authority";
	const struct reading *reading = arg;
	struct exchange_host host = {.by = OBS_BY_HOST, .name = value, .len = value_len};
	struct h2_exchange *h2 = reading->h2;

	if (reading->from == EXCHANGE_SERVER && name_len == sizeof(status) - 1 &&
		memcmp(name, status, name_len) == 0 && value_len == 3)
		h2->status = (uint16_t)((value[0] - '0') * 100 + (value[1] - '0') * 10 +
					(value[2] - '0'));
	if (reading->from == EXCHANGE_CLIENT && !h2->named &&
		name_len == sizeof(authority) - 1 &&
		memcmp(name, authority, name_len) == 0) {
		h2->named = true;
		host.name = http_head_without_port(value, &host.len);
		reading->sink->host(reading->sink->arg, &host);
	}
}

static void read_head(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct cursor bytes, bool last)
{
	struct reading reading = {h2, sink, from};
	struct h2_side *side = &h2->sides[from];

	if (h2->readers == HPACK_POOL_NONE || side->unreadable)
		return;
	side->unreadable = hpack_pool_read(sink->readers, h2->readers, from, bytes.at,
				   cursor_left(&bytes), last, field_came, &reading) < 0;
}

static void frame_begins(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct moment at)
{
	struct h2_side *side = &h2->sides[from];
	struct cursor cur = cursor_over(side->header, HEADER_LEN);

	side->header_len = 0;
	side->remaining = cursor_take_u24(&cur);
	side->type = cursor_take_u8(&cur);
	side->flags = cursor_take_u8(&cur);
	side->stream = cursor_take_u32(&cur) & 0x7fffffffu;
	side->before = side->padding = 0;
	side->first_byte = true;
	h2->go_away = from == EXCHANGE_SERVER ? 0 : h2->go_away;
	if (side->in_block != (side->type == FRAME_CONTINUATION)) {
		lose(h2, sink, from); /* nothing may come between the parts of a head */
		return;
	}
	if (side->type == FRAME_PROMISE) {
		/* Hardly anybody takes them; without its head later ones mean nothing. */
		side->unreadable = true;
		side->in_block = !(side->flags & FLAG_END_HEADERS);
		side->opening = 0;
	}
	if (side->type != FRAME_HEADERS)
		return;
	side->in_block = true;
	side->opening = side->flags;
	side->before = (uint8_t)((side->flags & FLAG_PADDED ? 1 : 0) +
				 (side->flags & FLAG_PRIORITY ? PRIORITY_LEN : 0));
	if (from == EXCHANGE_SERVER) {
		h2->status = 0;
		h2->head = at;
	}
}

/* The payload of a frame that carries a head: what stands before and behind it is left
 * out. */
static void head_bytes(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct cursor bytes)
{
	struct h2_side *side = &h2->sides[from];
	uint32_t behind = side->remaining; /* of these bytes, in the frame */

	if (side->first_byte && (side->flags & FLAG_PADDED) &&
		side->type == FRAME_HEADERS)
		side->padding = bytes.at[0];
	while (side->before > 0 && cursor_left(&bytes) > 0) {
		cursor_skip(&bytes, 1);
		side->before--;
	}
	if (side->padding > behind) {
		size_t over = side->padding - behind, len = cursor_left(&bytes);

		bytes.end -= over < len ? over : len;
	}
	read_head(h2, sink, from, bytes, false);
}

/* Of GOAWAY: the last stream that is served. */
static void go_away_bytes(struct h2_exchange *h2, struct cursor bytes, uint32_t so_far)
{
	for (; so_far < 4 && cursor_left(&bytes) > 0; so_far++)
		h2->go_away = h2->go_away << 8 | cursor_take_u8(&bytes);
}

static void stream_reset(
	struct h2_exchange *h2, const struct exchange_sink *sink, enum exchange_side from)
{
	struct stream *stream = find(h2, sink, h2->sides[from].stream);

	if (!stream)
		return;
	if (from == EXCHANGE_SERVER && !stream->answered)
		exchange_tell(sink, EXCHANGE_RESET, 0);
	give_up_time(sink, stream);
	forget(h2, sink, stream);
}

static void frame_ends(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct moment at)
{
	struct h2_side *side = &h2->sides[from];
	struct stream *stream;

	switch (side->type) {
	case FRAME_HEADERS:
	case FRAME_CONTINUATION:
		if (!(side->flags & FLAG_END_HEADERS))
			break;
		read_head(h2, sink, from, cursor_over("", 0), true);
		head_ends(h2, sink, from, at);
		break;
	case FRAME_DATA:
		stream = from == EXCHANGE_SERVER ? find(h2, sink, side->stream) : NULL;
		if (stream && (side->flags & FLAG_END_STREAM))
			answer_ends(h2, sink, stream, at);
		break;
	case FRAME_RESET:
		stream_reset(h2, sink, from);
		break;
	case FRAME_GO_AWAY:
		if (from == EXCHANGE_SERVER)
			give_up_above(h2, sink, h2->go_away & 0x7fffffffu);
		break;
	default:
		break;
	}
}

static void payload(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct cursor *bytes)
{
	struct h2_side *side = &h2->sides[from];
	size_t len = cursor_left(bytes);
	struct cursor part =
		cursor_take_sub(bytes, len < side->remaining ? len : side->remaining);

	len = cursor_left(&part);
	side->remaining -= (uint32_t)len;
	if (len == 0)
		return;
	if (side->type == FRAME_HEADERS || side->type == FRAME_CONTINUATION)
		head_bytes(h2, sink, from, part);
	else if (side->type == FRAME_GO_AWAY && from == EXCHANGE_SERVER)
		go_away_bytes(h2, part, side->first_byte ? 0 : 4);
	side->first_byte = false;
}

static void skip_preface(
	struct h2_exchange *h2, enum exchange_side from, struct cursor *bytes)
{
	while (from == EXCHANGE_CLIENT && h2->preface_left > 0 &&
		cursor_left(bytes) > 0) {
		cursor_skip(bytes, 1);
		h2->preface_left--;
	}
}

void h2_exchange_bytes(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, struct cursor bytes, struct moment at)
{
	struct h2_side *side = &h2->sides[from];

	skip_preface(h2, from, &bytes);
	while (!side->lost && cursor_left(&bytes) > 0) {
		if (side->remaining == 0) {
			side->header[side->header_len++] = cursor_take_u8(&bytes);
			if (side->header_len < HEADER_LEN)
				continue;
			frame_begins(h2, sink, from, at);
		}
		payload(h2, sink, from, &bytes);
		if (!side->lost && side->remaining == 0)
			frame_ends(h2, sink, from, at);
	}
}

void h2_exchange_skip(struct h2_exchange *h2, const struct exchange_sink *sink,
	enum exchange_side from, uint64_t len)
{
	struct h2_side *side = &h2->sides[from];

	if (side->lost)
		return;
	if (len >= side->remaining) {
		lose(h2, sink, from); /* the end of a frame tells something, too */
		return;
	}
	side->remaining -= (uint32_t)len;
	if (side->type == FRAME_HEADERS || side->type == FRAME_CONTINUATION)
		side->unreadable = true;
}

uint64_t h2_exchange_skippable(const struct h2_exchange *h2, enum exchange_side from)
{
	const struct h2_side *side = &h2->sides[from];

	if (side->lost)
		return UINT64_MAX;
	return side->type == FRAME_DATA && side->remaining > 0 ? side->remaining - 1 : 0;
}

bool h2_exchange_is_open(const struct h2_exchange *h2)
{
	return h2->open > 0;
}
