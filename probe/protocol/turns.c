#include "turns.h"

/* A ticket's record: never smaller than its fixed fields, seldom larger than a
 * certificate's worth of state. What lies outside is an answer at once. */
#define TICKET_LEN_MIN 70
#define TICKET_LEN_MAX 1600

/* An answer that pauses longer than this has ended; what follows is another matter. */
#define SILENCE_US (200 * INT64_C(1000))

bool turns_may_be_ticket(uint16_t len)
{
	return len >= TICKET_LEN_MIN && len <= TICKET_LEN_MAX;
}

void turns_init(struct turns *turns, bool tickets_possible)
{
	*turns = (struct turns){.ticket_turns = tickets_possible};
}

static void finish_answer(struct turns *turns, const struct exchange_sink *sink)
{
	if (turns->answering && !turns->untimed)
		exchange_tell(sink, EXCHANGE_LAST_BYTE,
			moment_since_us(turns->last, turns->request));
	turns->answering = false;
}

static void answer_at(
	struct turns *turns, const struct exchange_sink *sink, struct moment at)
{
	if (turns->untimed)
		exchange_tell(sink, EXCHANGE_ANSWERED, 0);
	else
		exchange_tell(
			sink, EXCHANGE_RESPONSE, moment_since_us(at, turns->request));
	turns->open = turns->passed = turns->continued = false;
	turns->has_candidate = turns->candidate_is_interim = false;
	turns->ticket_len = 0;
	if (turns->ticket_turns)
		turns->ticket_turns--;
	turns->answering = true;
	turns->last = at;
}

/* Nothing came behind the candidates: they were the answer. */
static void settle_candidate(struct turns *turns, const struct exchange_sink *sink)
{
	struct moment last = turns->last;

	if (!turns->open || !turns->has_candidate)
		return;
	answer_at(turns, sink, turns->candidate);
	turns->last = last;
}

/* The client goes on with what it was asked to. */
static void go_on(struct turns *turns)
{
	turns->has_candidate = turns->candidate_is_interim = false;
	turns->continued = true;
}

void turns_client(struct turns *turns, const struct exchange_sink *sink, struct moment at)
{
	if (turns->candidate_is_interim)
		go_on(turns);
	settle_candidate(turns, sink);
	finish_answer(turns, sink);
	if (!turns->open || turns->passed) {
		turns->open = true;
		turns->untimed = turns->passed = false;
		exchange_tell(sink, EXCHANGE_REQUEST, 0);
	}
	turns->request = at;
}

void turns_client_more(struct turns *turns, struct moment at)
{
	if (turns->open && !turns->has_candidate)
		turns->request = at;
}

static bool may_be_ticket(const struct turns *turns, uint16_t len)
{
	if (!turns->ticket_turns || !turns_may_be_ticket(len))
		return false;
	return turns->ticket_len == 0 || turns->ticket_len == len;
}

static void note_candidate(struct turns *turns, struct moment at, uint16_t len)
{
	turns->ticket_len = len;
	turns->last = at;
	if (turns->open && !turns->has_candidate) {
		turns->has_candidate = true;
		turns->candidate = at;
	}
}

static bool may_be_interim(const struct turns *turns, uint16_t len)
{
	return turns->open && len && len == turns->interim_len;
}

/* Answers are as long: what the client went on behind was one, and a request before. */
static void admit_missed(struct turns *turns, const struct exchange_sink *sink)
{
	turns->interim_len = 0;
	exchange_tell(sink, EXCHANGE_REQUEST, 0);
	exchange_tell(sink, EXCHANGE_UNTIMED, 0);
	exchange_tell(sink, EXCHANGE_ANSWERED, 0);
}

static void note_interim(struct turns *turns, struct moment at)
{
	turns->has_candidate = turns->candidate_is_interim = true;
	turns->candidate = turns->last = at;
}

/* More came behind it without a word of the client: the answer, unless it is as long, and
 * both are pieces of one. */
static void settle_interim(
	struct turns *turns, const struct exchange_sink *sink, uint16_t len)
{
	if (len != turns->interim_len) {
		turns->has_candidate = turns->candidate_is_interim = false;
		return;
	}
	turns->interim_len = 0;
	settle_candidate(turns, sink);
}

void turns_server(struct turns *turns, const struct exchange_sink *sink, struct moment at,
	uint16_t len)
{
	if (turns->candidate_is_interim)
		settle_interim(turns, sink, len);
	else if (may_be_interim(turns, len) && turns->continued)
		admit_missed(turns, sink);
	if (may_be_ticket(turns, len))
		note_candidate(turns, at, len);
	else if (may_be_interim(turns, len))
		note_interim(turns, at);
	else if (turns->open)
		answer_at(turns, sink, at);
	else
		turns_server_more(turns, sink, at);
}

void turns_server_more(
	struct turns *turns, const struct exchange_sink *sink, struct moment at)
{
	if (turns->answering && moment_since_us(at, turns->last) > SILENCE_US)
		finish_answer(turns, sink);
	if (turns->answering || turns->has_candidate)
		turns->last = at;
}

void turns_lost(
	struct turns *turns, const struct exchange_sink *sink, enum exchange_side side)
{
	if (side == EXCHANGE_CLIENT && !turns->open) {
		/* Between turns the client's bytes can only have been a request. */
		finish_answer(turns, sink);
		exchange_tell(sink, EXCHANGE_REQUEST, 0);
		turns->open = true;
		turns->untimed = turns->passed = false;
	}
	if (side == EXCHANGE_SERVER)
		turns->passed = turns->open;
	if (turns->open && !turns->untimed) {
		turns->untimed = true;
		exchange_tell(sink, EXCHANGE_UNTIMED, 0);
	}
}

void turns_end(struct turns *turns, const struct exchange_sink *sink)
{
	settle_candidate(turns, sink);
	finish_answer(turns, sink);
}
