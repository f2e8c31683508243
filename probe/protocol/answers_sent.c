#include "answers_sent.h"

#include "slab.h"

/* Records that follow each other sooner are remembered as one. */
#define JOINED_US 1000

/* Times are kept in steps, 15 bits of them: a second. */
#define STEP_US 32
#define GAP_MAX 0x7fffu

/* A record, or several, by how far behind the one before it begins. */
struct record {
	uint16_t bytes;
	uint16_t gap : 15; /* in steps */
	bool begins : 1;   /* an answer */
};

/* A ring: the oldest gives way. Places and times are those of the first one; their lower
 * 32 bits, since only what is on its way is asked for. */
struct memory {
	struct record ring[ANSWERS_SENT_MAX];
	uint32_t first_at, first_us;
	uint32_t latest_at, latest_us;
	uint8_t first, count;
	uint8_t answers; /* of them: begin one */
	bool had;        /* one has been dropped; first_us is known from then on */
	uint32_t had_us; /* when the latest one was sent that the client has had */
};
_Static_assert(sizeof(struct memory) <= EXCHANGE_CELL, "it fits in a cell");

static struct memory *memory_of(
	const struct answers_sent *sent, const struct exchange_sink *sink)
{
	return sent->cell == SLAB_NONE ? NULL : slab_cell(sink->cells, sent->cell);
}

static struct record *record_at(struct memory *memory, unsigned place)
{
	return &memory->ring[(memory->first + place) % ANSWERS_SENT_MAX];
}

static void drop_first(struct memory *memory)
{
	const struct record *next = record_at(memory, 1);

	memory->had = true;
	memory->had_us = memory->first_us;
	memory->answers = (uint8_t)(memory->answers - record_at(memory, 0)->begins);
	memory->first = (uint8_t)((memory->first + 1) % ANSWERS_SENT_MAX);
	if (--memory->count == 0)
		return;
	memory->first_at += next->bytes;
	memory->first_us += (uint32_t)next->gap * STEP_US;
}

/* Whether it can be told by how far behind the latest one it begins. */
static bool is_near(const struct memory *memory, uint32_t at, uint32_t at_us)
{
	return at - memory->latest_at <= UINT16_MAX &&
	       at_us - memory->latest_us < GAP_MAX * STEP_US;
}

static bool joins(struct memory *memory, uint32_t at_us, bool begins)
{
	return !begins && !record_at(memory, memory->count - 1u)->begins &&
	       at_us - memory->latest_us < JOINED_US;
}

/* Moves the latest one to here. */
static void put_latest(struct memory *memory, uint32_t at, uint32_t at_us, bool begins)
{
	struct record *latest = record_at(memory, memory->count - 1u);
	uint32_t steps = (at_us - memory->latest_us + STEP_US / 2) / STEP_US;

	latest->bytes = (uint16_t)(at - memory->latest_at);
	latest->gap = steps & GAP_MAX;
	latest->begins = begins;
	memory->latest_at = at;
	memory->latest_us += steps * STEP_US;
}

static void begin_anew(struct memory *memory, uint32_t at, uint32_t at_us, bool begins)
{
	while (memory->count)
		drop_first(memory);
	memory->count = 1;
	memory->first_at = memory->latest_at = at;
	memory->first_us = memory->latest_us = at_us;
	*record_at(memory, 0) = (struct record){.begins = begins};
	memory->answers = begins;
}

static void remember(struct memory *memory, uint32_t at, uint32_t at_us, bool begins)
{
	if (memory->count == 0 || !is_near(memory, at, at_us)) {
		begin_anew(memory, at, at_us, begins);
		return;
	}
	if (joins(memory, at_us, begins))
		return;
	if (memory->count == ANSWERS_SENT_MAX)
		drop_first(memory);
	memory->count++;
	put_latest(memory, at, at_us, begins);
	memory->answers = (uint8_t)(memory->answers + begins);
}

void answers_sent_add(struct answers_sent *sent, const struct exchange_sink *sink,
	struct moment at, uint32_t bytes, bool begins)
{
	struct memory *memory = memory_of(sent, sink);

	if (memory)
		remember(memory, sent->bytes - bytes, (uint32_t)at.us, begins);
}

static void take_memory(struct answers_sent *sent, const struct exchange_sink *sink)
{
	struct memory *memory;

	sent->cell = slab_take(sink->cells);
	memory = memory_of(sent, sink);
	if (memory)
		*memory = (struct memory){0};
}

uint8_t answers_sent_unseen(struct answers_sent *sent, const struct exchange_sink *sink,
	uint32_t bytes, bool wanted)
{
	struct memory *memory = memory_of(sent, sink);

	if (!memory && wanted && bytes)
		take_memory(sent, sink);
	if (!memory)
		return 0;
	while (memory->count && sent->bytes - memory->first_at > bytes)
		drop_first(memory);
	return memory->answers;
}

struct moment answers_sent_latest_had(const struct answers_sent *sent,
	const struct exchange_sink *sink, struct moment latest)
{
	const struct memory *memory = memory_of(sent, sink);
	int32_t before_us;

	if (!memory || !memory->had)
		return latest;
	before_us = (int32_t)((uint32_t)latest.us - memory->had_us);
	return moment_plus_us(latest, before_us > 0 ? -before_us : 0);
}

void answers_sent_drop(struct answers_sent *sent, const struct exchange_sink *sink)
{
	slab_give(sink->cells, sent->cell);
	sent->cell = SLAB_NONE;
}
