#include "request_unit.h"

#include <limits.h>

#include "h2_lengths.h"

/* A length that came this often is what requests look like. */
#define REPEATS 3
/* … from one to the next. */
#define ALIKE 1
/* Of a request whose fields are known; longer ones may be data. */
#define LENGTH_MAX 256
/* Records of as many requests as clients have open at once; longer ones are bodies. */
#define TOGETHER_LEN_MAX 4096
/* Window updates that share a record with requests. */
#define BETWEEN_MAX 3

bool request_unit_is_known(const struct request_unit *unit)
{
	return unit->repeats >= REPEATS;
}

static bool is_near(int content, int length)
{
	return content - length <= ALIKE && length - content <= ALIKE;
}

bool request_unit_is(const struct request_unit *unit, int content)
{
	return request_unit_is_known(unit) && content >= H2_LENGTHS_REQUEST_MIN &&
	       is_near(content, unit->length);
}

/* How well so many bytes are requests of that length, give or take a byte for four, but
 * no more than would fit anything: what is left over; negative when they are not. */
static int misfit(const struct request_unit *unit, int content, int *times)
{
	int apart;

	*times = (content + unit->length / 2) / unit->length;
	apart = content - *times * unit->length;
	if (apart < 0)
		apart = -apart;
	return *times > 0 && apart <= 1 + *times / 4 && apart <= unit->length / 4 ? apart
										  : -1;
}

int request_unit_count(const struct request_unit *unit, int content, bool may_acknowledge)
{
	int best = 0, least = INT_MAX, times, apart;

	if (!request_unit_is_known(unit) || content > TOGETHER_LEN_MAX)
		return 0;
	for (int frames = 0; frames <= may_acknowledge; frames++) {
		int rest = content - frames * H2_LENGTHS_FRAME, updates = 0;

		for (; rest >= unit->length - ALIKE && updates <= BETWEEN_MAX;
			rest -= H2_LENGTHS_WINDOW_UPDATE, updates++) {
			apart = misfit(unit, rest, &times);
			if (apart < 0 || apart + updates + frames >= least)
				continue;
			least = apart + updates + frames;
			best = times;
		}
	}
	return best;
}

int request_unit_count_bytes(const struct request_unit *unit, uint32_t bytes)
{
	uint32_t times;
	int apart;

	if (!request_unit_is_known(unit))
		return 0;
	times = (bytes + unit->length / 2u) / unit->length;
	apart = (int)bytes - (int)(times * unit->length);
	return apart <= 2 * ALIKE && apart >= -2 * ALIKE ? (int)times : 0;
}

/* Whether a record is as long as several of another length. */
static bool is_multiple(int content, int length)
{
	int times;

	if (length < H2_LENGTHS_REQUEST_MIN || content < 2 * length - ALIKE)
		return false;
	times = (content + length / 2) / length;
	return is_near(content, times * length);
}

static void become(struct request_unit *unit, int content, unsigned repeats)
{
	unit->length = (uint16_t)content;
	unit->repeats = repeats & 15;
	unit->rival_repeats = 0;
}

/* Lengths that are multiples of each other speak for the least of them. */
static enum request_unit_news search(struct request_unit *unit, int content)
{
	if (is_near(content, unit->length) || is_multiple(unit->length, content))
		become(unit, content, unit->repeats + 1u);
	else if (is_multiple(content, unit->length))
		unit->repeats++;
	else
		become(unit, content, 1);
	return request_unit_is_known(unit) ? REQUEST_UNIT_LEARNT : REQUEST_UNIT_SAME;
}

static enum request_unit_news note_rival(struct request_unit *unit, int content)
{
	unit->rival_repeats =
		is_near(content, unit->rival) ? (unit->rival_repeats + 1u) & 15 : 1;
	unit->rival = (uint16_t)content;
	if (unit->rival_repeats < REPEATS)
		return REQUEST_UNIT_SAME;
	become(unit, content, REPEATS);
	return REQUEST_UNIT_REPLACED;
}

/* Requests of nothing but indexed fields are as long as a priority, for which one alone
 * is taken; but nothing else comes in so many other multiples of that length. */
static bool is_least(struct request_unit *unit, int content)
{
	bool multiple = content % H2_LENGTHS_REQUEST_MIN == 0;

	if (content == H2_LENGTHS_REQUEST_MIN || is_near(content, unit->length))
		return false;
	unit->least_multiples = multiple ? (uint8_t)(unit->least_multiples + 1) : 0;
	return unit->least_multiples > REPEATS;
}

enum request_unit_news request_unit_note(struct request_unit *unit, int content)
{
	if (content < H2_LENGTHS_REQUEST_MIN || content > LENGTH_MAX)
		return REQUEST_UNIT_SAME;
	if (is_least(unit, content)) {
		become(unit, H2_LENGTHS_REQUEST_MIN, REPEATS);
		return REQUEST_UNIT_LEARNT;
	}
	if (!request_unit_is_known(unit))
		return search(unit, content);
	if (is_near(content, unit->length)) {
		become(unit, content, REPEATS);
		return REQUEST_UNIT_SAME;
	}
	if (!is_multiple(unit->length, content))
		return note_rival(unit, content);
	become(unit, content, REPEATS);
	return REQUEST_UNIT_LEARNT;
}

bool request_unit_divide(struct request_unit *unit, unsigned each)
{
	if (!request_unit_is_known(unit) || each < 2 ||
		unit->length < H2_LENGTHS_REQUEST_MIN * each ||
		unit->length % each > ALIKE)
		return false;
	become(unit, unit->length / (int)each, REPEATS);
	return true;
}
