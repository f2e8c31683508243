#include "streams.h"

#include "h2_lengths.h"
#include "slab.h"
#include "turns.h"

/* So many requests make a ratio of answers to them. */
#define EVEN_MIN 6

/* So many answers may have shared a record with others. */
#define SPARE_APART_MAX 2

/* A first request carries in full what later ones only name: host and agent (nghttp2's
 * clients). */
#define FIRST_FIELDS_LEN 31

/* Records of requests that differ by what HPACK makes of a number. */
#define ALIKE_BYTES 6

#define BODY_LEN_MIN 512  /* so are shorter ones, right behind a request */
#define DATA_LEN_MIN 8192 /* client records as long as this are bodies */

/* As many open requests at the beginning of more turns than this behind the first are no
 * chance; more than LEVEL_MAX are not looked at. */
#define STILL_TURNS 2
#define LEVEL_MAX 31u

/* Whose body goes on after so long, of several, makes a difference. */
#define SLOW_US 1000

/* How far away a client is, is kept in such steps. */
#define AWAY_US 64u

#define RECORD_HEAD_LEN 5
/* As many lost bytes as this are of a body. */
#define LOST_LEN_MAX 4096

/* No client updates windows for less. */
#define WINDOW_LEN_MIN 4096

/* OpenSSL's servers send so many when nothing else is said. */
#define TICKETS_MAX 2

void streams_init(
	struct streams *streams, uint8_t overhead, bool client_opened, bool server_opened)
{
	*streams = (struct streams){.overhead = overhead,
		.sent = {.cell = SLAB_NONE},
		.client_opened = client_opened,
		.server_opened = server_opened};
}

static int content_of(uint16_t len, uint8_t overhead)
{
	return (int)len - overhead;
}

static void finish_answer(struct streams *streams, const struct exchange_sink *sink)
{
	if (streams->answering)
		exchange_tell(sink, EXCHANGE_LAST_BYTE, streams->lasted_us);
	streams->answering = false;
}

static uint32_t clamp_us(int64_t us)
{
	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void answer_goes_on(struct streams *streams, struct moment at)
{
	streams->lasted_us = clamp_us(moment_since_us(at, streams->request));
}

/* A request that was not seen as one when its record came; its answer may have come
 * meanwhile. */
static void open_late(
	struct streams *streams, const struct exchange_sink *sink, struct moment began)
{
	uint32_t after_us;

	exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
	if (!streams->spare) {
		open_requests_open(
			&streams->open, sink, open_requests_since(&streams->open, began));
		return;
	}
	after_us = streams->spare_sum_us / streams->spare;
	streams->spare_sum_us -= after_us;
	streams->spare--;
	if (streams->twins > streams->spare)
		streams->twins = streams->spare;
	exchange_tell(sink, EXCHANGE_REQUEST, 0);
	exchange_tell(sink, EXCHANGE_MULTIPLEXED, 0);
	exchange_tell(sink, EXCHANGE_RESPONSE, after_us);
}

static int requests_in(const struct streams *streams, int content)
{
	return request_unit_count(&streams->unit, content, !streams->acknowledged);
}

static void note_asked(struct streams *streams, int bytes, int times)
{
	if (streams->asked >= OPEN_REQUESTS_MAX)
		streams->asked = 0;
	if (streams->asked == 0)
		streams->asked_bytes = 0;
	streams->asked = (uint16_t)(streams->asked + times);
	streams->asked_bytes += (uint32_t)bytes;
}

/* The length of one request is known, or known better: records that were taken for one
 * request held several, if their bytes and the answers that nobody asked for agree. */
static void open_missed(struct streams *streams, const struct exchange_sink *sink)
{
	int times = request_unit_count_bytes(&streams->unit, streams->asked_bytes);
	int left;

	if (times == 0 && streams->asked_bytes > H2_LENGTHS_FRAME) {
		/* The settings' acknowledgement stood among them. */
		times = request_unit_count_bytes(
			&streams->unit, streams->asked_bytes - H2_LENGTHS_FRAME);
		streams->acknowledged |= times > 0;
	}
	left = times - streams->asked;
	if (left > streams->spare + streams->first_asked + SPARE_APART_MAX)
		return; /* the first ones carried in full what later ones only name */
	for (; left > 0 && (streams->spare || streams->first_asked > 1); left--) {
		streams->asked++;
		open_late(streams, sink, streams->request);
	}
}

/* The first record may hold several requests behind the preface. How many is known only
 * when the usual length is; their times enter the mean then. */
static void open_first(struct streams *streams, const struct exchange_sink *sink)
{
	int rest = streams->opening - H2_LENGTHS_OPENING - FIRST_FIELDS_LEN -
		   streams->unit.length,
	    times;

	if (!streams->opening || rest < -streams->unit.length)
		return; /* not even one: that length is of several */
	if (!streams->acknowledged)
		rest -= H2_LENGTHS_FRAME; /* it stood in there as well */
	streams->acknowledged = true;
	streams->packed = false;
	/* How long the first request is, nobody knows for certain: one more may come out.
	 */
	streams->unsure = true;
	times = (rest + streams->unit.length / 2) / streams->unit.length;
	for (; streams->first_asked < times;
		streams->first_asked++, streams->open.older++)
		open_late(streams, sink, streams->started);
	/* So many at once are certain; more than that only seem to be open. */
	streams->open.most = (uint16_t)(streams->first_asked + 1);
}

static void unit_is_known(struct streams *streams, const struct exchange_sink *sink)
{
	open_missed(streams, sink);
	open_first(streams, sink);
}

/* Where nearly all that nobody asked for is as long as an answer, and comes as often to
 * every request, clients have only ever sent several together: a body is not cut so
 * evenly. */
static void divide_unit(struct streams *streams, const struct exchange_sink *sink)
{
	unsigned asked = streams->asked, seen = asked + streams->spare;
	unsigned each = asked ? (seen + asked / 2) / asked : 0;
	unsigned apart = seen > asked * each ? seen - asked * each : asked * each - seen;

	if (asked >= EVEN_MIN && apart <= asked / 8 + 1 &&
		streams->twins * 10u >= streams->spare * 9u &&
		request_unit_divide(&streams->unit, each))
		unit_is_known(streams, sink);
}

static void note_length(
	struct streams *streams, const struct exchange_sink *sink, int content)
{
	switch (request_unit_note(&streams->unit, content)) {
	case REQUEST_UNIT_SAME:
		break;
	case REQUEST_UNIT_LEARNT:
		unit_is_known(streams, sink);
		break;
	case REQUEST_UNIT_REPLACED:
		streams->asked = 0;
		break;
	}
}

static void begin_turn(struct streams *streams, const struct exchange_sink *sink)
{
	finish_answer(streams, sink);
	streams->spoken = false;
	streams->first = 0;
	if (streams->open.count)
		return;
	streams->bodies = false;
	streams->open.said_maybe = 0;
	open_requests_drop_held(&streams->open);
	streams->packed = false;
}

static bool is_alike(const struct streams *streams, int content)
{
	int apart = content - streams->first;

	return streams->first == 0 || requests_in(streams, content) > 0 ||
	       (apart <= ALIKE_BYTES && apart >= -ALIKE_BYTES);
}

/* The rest of a body: the answer is waited for from here on. */
static void body_goes_on(struct streams *streams, struct moment at)
{
	if (streams->open.count <= streams->open.untimed)
		return;
	if (streams->open.count > 1 && moment_since_us(at, streams->request) > SLOW_US)
		streams->open.guessed = true;
	open_requests_delay(&streams->open, moment_since_us(at, streams->request));
	streams->request = at;
}

/* What is held back and comes again and again as long as now is no upload. */
static void hold_back(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	open_requests_hold(&streams->open, at);
	if (!streams->request.us)
		streams->request = at;
	note_length(streams, sink, content);
	while (request_unit_is(&streams->unit, content) && streams->open.held)
		open_requests_open_held(&streams->open, sink);
}

static void open_asked(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	int times = requests_in(streams, content);
	int64_t since_us;

	if (!streams->first)
		streams->first = (uint16_t)content;
	streams->request = at;
	streams->packed = times == 0 && content >= 2 * H2_LENGTHS_REQUEST_MIN;
	streams->asked_in = (uint16_t)content;
	streams->together = (uint16_t)(times ? times : 1);
	if (content != streams->opening) {
		note_asked(streams, times ? times * streams->unit.length : content,
			times ? times : 1);
		if (times == 0 || request_unit_is(&streams->unit, content))
			note_length(streams, sink, content);
	}
	open_requests_infer(&streams->open, sink, times ? (unsigned)times : 1,
		answers_sent_latest_had(&streams->sent, sink, streams->cut.at));
	if (streams->mixed && content >= DATA_LEN_MIN)
		exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
	since_us = open_requests_since(
		&streams->open, at); /* after what came to light was opened */
	do
		open_requests_open(&streams->open, sink, since_us);
	while (--times > 0);
}

/* Preface and settings, perhaps with requests behind them in the same record. */
static bool only_opens(struct streams *streams, struct moment at, int content)
{
	if (streams->client_opened)
		return false;
	streams->client_opened = true;
	streams->started = at;
	if (h2_lengths_is_preface(content))
		return true;
	streams->opening = (uint16_t)content;
	return false;
}

static bool only_acknowledges(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	if (streams->acknowledged || !h2_lengths_is_acknowledgement(content))
		return false;
	streams->acknowledged = streams->client_opened = true;
	if (content != H2_LENGTHS_FRAME)
		hold_back(streams, sink, at, content);
	return true;
}

/* What follows a body's full record, or a request at once, and is long; or what is so
 * long that it is no request where these have records of their own. */
static bool is_body(const struct streams *streams, int content)
{
	bool apart = streams->asked_in < DATA_LEN_MIN;
	bool uploads = streams->uploads && apart;

	if (!streams->open.count || request_unit_is(&streams->unit, content))
		return false;
	if (content >= DATA_LEN_MIN)
		return streams->uploading || streams->turned || apart;
	return streams->uploading || (uploads && content >= BODY_LEN_MIN) ||
	       (streams->turned && content >= BODY_LEN_MIN && streams->together == 1);
}

/* How many are open when a turn begins. */
static void note_level(struct streams *streams)
{
	unsigned open = streams->open.count;

	if (open && open == streams->level) {
		if (streams->still <= STILL_TURNS)
			streams->still++;
		return;
	}
	streams->level = open <= LEVEL_MAX ? open & LEVEL_MAX : 0;
	streams->level_us =
		clamp_us(moment_since_us(streams->cut.at, streams->open.base));
	streams->still = 0;
}

/* Since when it has been as many, if for several turns. */
static struct moment still_since(const struct streams *streams)
{
	return streams->still > STILL_TURNS
		       ? moment_plus_us(streams->open.base, streams->level_us)
		       : (struct moment){0};
}

static void begin_client_turn(
	struct streams *streams, const struct exchange_sink *sink, struct moment at)
{
	struct open_requests_turn turn = {
		.asked = streams->request, .at = at, .away_us = streams->away * AWAY_US};

	note_level(streams);
	turn.still = still_since(streams);
	open_requests_turn(&streams->open, sink, &streams->cut, &turn);
}

static void ask(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	if (!streams->turned)
		begin_client_turn(streams, sink, at);
	if (streams->spoken || streams->open.count == 0)
		begin_turn(streams, sink);
	if (!streams->turned)
		streams->open.older = streams->open.count;
	streams->unread = 0;
	streams->turned = true;
	divide_unit(streams, sink);
	if (is_alike(streams, content))
		open_asked(streams, sink, at, content);
	else
		hold_back(streams, sink, at, content);
}

/* What looks like a control frame is a request where requests have that length; when
 * windows may well be updated, only if it is one of them and no more. */
static bool asks(const struct streams *streams, int content)
{
	if (content == H2_LENGTHS_PRIORITY && !request_unit_is(&streams->unit, content))
		return false;
	if (streams->cut.largest >= DATA_LEN_MIN)
		return request_unit_is(&streams->unit, content);
	return requests_in(streams, content) > 0;
}

/* The connection has not ended behind it, so that it was no farewell but a request. */
static void ask_kept(struct streams *streams, const struct exchange_sink *sink)
{
	uint16_t content = streams->maybe;

	if (!content || !asks(streams, content))
		return;
	streams->maybe = 0;
	ask(streams, sink, streams->maybe_at, content);
}

/* A control frame, or a request so short that it looks like one: what follows tells. In
 * the midst of long answers windows are updated, but seldom is anything asked. */
static void keep_in_mind(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	bool long_answers = streams->cut.largest >= DATA_LEN_MIN;
	bool pauses = content == H2_LENGTHS_PING && !answer_cut_goes_on(&streams->cut);
	bool may_ask = content >= H2_LENGTHS_REQUEST_MIN && streams->open.count == 0 &&
		       (!long_answers || pauses) &&
		       (content != H2_LENGTHS_PRIORITY ||
			       !request_unit_is_known(&streams->unit));

	ask_kept(streams, sink);
	streams->maybe = may_ask || asks(streams, content) ? (uint16_t)content : 0;
	streams->maybe_at = at;
}

/* As long as window updates, but there is nothing yet that they could be for. */
static bool is_early(const struct streams *streams, int content)
{
	bool updates = content % H2_LENGTHS_WINDOW_UPDATE == 0 ||
		       content == H2_LENGTHS_PING + H2_LENGTHS_WINDOW_UPDATE;

	return updates && content >= H2_LENGTHS_REQUEST_MIN &&
	       streams->unread < WINDOW_LEN_MIN;
}

void streams_client(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	int content = content_of(len, streams->overhead);

	streams->asking = false;
	if (content <= 0 || only_acknowledges(streams, sink, at, content) ||
		only_opens(streams, at, content))
		return;
	streams->asking = !h2_lengths_is_control(content) || is_early(streams, content);
	if (!streams->asking) {
		keep_in_mind(streams, sink, at, content);
		return;
	}
	ask_kept(streams, sink);
	streams->maybe = 0;
	streams->bodies |= is_body(streams, content);
	if (is_body(streams, content))
		body_goes_on(streams, at);
	else
		ask(streams, sink, at, content);
	streams->uploading = content >= DATA_LEN_MIN;
	streams->uploads |= streams->uploading;
}

/* Whether the latest record may have held one request more, and this is its answer: one
 * that looks like those before it and is no part of a longer one. */
static bool may_hold_another(const struct streams *streams)
{
	return streams->packed && (streams->open.sharing || streams->cut.again) &&
	       streams->asked_in >= (streams->together + 1) * H2_LENGTHS_REQUEST_MIN;
}

/* One more answer than certain requests: what was held back was one, or a short one
 * looked like control, or one record held several. */
static bool admit_another(struct streams *streams, const struct exchange_sink *sink)
{
	if (streams->open.held) {
		open_requests_open_held(&streams->open, sink);
	} else if (streams->maybe) {
		streams->open.base = streams->request = streams->maybe_at;
		note_length(streams, sink, streams->maybe);
		streams->maybe = 0;
		open_requests_open(&streams->open, sink, 0);
	} else if (streams->unsure && streams->open.sharing) {
		streams->unsure = false;
		streams->first_asked++;
		open_requests_another(&streams->open, sink, streams->started);
	} else if (may_hold_another(streams)) {
		streams->together++;
		if (streams->asked_in == streams->opening)
			streams->first_asked++;
		else
			streams->asked++;
		streams->mixed |= streams->asked_in >= DATA_LEN_MIN;
		open_requests_another(&streams->open, sink, streams->request);
	} else {
		return false;
	}
	return true;
}

static void answer_at(
	struct streams *streams, const struct exchange_sink *sink, struct moment at)
{
	const struct open_requests *open = &streams->open;
	bool alone = open->count == 1 && !open->shown && !open->untimed;

	finish_answer(streams, sink);
	open_requests_close(&streams->open, sink, at);
	streams->answering = alone;
	streams->spoken = true;
}

/* An answer that nobody is known to wait for: to one of several requests in one record,
 * or the rest of an answer. */
static void spare_answer(struct streams *streams, struct moment at)
{
	int64_t after_us = moment_since_us(at, streams->request);

	if (streams->spare == OPEN_REQUESTS_MAX || !streams->request.us || after_us < 0 ||
		after_us > UINT32_MAX - streams->spare_sum_us)
		return;
	streams->spare_sum_us += (uint32_t)after_us;
	streams->spare++;
	streams->twins = (uint16_t)(streams->twins + streams->cut.again);
}

static void next_answer(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	streams->open.said_answers++;
	answer_cut_note_least(&streams->cut, content);
	if (streams->open.count || admit_another(streams, sink))
		answer_at(streams, sink, at);
	else
		spare_answer(streams, at);
}

static void answer_ends(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	ask_kept(streams, sink);
	if (!answer_cut_ends(&streams->cut) || !streams->open.count)
		return;
	answers_sent_add(&streams->sent, sink, at, RECORD_HEAD_LEN + len, true);
	next_answer(streams, sink, at, H2_LENGTHS_FRAME);
}

static bool begins_answer(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	struct answer_cut_asked asked = {streams->turned, streams->open.count == 1};
	enum answer_cut_piece piece;

	if (streams->turned)
		open_requests_server_turn(&streams->open);
	streams->turned = false;
	piece = answer_cut_record(&streams->cut, asked, at, content);
	return open_requests_said(&streams->open, sink, &streams->cut, piece, content);
}

/* The last bytes of a body may be as few as a control frame's. */
static bool is_tail(const struct streams *streams, struct moment at)
{
	return !streams->turned && answer_cut_awaits(&streams->cut, at);
}

/* While bodies are sent, their windows are updated, several at once. */
static bool opens_windows(const struct streams *streams, int content)
{
	return streams->bodies && h2_lengths_is_windows(content, streams->open.count);
}

/* Its settings, where they stand alone. A server answers nothing before it has sent them;
 * tickets that come meanwhile are equally long. */
static bool server_only_opens(struct streams *streams, uint16_t len)
{
	bool settings = h2_lengths_is_settings(
		content_of(len, streams->overhead), streams->open.count);

	if (streams->server_opened)
		return false;
	if (!settings && turns_may_be_ticket(len) && streams->tickets < TICKETS_MAX &&
		(!streams->tickets || streams->cut.latest == len)) {
		streams->tickets++;
		streams->cut.latest = len;
		return true;
	}
	streams->server_opened = true;
	streams->cut.latest = 0;
	return settings;
}

static void say_answer(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	int content = content_of(len, streams->overhead);
	bool begins;

	ask_kept(streams, sink);
	begins = begins_answer(streams, sink, at, content);
	answers_sent_add(&streams->sent, sink, at, RECORD_HEAD_LEN + len, begins);
	if (begins)
		next_answer(streams, sink, at, content);
	answer_goes_on(streams, at);
	if (streams->unread < WINDOW_LEN_MIN)
		streams->unread = (uint16_t)(streams->unread + content);
}

void streams_server(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	int content = content_of(len, streams->overhead);

	answers_sent_record(&streams->sent, RECORD_HEAD_LEN + len);
	if (content <= 0 || server_only_opens(streams, len))
		return;
	if (content == H2_LENGTHS_FRAME)
		answer_ends(streams, sink, at, len);
	else if (opens_windows(streams, content))
		open_requests_may_be_said(&streams->open);
	else if (!h2_lengths_is_control(content) || is_tail(streams, at))
		say_answer(streams, sink, at, len);
	else if (content == streams->maybe && !asks(streams, content))
		streams->maybe = 0; /* it was a ping */
}

void streams_client_more(struct streams *streams, struct moment at)
{
	if (streams->asking)
		body_goes_on(streams, at);
}

void streams_server_more(struct streams *streams, struct moment at)
{
	answer_cut_more(&streams->cut, at);
	answer_goes_on(streams, at);
}

void streams_adopt(struct streams *streams, struct moment request, bool untimed)
{
	streams->request = request;
	streams->open =
		(struct open_requests){.base = request, .count = 1, .untimed = untimed};
	streams->client_opened = true;
}

/* How many requests may have been in so many lost bytes of the client. */
static unsigned requests_lost(const struct streams *streams, uint64_t len)
{
	unsigned record = streams->overhead + RECORD_HEAD_LEN;
	unsigned each = streams->unit.length + record;

	if (len >= LOST_LEN_MAX)
		return streams->open.count ? 0 : 1;
	if (request_unit_is_known(&streams->unit) && len % each <= 1)
		return (unsigned)len / each;
	if (len > record && h2_lengths_is_control((int)(len - record)))
		return 0;
	return streams->open.count && streams->bodies ? 0 : 1;
}

void streams_lost(struct streams *streams, const struct exchange_sink *sink,
	enum exchange_side side, uint64_t len)
{
	if (side == EXCHANGE_CLIENT) {
		for (unsigned i = requests_lost(streams, len); i > 0; i--)
			open_requests_lost(&streams->open, sink);
	} else {
		answers_sent_record(&streams->sent, (uint32_t)len);
		open_requests_answer_lost(&streams->open, sink);
		streams->spare = streams->twins = streams->open.said_maybe = 0;
		streams->answering = false;
		answer_cut_lost(&streams->cut);
	}
	open_requests_drop_held(&streams->open);
	streams->maybe = streams->opening = 0;
}

void streams_server_cut(struct streams *streams)
{
	answer_cut_lost(&streams->cut);
}

void streams_unseen(struct streams *streams, const struct exchange_sink *sink,
	uint32_t bytes, uint32_t away_us)
{
	uint8_t ahead =
		answers_sent_unseen(&streams->sent, sink, bytes, streams->open.sharing);

	streams->open.ahead = ahead & ANSWERS_SENT_MASK;
	streams->open.far |= ahead > 0;
	streams->away = away_us / AWAY_US < UINT16_MAX ? (uint16_t)(away_us / AWAY_US)
						       : UINT16_MAX;
}

void streams_drop(struct streams *streams, const struct exchange_sink *sink)
{
	answers_sent_drop(&streams->sent, sink);
}

void streams_end(struct streams *streams, const struct exchange_sink *sink)
{
	open_requests_end(&streams->open, sink, &streams->cut);
	finish_answer(streams, sink);
}
