#include "open_requests.h"

/* A client that asks nothing for so long has what it asked for, as far as it came. */
#define SILENCE_US 200000

/* … and one that does not keep to a number, for so long, or nearly so. */
#define QUIET_US 4000
#define PAUSE_US 30000
#define SEVERAL 3

/* A client that has had the same number open so often, and never more, keeps to it. */
#define RETURNS 12

/* So many records that may have begun answers are in a row no rest of one. */
#define ROW 7

static int64_t mean_of(int64_t sum, int count)
{
	return sum / count;
}

int64_t open_requests_since(struct open_requests *open, struct moment at)
{
	if (open->count + open->held == 0) {
		open->base = at; /* sums stay small */
		open->guessed &= open->ahead > 0;
	}
	return moment_since_us(at, open->base);
}

static void show_multiplexed(struct open_requests *open, const struct exchange_sink *sink)
{
	if (open->count > open->most)
		open->most = open->count;
	if (open->count < 2)
		return;
	open->sharing = true;
	for (; open->shown < open->count; open->shown++)
		exchange_tell(sink, EXCHANGE_MULTIPLEXED, 0);
}

void open_requests_open(
	struct open_requests *open, const struct exchange_sink *sink, int64_t since_us)
{
	exchange_tell(sink, EXCHANGE_REQUEST, 0);
	if (open->count >= OPEN_REQUESTS_MAX) {
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
		return;
	}
	open->sum_us += since_us;
	open->count++;
	show_multiplexed(open, sink);
}

void open_requests_another(
	struct open_requests *open, const struct exchange_sink *sink, struct moment began)
{
	exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
	open_requests_open(open, sink, moment_since_us(began, open->base));
	if (!open->shown)
		exchange_tell(sink, EXCHANGE_MULTIPLEXED, 0);
	open->shown = open->count;
}

void open_requests_lost(struct open_requests *open, const struct exchange_sink *sink)
{
	uint16_t most = open->most, count = open->count;

	open_requests_open(open, sink, 0);
	open->most = most;
	if (open->count == count)
		return;
	open->untimed++;
	exchange_tell(sink, EXCHANGE_UNTIMED, 0);
}

/* Whose body it is, of several, makes no difference to the mean. */
void open_requests_delay(struct open_requests *open, int64_t us)
{
	open->sum_us += us;
}

void open_requests_drop_held(struct open_requests *open)
{
	open->held = 0;
	open->held_sum_us = 0;
}

void open_requests_hold(struct open_requests *open, struct moment at)
{
	open->held_sum_us += open_requests_since(open, at);
	open->held++;
}

void open_requests_open_held(struct open_requests *open, const struct exchange_sink *sink)
{
	int64_t since_us = mean_of(open->held_sum_us, open->held);

	open->held_sum_us -= since_us;
	open->held--;
	open_requests_open(open, sink, since_us);
}

static void take_one(struct open_requests *open)
{
	open->count--;
	if (open->shown)
		open->shown--;
}

/* Those without a time are answered first. */
void open_requests_close(
	struct open_requests *open, const struct exchange_sink *sink, struct moment at)
{
	bool untimed = open->untimed > 0;
	int64_t after_us = moment_since_us(at, open->base);
	int64_t since_us = untimed ? 0 : mean_of(open->sum_us, open->count);

	/* What is answered before most were asked for was one of the older ones. */
	if (since_us > after_us)
		since_us = after_us;
	open->untimed -= untimed;
	open->sum_us -= since_us;
	if (open->guessed)
		exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
	take_one(open);
	exchange_tell(sink, untimed ? EXCHANGE_ANSWERED : EXCHANGE_RESPONSE,
		after_us - since_us);
}

static void close_inferred(struct open_requests *open, const struct exchange_sink *sink,
	struct moment answered)
{
	if (!open->guessed)
		exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
	open_requests_close(open, sink, answered);
}

/* What may have been answered has been. */
static void answers_are_over(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut)
{
	for (; open->said_maybe && open->count; open->said_maybe--)
		close_inferred(open, sink, cut->at);
	open->said_maybe = 0;
}

/* Answered, though nobody knows when. */
static void answered_unseen(struct open_requests *open, const struct exchange_sink *sink)
{
	while (open->count) {
		exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
		if (open->untimed)
			open->untimed--;
		else
			exchange_tell(sink, EXCHANGE_UNTIMED, 0);
		take_one(open);
		exchange_tell(sink, EXCHANGE_ANSWERED, 0);
	}
	open->sum_us = 0;
}

void open_requests_end(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut)
{
	if (open->said_maybe <= open->count)
		answers_are_over(open, sink, cut);
	else
		answered_unseen(open, sink);
}

/* How many more answers than were counted the server's last turn may have held. */
static unsigned answers_hidden(const struct open_requests *open)
{
	unsigned hidden = open->said_room > open->said_answers
				  ? open->said_room - open->said_answers
				  : 0;

	return hidden > open->said_more ? hidden : open->said_more;
}

/* All that is open may have been answered, in records of their own: one large answer
 * speaks for no slow ones beside it. */
static bool may_be_answered(const struct open_requests *open)
{
	unsigned records = open->count < SEVERAL ? open->said_maybe : open->said_more;

	return open->sharing && open->count && records >= open->count;
}

/* … and what was asked since was, and nothing else. */
static bool is_left_over(
	const struct open_requests *open, const struct open_requests_turn *turn)
{
	return turn->still.us && open->returns < RETURNS &&
	       3 * (open->count + open->ahead + 1) <= 2 * open->most &&
	       may_be_answered(open);
}

/* … and the client, which has said nothing for a while, does not keep to a number. */
static bool is_done(const struct open_requests *open, const struct answer_cut *cut,
	int64_t silence_us, uint32_t away_us)
{
	bool unknown = open->far && !away_us;
	int64_t quiet_us = unknown                    ? SILENCE_US
			   : open->returns == RETURNS ? PAUSE_US
						      : QUIET_US;

	return !answer_cut_goes_on(cut) && silence_us - away_us > quiet_us &&
	       may_be_answered(open);
}

/* When each was answered nobody knows: evenly over the time that the server spoke. */
static void all_are_over(struct open_requests *open, const struct exchange_sink *sink,
	struct moment asked, struct moment ended)
{
	struct moment began = asked.us > open->base.us ? asked : open->base;
	int64_t spoke_us = moment_since_us(ended, began);
	int64_t step_us = spoke_us > 0 ? spoke_us / open->count : 0;
	struct moment at = spoke_us > 0 ? moment_plus_us(began, step_us / 2) : ended;

	for (; open->count; at = moment_plus_us(at, step_us))
		close_inferred(open, sink, at);
	open->said_maybe = 0;
}

void open_requests_turn(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut, const struct open_requests_turn *turn)
{
	/* If it was more than is open, it was the rest of answers. */
	bool may_be_over = open->said_maybe <= open->count;
	int64_t silence_us = moment_since_us(turn->at, cut->at);

	if (is_done(open, cut, silence_us, turn->away_us))
		all_are_over(open, sink, turn->asked, cut->at);
	else if (is_left_over(open, turn))
		all_are_over(open, sink, open->base, turn->still);
	else if (may_be_over && silence_us > SILENCE_US)
		answers_are_over(open, sink, cut);
}

/* A request whose answer may have been lost is waited for no longer once the client asks
 * more than it can: it was answered. */
static void forget_untimed(struct open_requests *open, unsigned more)
{
	while (open->untimed && open->count + open->ahead + more > open->most) {
		open->untimed--;
		take_one(open);
		if (open->older)
			open->older--;
	}
}

static void note_most(struct open_requests *open, unsigned count)
{
	if (count > open->most) {
		open->most = (uint16_t)count;
		open->returns = 0;
	} else if (count == open->most && open->returns < RETURNS) {
		open->returns++;
	}
}

void open_requests_infer(struct open_requests *open, const struct exchange_sink *sink,
	unsigned more, struct moment answered)
{
	bool keeps = open->returns == RETURNS;

	forget_untimed(open, more);
	while (open->sharing && open->older && open->count &&
		(keeps || answers_hidden(open)) &&
		open->count + open->ahead + more > open->most) {
		close_inferred(open, sink, answered);
		open->guessed |= open->far && open->count > 0;
		open->older--;
		open->said_answers++;
		if (open->said_more)
			open->said_more--;
		if (open->said_maybe)
			open->said_maybe--;
	}
	note_most(open, open->count + open->ahead + more);
}

/* What was hidden in former turns, and has not been asked for more than yet, stays so. */
void open_requests_server_turn(struct open_requests *open)
{
	unsigned hidden = answers_hidden(open);

	open->said_more = hidden < open->count ? (uint16_t)hidden : open->count;
	open->said_room = open->said_answers = 0;
	open->row = 0;
}

/* A client that has as much open as it may asks when it is answered: where so much may
 * have begun answers and it says nothing, they are answers to all that it asked for. */
static bool is_flood(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut)
{
	if (open->returns == RETURNS)
		return false;
	if (open->row == ROW) {
		exchange_tell(sink, EXCHANGE_ESTIMATED, 0);
		return true;
	}
	if (++open->row == ROW)
		answers_are_over(open, sink, cut);
	return false;
}

/* How many answers a record may hold, if they are no shorter than others by much. */
static unsigned room_in(const struct answer_cut *cut, int content)
{
	unsigned least = answer_cut_least(cut);

	return least ? (unsigned)content * 4 / (least * 3) : 1;
}

bool open_requests_said(struct open_requests *open, const struct exchange_sink *sink,
	const struct answer_cut *cut, enum answer_cut_piece piece, int content)
{
	if (cut->again && answer_cut_is_early(cut)) {
		/* Answers to so few would not be equally long, each with another. */
		open->said_room = open->said_answers + 1u;
		open->said_more = 0;
	} else {
		open->said_room += room_in(cut, content);
	}
	open->said_more = (uint16_t)(open->said_more + (piece != ANSWER_CUT_FIRST));
	if (piece != ANSWER_CUT_MAYBE || !open->count)
		return piece == ANSWER_CUT_FIRST;
	open->said_maybe++;
	return is_flood(open, sink, cut);
}

void open_requests_may_be_said(struct open_requests *open)
{
	if (open->said_more < open->count)
		open->said_more++;
}

/* Of several one may have been answered: what the client asks for next tells. The time of
 * one alone is lost. */
void open_requests_answer_lost(
	struct open_requests *open, const struct exchange_sink *sink)
{
	if (open->sharing && open->count > 1) {
		open->said_more++;
		return;
	}
	for (; open->untimed < open->count; open->untimed++)
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
	open->sum_us = 0;
}
