#include "tls_inside.h"

#include "buffer_pool.h"
#include "h2_lengths.h"
#include "slab.h"

/* The decision falls within the first turn; a body that is sent before it is long. */
#define ASIDE_MAX 64

/* "GET / HTTP/1.1", a Host of one letter and three ends of lines. */
#define HTTP1_LEN_MIN 27

struct tls_inside_record {
	struct moment at;
	uint16_t len;
	uint8_t side;
};
_Static_assert(ASIDE_MAX * sizeof(struct tls_inside_record) <= BUFFER_POOL_SIZE,
	"the records kept aside fit in a buffer");

_Static_assert(sizeof(struct streams) <= EXCHANGE_CELL, "streams fit in a cell");

/* What the records that were kept aside have in common. */
struct summary {
	unsigned client_records;
	bool preface;  /* the first of the client's looks like one */
	bool settings; /* a server's record looks like them */
	bool answered; /* … or like an answer */
};

void tls_inside_init(struct tls_inside *inside)
{
	*inside = (struct tls_inside){.state = TLS_INSIDE_TURNS};
	turns_init(&inside->turns, true);
}

static struct tls_inside_record *aside_of(
	const struct tls_inside *inside, const struct exchange_sink *sink)
{
	return buffer_pool_bytes(sink->buffers, inside->aside.buffer);
}

static struct streams *streams_of(
	const struct tls_inside *inside, const struct exchange_sink *sink)
{
	return slab_cell(sink->cells, inside->streams);
}

/* False when there is no cell for it: turns go on. */
static bool become_streams(struct tls_inside *inside, const struct exchange_sink *sink,
	bool client_opened, bool server_opened)
{
	uint32_t cell = slab_take(sink->cells);

	if (cell == SLAB_NONE)
		return false;
	inside->state = TLS_INSIDE_STREAMS;
	inside->streams = cell;
	streams_init(
		streams_of(inside, sink), inside->overhead, client_opened, server_opened);
	return true;
}

static uint16_t interim_len(const struct tls_inside *inside)
{
	return inside->overhead ? (uint16_t)(inside->overhead + TURNS_INTERIM_LEN) : 0;
}

void tls_inside_begin(struct tls_inside *inside, const struct exchange_sink *sink,
	enum tls_inside_state state, uint8_t overhead, bool tickets_possible)
{
	uint16_t buffer = BUFFER_POOL_NONE;
	bool open = inside->turns.open, untimed = inside->turns.untimed;
	struct moment request = inside->turns.request;

	if (!open && (state == TLS_INSIDE_UNDECIDED ||
			     (state == TLS_INSIDE_STREAMS && tickets_possible)))
		buffer = buffer_pool_take(sink->buffers);
	inside->overhead = overhead;
	inside->certain = state == TLS_INSIDE_STREAMS;
	if (buffer != BUFFER_POOL_NONE) {
		inside->state = TLS_INSIDE_UNDECIDED;
		inside->aside = (struct tls_inside_aside){buffer, 0};
	} else if (state == TLS_INSIDE_STREAMS &&
		   become_streams(inside, sink, false, false)) {
		if (open)
			streams_adopt(streams_of(inside, sink), request, untimed);
	} else {
		inside->turns.ticket_turns = tickets_possible;
		inside->turns.interim_len = interim_len(inside);
	}
}

static void drop_streams(struct tls_inside *inside, const struct exchange_sink *sink)
{
	streams_drop(streams_of(inside, sink), sink);
	slab_give(sink->cells, inside->streams);
}

void tls_inside_drop(struct tls_inside *inside, const struct exchange_sink *sink)
{
	if (inside->state == TLS_INSIDE_UNDECIDED)
		buffer_pool_give(sink->buffers, inside->aside.buffer);
	else if (inside->state == TLS_INSIDE_STREAMS)
		drop_streams(inside, sink);
	tls_inside_init(inside);
}

static void tell_record(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at, uint16_t len)
{
	if (inside->state == TLS_INSIDE_STREAMS) {
		if (side == EXCHANGE_CLIENT)
			streams_client(streams_of(inside, sink), sink, at, len);
		else
			streams_server(streams_of(inside, sink), sink, at, len);
	} else if (side == EXCHANGE_CLIENT) {
		turns_client(&inside->turns, sink, at);
	} else {
		turns_server(&inside->turns, sink, at, len);
	}
}

/* Session tickets come first, look like answers, and are equally long. */
static bool is_ticket(const struct tls_inside_record *records, unsigned number)
{
	const struct tls_inside_record *record = &records[number];

	if (!turns_may_be_ticket(record->len))
		return false;
	for (unsigned i = 0; i < number; i++)
		if (records[i].side == EXCHANGE_SERVER)
			return records[i].len == record->len;
	return true;
}

static struct summary summarise(
	const struct tls_inside *inside, const struct exchange_sink *sink)
{
	const struct tls_inside_record *records = aside_of(inside, sink);
	struct summary summary = {0};

	for (unsigned i = 0; i < inside->aside.count; i++) {
		if (records[i].side == EXCHANGE_CLIENT) {
			if (summary.client_records++ == 0)
				summary.preface = h2_lengths_is_preface(
					records[i].len - inside->overhead);
		} else if (h2_lengths_is_settings(records[i].len - inside->overhead,
				   (int)summary.client_records)) {
			summary.settings = true;
		} else if (summary.client_records && !is_ticket(records, i)) {
			summary.answered = true;
		}
	}
	return summary;
}

/* Reads again what was kept aside. The preface is no request. */
static void decide(struct tls_inside *inside, const struct exchange_sink *sink,
	enum tls_inside_state state)
{
	struct tls_inside_aside aside = inside->aside;
	const struct tls_inside_record *records = aside_of(inside, sink);
	struct summary summary = summarise(inside, sink);
	bool opened = summary.settings || summary.answered;
	bool streams = state == TLS_INSIDE_STREAMS &&
		       become_streams(inside, sink, false, opened);

	if (!streams) {
		inside->state =
			state == TLS_INSIDE_LATE ? TLS_INSIDE_LATE : TLS_INSIDE_TURNS;
		turns_init(&inside->turns, true);
		inside->turns.interim_len = interim_len(inside);
	}
	for (unsigned i = 0; i < aside.count; i++) {
		enum exchange_side side = (enum exchange_side)records[i].side;
		uint16_t len = records[i].len;

		if (streams && side == EXCHANGE_SERVER &&
			(is_ticket(records, i) ||
				h2_lengths_is_settings(len - inside->overhead,
					(int)summary.client_records)))
			continue;
		tell_record(inside, sink, side, records[i].at, len);
	}
	buffer_pool_give(sink->buffers, aside.buffer);
}

static void decide_by(struct tls_inside *inside, const struct exchange_sink *sink,
	const struct summary *summary)
{
	bool streams = inside->certain || summary->settings ||
		       (summary->preface && summary->client_records > 1);

	decide(inside, sink, streams ? TLS_INSIDE_STREAMS : TLS_INSIDE_TURNS);
}

static void keep(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at, uint16_t len)
{
	aside_of(inside, sink)[inside->aside.count++] =
		(struct tls_inside_record){at, len, (uint8_t)side};
}

/* A record too short for a request of HTTP/1: HTTP/2's acknowledgement of settings, its
 * farewell, or a request whose fields are known. */
static bool is_no_http1(const struct tls_inside *inside, uint16_t len)
{
	return len < HTTP1_LEN_MIN + inside->overhead;
}

static void undecided_client(struct tls_inside *inside, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	struct summary summary = summarise(inside, sink);

	if (summary.client_records && is_no_http1(inside, len))
		decide(inside, sink, TLS_INSIDE_STREAMS);
	else if (summary.answered || inside->aside.count == ASIDE_MAX)
		decide_by(inside, sink, &summary);
	if (inside->state == TLS_INSIDE_UNDECIDED)
		keep(inside, sink, EXCHANGE_CLIENT, at, len);
	else
		tell_record(inside, sink, EXCHANGE_CLIENT, at, len);
}

/* One request and its answer are the same to both readers: nobody need wait for them. */
static void undecided_server(struct tls_inside *inside, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	struct summary summary;

	if (inside->aside.count == ASIDE_MAX) {
		summary = summarise(inside, sink);
		decide_by(inside, sink, &summary);
		tell_record(inside, sink, EXCHANGE_SERVER, at, len);
		return;
	}
	keep(inside, sink, EXCHANGE_SERVER, at, len);
	summary = summarise(inside, sink);
	if ((summary.settings && summary.client_records) ||
		(inside->certain && summary.answered) ||
		(summary.preface && summary.answered && summary.client_records > 1))
		decide(inside, sink, TLS_INSIDE_STREAMS);
	else if (summary.answered && summary.preface)
		decide(inside, sink, TLS_INSIDE_TURNS);
	else if (summary.answered && !summary.settings && summary.client_records == 1)
		decide(inside, sink, TLS_INSIDE_LATE);
}

/* The client's second turn tells. */
static void late_client(struct tls_inside *inside, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	inside->state = TLS_INSIDE_TURNS;
	if (is_no_http1(inside, len)) {
		turns_end(&inside->turns, sink);
		(void)become_streams(inside, sink, true, true);
	}
	tell_record(inside, sink, EXCHANGE_CLIENT, at, len);
}

void tls_inside_record(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at, uint16_t len)
{
	if (inside->state == TLS_INSIDE_UNDECIDED && side == EXCHANGE_CLIENT)
		undecided_client(inside, sink, at, len);
	else if (inside->state == TLS_INSIDE_UNDECIDED)
		undecided_server(inside, sink, at, len);
	else if (inside->state == TLS_INSIDE_LATE && side == EXCHANGE_CLIENT)
		late_client(inside, sink, at, len);
	else
		tell_record(inside, sink, side, at, len);
}

/* The end of a request counts, not its beginning. */
static void undecided_more(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at)
{
	struct tls_inside_record *records = aside_of(inside, sink);
	unsigned count = inside->aside.count;

	if (side == EXCHANGE_CLIENT && count &&
		records[count - 1].side == EXCHANGE_CLIENT)
		records[count - 1].at = at;
}

void tls_inside_more(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, struct moment at)
{
	if (inside->state == TLS_INSIDE_UNDECIDED)
		undecided_more(inside, sink, side, at);
	else if (inside->state == TLS_INSIDE_STREAMS && side == EXCHANGE_SERVER)
		streams_server_more(streams_of(inside, sink), at);
	else if (inside->state == TLS_INSIDE_STREAMS)
		streams_client_more(streams_of(inside, sink), at);
	else if (side == EXCHANGE_CLIENT)
		turns_client_more(&inside->turns, at);
	else
		turns_server_more(&inside->turns, sink, at);
}

static void settle(struct tls_inside *inside, const struct exchange_sink *sink)
{
	struct summary summary;

	if (inside->state != TLS_INSIDE_UNDECIDED)
		return;
	summary = summarise(inside, sink);
	decide_by(inside, sink, &summary);
}

void tls_inside_unseen(struct tls_inside *inside, const struct exchange_sink *sink,
	uint32_t bytes, uint32_t away_us)
{
	if (inside->state == TLS_INSIDE_STREAMS)
		streams_unseen(streams_of(inside, sink), sink, bytes, away_us);
}

void tls_inside_cut(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side)
{
	if (inside->state == TLS_INSIDE_STREAMS && side == EXCHANGE_SERVER)
		streams_server_cut(streams_of(inside, sink));
}

void tls_inside_lost(struct tls_inside *inside, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len)
{
	settle(inside, sink);
	if (inside->state == TLS_INSIDE_STREAMS)
		streams_lost(streams_of(inside, sink), sink, side, len);
	else
		turns_lost(&inside->turns, sink, side);
}

void tls_inside_end(struct tls_inside *inside, const struct exchange_sink *sink)
{
	settle(inside, sink);
	if (inside->state == TLS_INSIDE_STREAMS)
		streams_end(streams_of(inside, sink), sink);
	else
		turns_end(&inside->turns, sink);
}

void tls_inside_leave(struct tls_inside *inside, const struct exchange_sink *sink)
{
	if (inside->state == TLS_INSIDE_STREAMS)
		streams_end(streams_of(inside, sink), sink);
}

bool tls_inside_is_open(const struct tls_inside *inside, const struct exchange_sink *sink)
{
	switch ((enum tls_inside_state)inside->state) {
	case TLS_INSIDE_TURNS:
	case TLS_INSIDE_LATE:
		return inside->turns.open;
	case TLS_INSIDE_STREAMS:
		return streams_of(inside, sink)->open.count > 0;
	case TLS_INSIDE_UNDECIDED:
		break;
	}
	return false;
}
