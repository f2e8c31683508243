#include "answer_cut.h"

#include "h2_lengths.h"

/* A server that sent this many empty frames ends its answers with them. */
#define ENDS_MIN 3

/* A record that is shorter than the largest by no more than heads of frames is full. */
#define HEADS_LEN_MAX (2 * H2_LENGTHS_FRAME)

/* Servers cut what is long into records of 16384, less at most a frame's head or two.
 * What is shorter may be an answer that was as long as another. */
#define LARGEST_LEN_MIN 16000

/* Servers that warm up cut answers into what one packet of the network takes. */
#define CHUNK_LEN_MIN 1200
#define CHUNK_LEN_MAX 1440
#define CHUNKED_LEN 16384 /* … from a buffer of as much */
#define CHUNKS_MAX 15
#define BUFFER_LEN 4096
#define HEAD_LEN_MAX 256

/* Who sends a record as long as this sends answers of several. */
#define LONG_LEN_MIN 8192

/* Until so many answers were seen, nobody knows how short they are: shorter ones than
 * this, with a head of few fields, are rare. */
#define FEW 3
#define FIRST_LEN_MIN 48

/* A server hands the records of one answer to the network one right behind the other. */
#define TOGETHER_US 1000
/* Who asks while an answer stalls is seldom seen beside whom its last record filled. */
#define STALL_US 1000
/* … and sooner than a client that is answered can ask again. */
#define AT_ONCE_US 100

static bool ends_answers(const struct answer_cut *cut)
{
	return cut->ends >= ENDS_MIN;
}

/* Two such frames without a record between them: answers overlapped. */
bool answer_cut_ends(struct answer_cut *cut)
{
	bool unseen = ends_answers(cut) && cut->ended;

	if (!ends_answers(cut))
		cut->ends++;
	cut->ended = true;
	return unseen;
}

/* As long as the buffers that servers read from behind them, or a frame with one. */
static bool is_buffer(int content)
{
	int data = content % BUFFER_LEN;

	return (data == 0 || data == H2_LENGTHS_FRAME) && content >= BUFFER_LEN &&
	       content <= 2 * BUFFER_LEN + H2_LENGTHS_FRAME;
}

/* Such a buffer behind the head of its answer, in one record (Apache). */
static bool is_headed_buffer(const struct answer_cut *cut)
{
	int head = cut->latest - 2 * BUFFER_LEN - H2_LENGTHS_FRAME;

	return cut->began && head > H2_LENGTHS_FRAME && head <= HEAD_LEN_MAX;
}

/* A server cut the latest record off here for no other reason than its length. */
static bool is_full(const struct answer_cut *cut)
{
	return cut->latest &&
	       (cut->latest == cut->chunk || cut->full || is_buffer(cut->latest) ||
		       (cut->latest + HEADS_LEN_MAX >= cut->largest &&
			       cut->largest >= LARGEST_LEN_MIN));
}

/* … or perhaps: a whole answer may be as long. */
bool answer_cut_goes_on(const struct answer_cut *cut)
{
	return is_full(cut) || is_headed_buffer(cut);
}

bool answer_cut_awaits(const struct answer_cut *cut, struct moment at)
{
	return answer_cut_goes_on(cut) && moment_since_us(at, cut->at) < TOGETHER_US;
}

static bool is_chunk(int content)
{
	return content >= CHUNK_LEN_MIN && content <= CHUNK_LEN_MAX;
}

static void learn_chunk(
	struct answer_cut *cut, struct answer_cut_asked asked, int content)
{
	if (!asked.since && content == cut->latest && is_chunk(content))
		cut->chunk = cut->latest;
}

/* The rest of a buffer that was full goes on in the next. */
static void note_chunk(struct answer_cut *cut, int content)
{
	cut->full = cut->chunks && cut->chunks * cut->chunk + content == CHUNKED_LEN;
	if (!is_chunk(content))
		cut->chunks = 0;
	else if (content != cut->latest)
		cut->chunks = 1;
	else if (cut->chunks < CHUNKS_MAX)
		cut->chunks++;
}

/* Short enough to be an answer of one record, or as long as the end of another. */
static bool was_whole(const struct answer_cut *cut)
{
	return (cut->began && cut->latest < CHUNK_LEN_MIN) || cut->latest == cut->tail;
}

/* Where answers are long, or this one's beginning filled a packet, what follows at once
 * is the rest of it, unless that was whole, or this is as long as it was. */
static bool follows(const struct answer_cut *cut, int64_t gap_us,
	struct answer_cut_asked asked, int content)
{
	bool alike = content == cut->first && content != cut->chunk &&
		     content < LARGEST_LEN_MIN;
	bool is_long = cut->largest >= LONG_LEN_MIN || content >= LONG_LEN_MIN ||
		       cut->chunk || is_chunk(cut->latest);

	return is_long && !was_whole(cut) && !alike &&
	       gap_us < (asked.since ? AT_ONCE_US : TOGETHER_US);
}

/* Only one request is open, and it has just been made: what comes is its answer, but for
 * the rest of the one before. */
static bool answers_the_only_one(const struct answer_cut *cut, int64_t gap_us,
	struct answer_cut_asked asked, int content)
{
	if (!asked.since || !asked.one)
		return false;
	if (gap_us < AT_ONCE_US)
		return !is_full(cut) && content != cut->chunk;
	return cut->largest < LARGEST_LEN_MIN || cut->latest != cut->largest ||
	       gap_us > STALL_US;
}

static enum answer_cut_piece piece_of(const struct answer_cut *cut,
	struct answer_cut_asked asked, struct moment at, int content)
{
	int64_t gap_us = moment_since_us(at, cut->at);

	if (answers_the_only_one(cut, gap_us, asked, content))
		return ANSWER_CUT_FIRST;
	if (ends_answers(cut) && cut->ended)
		return ANSWER_CUT_FIRST;
	if (answer_cut_goes_on(cut) ||
		(ends_answers(cut) && !asked.since && !was_whole(cut)))
		return ANSWER_CUT_MORE;
	return follows(cut, gap_us, asked, content) ? ANSWER_CUT_MAYBE : ANSWER_CUT_FIRST;
}

enum answer_cut_piece answer_cut_record(struct answer_cut *cut,
	struct answer_cut_asked asked, struct moment at, int content)
{
	enum answer_cut_piece piece;

	learn_chunk(cut, asked, content);
	piece = piece_of(cut, asked, at, content);
	note_chunk(cut, content);
	cut->began = piece == ANSWER_CUT_FIRST;
	if (cut->began)
		cut->tail = cut->latest;
	cut->again = cut->began && content == cut->first && content < CHUNK_LEN_MIN;
	cut->ended = false;
	cut->at = at;
	cut->latest = (uint16_t)content;
	if (cut->began)
		cut->first = cut->latest;
	if (content > cut->largest)
		cut->largest = (uint16_t)content;
	return piece;
}

void answer_cut_more(struct answer_cut *cut, struct moment at)
{
	cut->at = at;
}

void answer_cut_lost(struct answer_cut *cut)
{
	cut->chunks = cut->full = 0;
	/* Full, but not so certainly that the only request would wait for its end. */
	if (cut->largest >= LONG_LEN_MIN)
		cut->latest = (uint16_t)(cut->largest - 1);
}

void answer_cut_note_least(struct answer_cut *cut, int content)
{
	if (cut->few < FEW)
		cut->few++;
	if (!cut->least || content < cut->least)
		cut->least = (uint16_t)content;
}

bool answer_cut_is_early(const struct answer_cut *cut)
{
	return cut->few < FEW;
}

unsigned answer_cut_least(const struct answer_cut *cut)
{
	return cut->few < FEW && cut->least > FIRST_LEN_MIN ? FIRST_LEN_MIN : cut->least;
}
