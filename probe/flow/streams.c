#include "streams.h"

/* Frames: a head of nine bytes and what stands in it. */
#define FRAME_LEN 9
#define WINDOW_UPDATE_LEN (FRAME_LEN + 4)
#define PING_LEN (FRAME_LEN + 8)
#define SETTING_LEN 6
#define SETTINGS_MAX 10
#define PREFACE_SETTINGS_MAX 6 /* more would look like a request behind them */
#define PREFACE_LEN 24

/* More pings or window updates than this do not share a record. */
#define TOGETHER_MAX 3

/* HEADERS hold at least five indexed fields: method, scheme, authority, path, agent. */
#define REQUEST_LEN_MIN (FRAME_LEN + 5)

/* A length that came this often is what requests look like. */
#define UNIT_REPEATS 3

/* Preface, two settings and a window update. A first request carries its fields in full,
 * about two and a half times what the same costs later (nghttp2's clients). */
#define OPENING_LEN (PREFACE_LEN + FRAME_LEN + 2 * SETTING_LEN + WINDOW_UPDATE_LEN)

/* Records of requests that differ by what HPACK makes of a number. */
#define ALIKE_BYTES 6

/* A record this near the largest one goes on in the next. */
#define IS_FULL(len, largest) ((unsigned)(len)*100 >= (unsigned)(largest)*97)
#define DATA_LEN_MIN 8192 /* client records as long as this are bodies */

/* Beyond any server's limit of streams. */
#define OPEN_MAX 20000

void streams_init(struct streams *streams, uint8_t overhead)
{
	*streams = (struct streams){.overhead = overhead};
}

static int content_of(uint16_t len, uint8_t overhead)
{
	return (int)len - overhead;
}

bool streams_is_acknowledgement(uint16_t len, uint8_t overhead)
{
	int content = content_of(len, overhead);

	return content == FRAME_LEN || content == FRAME_LEN + WINDOW_UPDATE_LEN ||
	       content == FRAME_LEN + 2 * WINDOW_UPDATE_LEN;
}

/* Settings, alone or with a window update, and on a server with its acknowledgement. */
static bool is_settings_content(int content, int settings_max)
{
	for (int extra = 0; extra <= WINDOW_UPDATE_LEN; extra += WINDOW_UPDATE_LEN) {
		int rest = content - FRAME_LEN - extra;

		if (rest >= 0 && rest <= settings_max * SETTING_LEN &&
			rest % SETTING_LEN == 0)
			return true;
	}
	return false;
}

bool streams_is_preface(uint16_t len, uint8_t overhead)
{
	return is_settings_content(
		content_of(len, overhead) - PREFACE_LEN, PREFACE_SETTINGS_MAX);
}

bool streams_is_settings(uint16_t len, uint8_t overhead)
{
	int content = content_of(len, overhead);

	return is_settings_content(content, SETTINGS_MAX) ||
	       is_settings_content(content - FRAME_LEN, SETTINGS_MAX);
}

/* Window updates, resets and pings, a few of them together. */
static bool is_control(int content)
{
	for (int pings = 0; pings <= 1; pings++) {
		int rest = content - pings * PING_LEN;

		if (rest >= 0 && rest <= TOGETHER_MAX * WINDOW_UPDATE_LEN &&
			rest % WINDOW_UPDATE_LEN == 0)
			return true;
	}
	return content == FRAME_LEN;
}

static int64_t since_base(struct streams *streams, struct moment at)
{
	if (streams->open + streams->held == 0)
		streams->base = at; /* sums stay small */
	return moment_since_us(at, streams->base);
}

static void finish_answer(struct streams *streams, const struct exchange_sink *sink)
{
	if (streams->answering)
		exchange_tell(sink, EXCHANGE_LAST_BYTE, streams->lasted_us);
	streams->answering = false;
}

static void answer_goes_on(struct streams *streams, struct moment at)
{
	int64_t us = moment_since_us(at, streams->request);

	streams->lasted_us = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

/* Every request that ever shared the connection with another is told as such, once. */
static void show_multiplexed(struct streams *streams, const struct exchange_sink *sink)
{
	if (streams->open < 2)
		return;
	streams->sharing = true;
	for (; streams->shown < streams->open; streams->shown++)
		exchange_tell(sink, EXCHANGE_MULTIPLEXED, 0);
}

static void open_request(
	struct streams *streams, const struct exchange_sink *sink, int64_t since_base_us)
{
	exchange_tell(sink, EXCHANGE_REQUEST, 0);
	if (streams->open >= OPEN_MAX) {
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
		return;
	}
	streams->open_sum_us += since_base_us;
	streams->open++;
	show_multiplexed(streams, sink);
}

/* The length that requests for the same have, once HPACK knows all their fields. */
static void note_length(struct streams *streams, int content)
{
	if (content == streams->unit) {
		if (streams->repeats < UNIT_REPEATS)
			streams->repeats++;
	} else if (streams->repeats < UNIT_REPEATS || content < streams->unit) {
		streams->unit = (uint16_t)content;
		streams->repeats = 1;
	}
}

static bool has_unit(const struct streams *streams)
{
	return streams->repeats >= UNIT_REPEATS;
}

/* How many requests of the usual length a record holds, give or take a byte each; 1 when
 * it is no multiple of it. */
static int requests_in(const struct streams *streams, int content)
{
	int times, apart;

	if (!has_unit(streams))
		return 1;
	times = (content + streams->unit / 2) / streams->unit;
	apart = content - times * streams->unit;
	return times > 1 && apart <= times && apart >= -times ? times : 1;
}

static void begin_turn(struct streams *streams, const struct exchange_sink *sink)
{
	finish_answer(streams, sink);
	streams->spoken = false;
	streams->first = 0;
	if (streams->open)
		return;
	streams->held = 0;
	streams->held_sum_us = 0;
	streams->packed = false;
}

static bool is_alike(const struct streams *streams, int content)
{
	int apart = content - streams->first;

	return streams->first == 0 || content == streams->unit ||
	       requests_in(streams, content) > 1 ||
	       (apart <= ALIKE_BYTES && apart >= -ALIKE_BYTES);
}

/* The rest of a body: the answer is waited for from here on. */
static void body_goes_on(struct streams *streams, struct moment at)
{
	if (streams->open == 1 && !streams->untimed) {
		streams->open_sum_us = moment_since_us(at, streams->base);
		streams->request = at;
	}
}

/* A control frame, or a request so short that it looks like one: the next answer tells.
 * Where answers are long, windows are updated in the midst of them. */
static void keep_in_mind(struct streams *streams, struct moment at)
{
	streams->maybe = streams->open == 0 && streams->largest < DATA_LEN_MIN;
	streams->maybe_at = at;
}

static void hold_back(struct streams *streams, struct moment at)
{
	streams->held_sum_us += since_base(streams, at);
	streams->held++;
}

/* The first record may hold several requests behind the preface. How many is known only
 * when the usual length is; their times enter the mean then. */
static void open_first(struct streams *streams, const struct exchange_sink *sink)
{
	int rest = streams->opening - OPENING_LEN - streams->unit * 5 / 2;
	int64_t since_us = moment_since_us(streams->started, streams->base);

	if (!streams->acknowledged)
		rest -= FRAME_LEN; /* it stood in there as well */
	streams->acknowledged = true;
	streams->opening = 0;
	for (int i = (rest + streams->unit / 2) / streams->unit; i > 0; i--)
		open_request(streams, sink, since_us);
}

static void open_requests(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, int content)
{
	int times = requests_in(streams, content);
	int64_t since_us = since_base(streams, at);

	if (!streams->first)
		streams->first = (uint16_t)content;
	if (content >= 2 * REQUEST_LEN_MIN)
		streams->packed = true;
	streams->request = at;
	if (times == 1)
		note_length(streams, content);
	while (times-- > 0)
		open_request(streams, sink, since_us);
	if (streams->opening && has_unit(streams))
		open_first(streams, sink);
}

void streams_client(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	int content = content_of(len, streams->overhead);

	if (content <= 0)
		return;
	if (!streams->acknowledged &&
		streams_is_acknowledgement(len, streams->overhead)) {
		streams->acknowledged = true;
		if (content != FRAME_LEN)
			hold_back(streams, at);
		return;
	}
	if (is_control(content)) {
		keep_in_mind(streams, at);
		return;
	}
	if (content >= DATA_LEN_MIN && streams->open) {
		body_goes_on(streams, at);
		return;
	}
	if (streams->spoken || streams->open == 0)
		begin_turn(streams, sink);
	streams->maybe = false;
	if (is_alike(streams, content))
		open_requests(streams, sink, at, content);
	else
		hold_back(streams, at);
}

void streams_opening(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	streams->started = at;
	if (streams_is_preface(len, streams->overhead))
		return;
	streams->opening = (uint16_t)content_of(len, streams->overhead);
	streams_client(streams, sink, at, len);
}

static int64_t mean_of(int64_t sum, uint16_t count)
{
	return sum / count;
}

/* One more answer than certain requests: what was held back was one, or a short one
 * looked like control, or one record held several. */
static bool admit_another(struct streams *streams, const struct exchange_sink *sink)
{
	int64_t since_us;

	if (streams->held) {
		since_us = mean_of(streams->held_sum_us, streams->held);
		streams->held_sum_us -= since_us;
		streams->held--;
	} else if (streams->maybe) {
		streams->base = streams->request = streams->maybe_at;
		streams->maybe = false;
		since_us = 0;
	} else if (streams->packed && streams->sharing) {
		since_us = moment_since_us(streams->request, streams->base);
	} else {
		return false;
	}
	open_request(streams, sink, since_us);
	return true;
}

static void close_one(
	struct streams *streams, const struct exchange_sink *sink, struct moment at)
{
	int64_t since_us = mean_of(streams->open_sum_us, streams->open);

	streams->open_sum_us -= since_us;
	streams->open--;
	if (streams->shown)
		streams->shown--;
	if (streams->untimed) {
		streams->untimed--;
		exchange_tell(sink, EXCHANGE_ANSWERED, 0);
		return;
	}
	exchange_tell(
		sink, EXCHANGE_RESPONSE, moment_since_us(at, streams->base) - since_us);
}

static void answer_at(
	struct streams *streams, const struct exchange_sink *sink, struct moment at)
{
	bool alone = streams->open == 1 && !streams->shown && !streams->untimed;

	finish_answer(streams, sink);
	close_one(streams, sink, at);
	streams->answering = alone;
	streams->spoken = true;
}

void streams_server(struct streams *streams, const struct exchange_sink *sink,
	struct moment at, uint16_t len)
{
	int content = content_of(len, streams->overhead);
	bool goes_on;

	if (content <= 0 || is_control(content))
		return;
	goes_on = streams->latest && IS_FULL(streams->latest, streams->largest) &&
		  streams->largest >= DATA_LEN_MIN;
	streams->latest = (uint16_t)content;
	if (content > streams->largest)
		streams->largest = (uint16_t)content;
	if (!goes_on && (streams->open || admit_another(streams, sink)))
		answer_at(streams, sink, at);
	answer_goes_on(streams, at);
}

void streams_client_more(struct streams *streams, struct moment at)
{
	body_goes_on(streams, at);
}

void streams_server_more(struct streams *streams, struct moment at)
{
	answer_goes_on(streams, at);
}

void streams_adopt(struct streams *streams, struct moment request, bool untimed)
{
	streams->base = streams->request = request;
	streams->open = 1;
	streams->untimed = untimed;
}

void streams_lost(struct streams *streams, const struct exchange_sink *sink,
	enum exchange_side side)
{
	if (side == EXCHANGE_CLIENT && streams->open == 0)
		open_request(streams, sink, 0);
	for (; streams->untimed < streams->open; streams->untimed++)
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
	streams->held = 0;
	streams->held_sum_us = 0;
	streams->answering = streams->maybe = false;
}

void streams_end(struct streams *streams, const struct exchange_sink *sink)
{
	finish_answer(streams, sink);
}
