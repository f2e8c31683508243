#include "http_exchange.h"

#include <string.h>

#include "buffer_pool.h"
#include "http_head.h"
#include "slab.h"

#define HEAD_MAX 65536 /* what claims a longer head is not HTTP */

/* A request that waits is one word: when it came, after `base`, and what it was. */
#define NOT_TIMED UINT32_C(0x3fffffff) /* and the longest time: eighteen minutes */
#define IS_CONNECT UINT32_C(0x40000000)
#define IS_HEAD UINT32_C(0x80000000)
#define ONE_SIDED_US (1000 * INT64_C(1000))
#define CHUNK_MAX (UINT64_C(1) << 56)

enum stage {
	STAGE_HEAD,
	STAGE_BODY,       /* so many bytes */
	STAGE_CHUNK_SIZE, /* the line that says how many */
	STAGE_CHUNK_EXTENSION,
	STAGE_CHUNK,
	STAGE_CHUNK_END, /* the line end behind a chunk */
	STAGE_TRAILER,
	STAGE_UNTIL_CLOSE,
	STAGE_TUNNEL,
	STAGE_LOST, /* where the next message begins is not known */
};

void http_exchange_init(struct http_exchange *http, bool mid_stream)
{
	enum stage stage = mid_stream ? STAGE_LOST : STAGE_HEAD;

	*http = (struct http_exchange){.cell = SLAB_NONE, .buffer = BUFFER_POOL_NONE};
	for (unsigned side = 0; side < 2; side++) {
		http->sides[side].stage = (uint8_t)stage;
		http->sides[side].gathered = BUFFER_POOL_NONE;
	}
}

static void drop_gathered(struct http_side *side, const struct exchange_sink *sink)
{
	buffer_pool_give(sink->buffers, side->gathered);
	side->gathered = BUFFER_POOL_NONE;
	side->gathered_len = 0;
}

static void drop_ring(struct http_exchange *http, const struct exchange_sink *sink)
{
	slab_give(sink->cells, http->cell);
	buffer_pool_give(sink->buffers, http->buffer);
	http->cell = SLAB_NONE;
	http->buffer = BUFFER_POOL_NONE;
}

void http_exchange_drop(struct http_exchange *http, const struct exchange_sink *sink)
{
	drop_gathered(&http->sides[EXCHANGE_CLIENT], sink);
	drop_gathered(&http->sides[EXCHANGE_SERVER], sink);
	drop_ring(http, sink);
	http->first = http->count = 0;
}

static void lose(struct http_side *side, const struct exchange_sink *sink)
{
	drop_gathered(side, sink);
	side->stage = STAGE_LOST;
	side->matched = 0;
	side->remaining = 0;
}

static void begin_body(struct http_side *side, const struct http_head *head)
{
	side->stage = STAGE_HEAD;
	if (head->chunked) {
		side->stage = STAGE_CHUNK_SIZE;
		side->remaining = 0;
		side->chunk_has_size = false;
	} else if (head->content_length > 0) {
		side->stage = STAGE_BODY;
		side->remaining = (uint64_t)head->content_length;
	} else if (head->content_length == HTTP_HEAD_NO_LENGTH && !head->is_request) {
		side->stage = STAGE_UNTIL_CLOSE;
	}
}

/* Hours behind the first of a pipeline nobody waits for a time. */
static uint32_t offset_us(struct moment base, struct moment at)
{
	int64_t us = moment_since_us(at, base);

	if (us < 0)
		us = 0;
	return us < NOT_TIMED ? (uint32_t)us : NOT_TIMED;
}

static uint32_t *ring_of(struct http_exchange *http, const struct exchange_sink *sink)
{
	if (http->buffer != BUFFER_POOL_NONE)
		return buffer_pool_bytes(sink->buffers, http->buffer);
	return http->cell == SLAB_NONE ? http->near : slab_cell(sink->cells, http->cell);
}

static unsigned room_of(const struct http_exchange *http)
{
	if (http->buffer != BUFFER_POOL_NONE)
		return HTTP_PIPELINE;
	return http->cell == SLAB_NONE ? HTTP_NEAR : EXCHANGE_CELL / sizeof(uint32_t);
}

static unsigned slot_of(const struct http_exchange *http, unsigned place)
{
	return (http->first + place) % room_of(http);
}

/* Requests that pile up for long, and never an answer: these pass elsewhere. */
static bool is_one_sided(const struct http_exchange *http, struct moment at)
{
	return !http->answer.us && moment_since_us(at, http->base) > ONE_SIDED_US;
}

/* A deeper pipeline than there is room for moves to where there is more. */
static bool widen(
	struct http_exchange *http, const struct exchange_sink *sink, struct moment at)
{
	struct http_exchange wide = *http;
	uint32_t *from = ring_of(http, sink), *to;

	if (http->buffer != BUFFER_POOL_NONE ||
		(http->cell != SLAB_NONE && is_one_sided(http, at)))
		return false;
	if (http->cell == SLAB_NONE)
		wide.cell = slab_take(sink->cells);
	else
		wide.buffer = buffer_pool_take(sink->buffers);
	if (room_of(&wide) == room_of(http))
		return false;
	to = ring_of(&wide, sink);
	for (unsigned i = 0; i < http->count; i++)
		to[i] = from[slot_of(http, i)];
	if (wide.buffer != BUFFER_POOL_NONE) {
		slab_give(sink->cells, http->cell);
		wide.cell = SLAB_NONE;
	}
	http->cell = wide.cell;
	http->buffer = wide.buffer;
	http->first = 0;
	return true;
}

static bool has_room(
	struct http_exchange *http, const struct exchange_sink *sink, struct moment at)
{
	return http->count < room_of(http) || widen(http, sink, at);
}

static void push_request(struct http_exchange *http, const struct exchange_sink *sink,
	const struct http_head *head, struct moment at)
{
	uint32_t *request = &ring_of(http, sink)[slot_of(http, http->count)];

	if (http->count == 0)
		http->base = at;
	*request = offset_us(http->base, at);
	if (head->is_head)
		*request |= IS_HEAD;
	if (head->is_connect)
		*request |= IS_CONNECT;
	http->count++;
}

static void forget_first(struct http_exchange *http, const struct exchange_sink *sink)
{
	http->first = (uint16_t)slot_of(http, 1);
	http->count--;
	if (http->count > 0)
		return;
	drop_ring(http, sink);
	http->first = 0;
}

/* Whom a tunnel to an address is for, what is said inside it may tell. */
static void tell_host(const struct http_exchange *http, const struct exchange_sink *sink,
	const struct http_head *head)
{
	const struct exchange_host host = {.by = OBS_BY_HOST,
		.name = head->host,
		.len = head->host_len,
		.port = head->port,
		.in_turn = http->count + http->untimed == 0 && !head->is_connect};

	if (!head->is_connect || !http_head_is_address(head->host, head->host_len))
		sink->host(sink->arg, &host);
}

static void request_came(struct http_exchange *http, const struct exchange_sink *sink,
	const struct http_head *head, struct moment at)
{
	http->client_lost = false;
	http->is_http = true;
	if (http->server_lost)
		http->untimed = 0; /* a client that goes on has its answers */
	http->server_lost = false;
	tell_host(http, sink, head);
	exchange_tell(sink, EXCHANGE_REQUEST, 0);
	if (http->untimed == 0 && has_room(http, sink, at)) {
		push_request(http, sink, head, at);
		return;
	}
	/* Answers come in order, so that this one has to wait behind those without a
	 * time. */
	if (http->untimed < UINT16_MAX)
		http->untimed++;
	exchange_tell(sink, EXCHANGE_UNTIMED, 0);
}

/* The oldest open request. */
struct oldest {
	bool found, is_head, is_connect;
	struct moment at; /* 0: not timed */
};

static struct oldest pop_request(
	struct http_exchange *http, const struct exchange_sink *sink)
{
	struct oldest oldest = {.found = true};
	uint32_t request;

	if (http->count > 0) {
		request = ring_of(http, sink)[http->first];
		if ((request & NOT_TIMED) != NOT_TIMED)
			oldest.at = moment_plus_us(http->base, request & NOT_TIMED);
		oldest.is_head = request & IS_HEAD;
		oldest.is_connect = request & IS_CONNECT;
		forget_first(http, sink);
	} else if (http->untimed > 0) {
		http->untimed--;
	} else {
		oldest.found = false;
	}
	return oldest;
}

static void tell_answer(struct http_exchange *http, const struct exchange_sink *sink,
	const struct oldest *request, int status)
{
	if (!request->found && !http->client_lost)
		return; /* nobody asked: a 408 on an idle connection, for instance */
	if (!request->found) {
		if (!http->is_http) /* whom it asked for went by unseen */
			exchange_nameless(sink);
		exchange_tell(sink, EXCHANGE_REQUEST, 0);
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
	}
	if (request->at.us)
		exchange_tell(sink, EXCHANGE_RESPONSE,
			moment_since_us(http->answer, request->at));
	else
		exchange_tell(sink, EXCHANGE_ANSWERED, 0);
	exchange_tell_status(sink, status);
}

static void become_tunnel(struct http_exchange *http, const struct exchange_sink *sink)
{
	for (unsigned i = 0; i < 2; i++) {
		drop_gathered(&http->sides[i], sink);
		http->sides[i].stage = STAGE_TUNNEL;
	}
}

static void last_byte_came(
	struct http_exchange *http, const struct exchange_sink *sink, struct moment at)
{
	if (http->current.us)
		exchange_tell(
			sink, EXCHANGE_LAST_BYTE, moment_since_us(at, http->current));
	http->current.us = 0;
}

static void answer_came(struct http_exchange *http, const struct exchange_sink *sink,
	const struct http_head *head, struct moment at)
{
	struct http_side *side = &http->sides[EXCHANGE_SERVER];
	struct oldest request;

	side->stage = STAGE_HEAD;
	if (head->status < 200 && head->status != 101)
		return;
	request = pop_request(http, sink);
	tell_answer(http, sink, &request, head->status);
	http->current = request.at;
	http->body_doubtful = !request.found;
	http->connected = request.is_connect && head->status < 300;
	if (head->status == 101 || http->connected)
		become_tunnel(http, sink);
	else if (!request.is_head && head->status != 204 && head->status != 304)
		begin_body(side, head);
	if (side->stage == STAGE_HEAD)
		last_byte_came(http, sink, at);
}

static void head_came(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, const uint8_t *bytes, size_t len, struct moment at)
{
	struct http_side *side = &http->sides[which];
	struct http_head head;

	if (http_head_read(&head, bytes, len) ||
		head.is_request != (which == EXCHANGE_CLIENT)) {
		lose(side, sink);
		return;
	}
	if (which == EXCHANGE_CLIENT) {
		request_came(http, sink, &head, at);
		begin_body(side, &head);
	} else {
		answer_came(http, sink, &head, at);
	}
}

/* Keeps a head's bytes for when it is whole; what is beyond the buffer is not needed. */
static bool gather(struct http_side *side, const struct exchange_sink *sink,
	const uint8_t *bytes, size_t len)
{
	size_t room;

	if (side->gathered == BUFFER_POOL_NONE)
		side->gathered = buffer_pool_take(sink->buffers);
	if (side->gathered == BUFFER_POOL_NONE)
		return false;
	side->remaining += len;
	if (side->remaining > HEAD_MAX)
		return false;
	room = BUFFER_POOL_SIZE - side->gathered_len;
	if (len > room)
		len = room;
	memcpy((uint8_t *)buffer_pool_bytes(sink->buffers, side->gathered) +
			side->gathered_len,
		bytes, len);
	side->gathered_len = (uint16_t)(side->gathered_len + len);
	return true;
}

static void head_bytes(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, struct cursor *cur, struct moment at)
{
	struct http_side *side = &http->sides[which];
	const uint8_t *bytes = cur->at;
	bool complete;
	size_t len;
	uint16_t gathered, gathered_len;

	if (which == EXCHANGE_SERVER && side->matched == 0)
		http->answer = at;
	len = http_head_scan(&side->matched, bytes, cursor_left(cur), &complete);
	cursor_skip(cur, len);
	if (complete && side->gathered == BUFFER_POOL_NONE) {
		head_came(http, sink, which, bytes, len, at);
		return;
	}
	if (!gather(side, sink, bytes, len)) {
		lose(side, sink);
		return;
	}
	if (!complete)
		return;
	gathered = side->gathered;
	gathered_len = side->gathered_len;
	side->gathered = BUFFER_POOL_NONE;
	side->gathered_len = 0;
	side->remaining = 0;
	head_came(http, sink, which, buffer_pool_bytes(sink->buffers, gathered),
		gathered_len, at);
	buffer_pool_give(sink->buffers, gathered);
}

static void message_ends(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, struct moment at)
{
	http->sides[which].stage = STAGE_HEAD;
	http->sides[which].matched = 0;
	if (which == EXCHANGE_SERVER)
		last_byte_came(http, sink, at);
}

static void body_bytes(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, uint64_t len, struct moment at)
{
	struct http_side *side = &http->sides[which];

	side->remaining -= len;
	if (side->remaining > 0)
		return;
	if (side->stage == STAGE_CHUNK)
		side->stage = STAGE_CHUNK_END;
	else
		message_ends(http, sink, which, at);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void chunk_line_ends(struct http_side *side, const struct exchange_sink *sink)
{
	if (!side->chunk_has_size) {
		lose(side, sink);
		return;
	}
	side->stage = side->remaining ? STAGE_CHUNK : STAGE_TRAILER;
	side->chunk_has_size = false;
	side->matched = 0;
}

static void chunk_size_byte(
	struct http_side *side, const struct exchange_sink *sink, uint8_t c)
{
	int digit = hex_digit(c);

	if (c == '\n') {
		chunk_line_ends(side, sink);
	} else if (digit >= 0 && side->remaining < CHUNK_MAX / 16) {
		side->remaining = side->remaining * 16 + (unsigned)digit;
		side->chunk_has_size = true;
	} else if (c == ';' || c == ' ' || c == '\t' || c == '\r') {
		side->stage = STAGE_CHUNK_EXTENSION;
	} else {
		lose(side, sink);
	}
}

/* A trailer is header lines up to an empty one; most often there is only the empty one.
 */
static bool trailer_byte_ends(struct http_side *side, uint8_t c)
{
	if (c == '\n' && side->matched == 0)
		return true;
	if (c == '\n')
		side->matched = 0;
	else if (c != '\r')
		side->matched = 1;
	return false;
}

static void framing_byte(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, uint8_t c, struct moment at)
{
	struct http_side *side = &http->sides[which];

	if (side->stage == STAGE_CHUNK_SIZE) {
		chunk_size_byte(side, sink, c);
	} else if (side->stage == STAGE_CHUNK_EXTENSION && c == '\n') {
		chunk_line_ends(side, sink);
	} else if (side->stage == STAGE_CHUNK_END && c == '\n') {
		side->stage = STAGE_CHUNK_SIZE;
	} else if (side->stage == STAGE_CHUNK_END && c != '\r') {
		lose(side, sink);
	} else if (side->stage == STAGE_TRAILER && trailer_byte_ends(side, c)) {
		message_ends(http, sink, which, at);
	}
}

static void take_body(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, struct cursor *cur, struct moment at)
{
	uint64_t remaining = http->sides[which].remaining;
	size_t len = cursor_left(cur);

	if (len > remaining)
		len = (size_t)remaining;
	cursor_skip(cur, len);
	body_bytes(http, sink, which, len, at);
}

static void resume(struct http_side *side, enum exchange_side which, struct cursor bytes)
{
	size_t len = cursor_left(&bytes);
	bool looks_right = which == EXCHANGE_CLIENT
				   ? len > 8 && http_head_may_be_request(bytes.at, len)
				   : len > 8 && http_head_may_be_answer(bytes.at, len);

	if (!looks_right)
		return;
	side->stage = STAGE_HEAD;
	side->matched = 0;
	side->remaining = 0;
}

void http_exchange_bytes(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, struct cursor *bytes, bool fresh, struct moment at)
{
	struct http_side *side = &http->sides[which];

	if (fresh && (side->stage == STAGE_LOST ||
			     (side->stage == STAGE_BODY && http->body_doubtful &&
				     which == EXCHANGE_SERVER)))
		resume(side, which, *bytes);
	while (cursor_left(bytes) > 0) {
		switch ((enum stage)side->stage) {
		case STAGE_HEAD:
			head_bytes(http, sink, which, bytes, at);
			break;
		case STAGE_BODY:
		case STAGE_CHUNK:
			take_body(http, sink, which, bytes, at);
			break;
		case STAGE_CHUNK_SIZE:
		case STAGE_CHUNK_EXTENSION:
		case STAGE_CHUNK_END:
		case STAGE_TRAILER:
			framing_byte(http, sink, which, cursor_take_u8(bytes), at);
			break;
		case STAGE_UNTIL_CLOSE:
		case STAGE_TUNNEL:
		case STAGE_LOST:
			return;
		}
	}
}

/* Requests that wait, or whose answers do, when the server's bytes are missing: any of
 * them may have been answered there. */
static void distrust_open_requests(
	struct http_exchange *http, const struct exchange_sink *sink)
{
	while (http->count > 0) {
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
		if (http->untimed < UINT16_MAX)
			http->untimed++;
		forget_first(http, sink);
	}
	http->current.us = 0;
	http->server_lost = true;
}

static bool pass_over(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, uint64_t len, struct moment at)
{
	struct http_side *side = &http->sides[which];

	if (side->stage == STAGE_UNTIL_CLOSE || side->stage == STAGE_TUNNEL)
		return true;
	if ((side->stage == STAGE_BODY || side->stage == STAGE_CHUNK) &&
		len <= side->remaining) {
		body_bytes(http, sink, which, len, at);
		return true;
	}
	return false;
}

/* A head that is cut is read as far as it goes: its first line makes it a message. */
static void read_cut_head(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, struct moment at)
{
	struct http_side *side = &http->sides[which];

	if (side->stage != STAGE_HEAD || side->gathered == BUFFER_POOL_NONE)
		return;
	head_came(http, sink, which, buffer_pool_bytes(sink->buffers, side->gathered),
		side->gathered_len, at);
}

void http_exchange_skip(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, uint64_t len, struct moment at)
{
	if (pass_over(http, sink, which, len, at))
		return;
	read_cut_head(http, sink, which, at);
	lose(&http->sides[which], sink);
}

void http_exchange_hole(struct http_exchange *http, const struct exchange_sink *sink,
	enum exchange_side which, uint64_t len)
{
	struct moment unknown = {0};

	if (which == EXCHANGE_SERVER && len >= http->sides[which].remaining)
		http->current.us = 0; /* nobody saw when its last byte came */
	if (pass_over(http, sink, which, len, unknown))
		return;
	if (which == EXCHANGE_CLIENT)
		http->client_lost = true;
	/* Also where the place is lost already: a request may have come since. */
	lose(&http->sides[which], sink);
	if (which == EXCHANGE_SERVER)
		distrust_open_requests(http, sink);
}

uint64_t http_exchange_skippable(
	const struct http_exchange *http, enum exchange_side which)
{
	switch ((enum stage)http->sides[which].stage) {
	case STAGE_BODY:
	case STAGE_CHUNK:
		return http->sides[which].remaining;
	case STAGE_UNTIL_CLOSE:
	case STAGE_TUNNEL:
	case STAGE_LOST:
		return UINT64_MAX;
	case STAGE_HEAD:
	case STAGE_CHUNK_SIZE:
	case STAGE_CHUNK_EXTENSION:
	case STAGE_CHUNK_END:
	case STAGE_TRAILER:
		break;
	}
	return 0;
}

void http_exchange_end(
	struct http_exchange *http, const struct exchange_sink *sink, struct moment at)
{
	if (http->sides[EXCHANGE_SERVER].stage == STAGE_UNTIL_CLOSE)
		last_byte_came(http, sink, at);
}

bool http_exchange_is_tunnel(const struct http_exchange *http)
{
	return http->sides[EXCHANGE_CLIENT].stage == STAGE_TUNNEL;
}

bool http_exchange_is_connected(const struct http_exchange *http)
{
	return http->connected;
}

bool http_exchange_is_open(const struct http_exchange *http)
{
	return http->count > 0 || http->untimed > 0;
}

bool http_exchange_is_foreign(const struct http_exchange *http)
{
	return !http->is_http && http->sides[EXCHANGE_CLIENT].stage == STAGE_LOST;
}
