#include "track.h"

#include <string.h>

#include "archive.h"

/* Somebody silent for three slots is no longer waited for; for a day, no longer a part of
 * the whole. */
#define WAITED_SLOTS 3
#define PART_US MOMENT_DAY_US
#define RATE_STEP 0.05f

int64_t track_slot_of(int64_t slot_us, struct moment at)
{
	return at.us / slot_us;
}

static struct track_slot *slot_place(struct track *track, int64_t number)
{
	return &track->slots[number % TRACK_SLOTS];
}

/* The place of that slot in the ring, emptied when it held an older one. */
static struct track_slot *open_slot(struct track *track, int64_t number)
{
	struct track_slot *slot = slot_place(track, number);

	if (slot->number != number) {
		*slot = (struct track_slot){.number = number};
		if (number > track->newest - TRACK_TIMED)
			memset(&track->responses[number % TRACK_TIMED], 0,
				sizeof(track->responses[0]));
	}
	if (number > track->newest)
		track->newest = number;
	if (!track->first)
		track->first = number;
	return slot;
}

static void note_rate(
	struct track *track, unsigned reporter, int64_t number, float requests)
{
	bool fresh = track->reporters[reporter].rate == 0;

	if (number > track->reporters[reporter].last_slot) {
		float step = fresh ? 1 : RATE_STEP;

		track->reporters[reporter].rate +=
			step * (track->reporters[reporter].open -
				       track->reporters[reporter].rate);
		track->reporters[reporter].open = 0;
		track->reporters[reporter].last_slot = number;
	}
	if (number == track->reporters[reporter].last_slot)
		track->reporters[reporter].open += requests;
}

/* The number of that reporter; beyond the limit the last place stands for all others. */
static unsigned reporter_of(struct track *track, uint32_t vantage)
{
	for (unsigned i = 0; i < track->reporter_count; i++)
		if (track->reporters[i].vantage == vantage)
			return i;
	if (track->reporter_count == TRACK_REPORTERS)
		return TRACK_REPORTERS - 1;
	track->reporters[track->reporter_count].vantage = vantage;
	return track->reporter_count++;
}

static float counted(int64_t value)
{
	return value == OBS_ABSENT ? 0 : (float)value;
}

/* What was asked and not answered counts as failed; an answer may fall into the next
 * window, so a single slot may be negative and only sums mean something. */
static void add_part(
	struct track_slot *slot, const struct obs_traffic *traffic, float part)
{
	slot->requests += part * counted(traffic->requests);
	slot->failures += part * counted(traffic->errors);
	if (traffic->responses != OBS_ABSENT && traffic->requests != OBS_ABSENT)
		slot->failures +=
			part * (counted(traffic->requests) - counted(traffic->responses));
	slot->connections += part * counted(traffic->connections);
	slot->failed_connections +=
		part * (counted(traffic->refused) + counted(traffic->timed_out) +
			       counted(traffic->reset) + counted(traffic->tls_failed));
}

int64_t track_add(struct track *track, int64_t slot_us, uint32_t vantage,
	struct moment at, const struct obs_traffic *traffic)
{
	int64_t parts = traffic->window_us > slot_us ? traffic->window_us / slot_us : 1;
	int64_t first = track_slot_of(
		slot_us, moment_plus_us(at, traffic->window_us / (2 * parts)));
	unsigned reporter;

	track->slot_us = slot_us;
	track->window_slots = (uint32_t)(parts < TRACK_SLOTS ? parts : TRACK_SLOTS);
	if (parts > TRACK_SLOTS) {
		first += parts - TRACK_SLOTS;
		parts = TRACK_SLOTS;
	}
	if (first + parts - 1 <= track->newest - TRACK_SLOTS || first <= 0)
		return 0;
	reporter = reporter_of(track, vantage);
	if (at.us + traffic->window_us > track->reporters[reporter].until_us)
		track->reporters[reporter].until_us = at.us + traffic->window_us;
	for (int64_t number = first; number < first + parts; number++) {
		struct track_slot *slot;

		if (number <= track->newest - TRACK_SLOTS)
			continue;
		slot = open_slot(track, number);
		add_part(slot, traffic, 1 / (float)parts);
		/* Who counts connections only has said nothing of requests. */
		if (traffic->requests == OBS_ABSENT)
			continue;
		slot->reporters |= (uint16_t)(1u << reporter);
		slot->covered_us += (float)traffic->window_us / (float)parts;
		note_rate(track, reporter, number,
			counted(traffic->requests) / (float)parts);
	}
	if (first + parts - 1 > track->newest - TRACK_TIMED)
		histogram_add_sketch(&track->responses[(first + parts - 1) % TRACK_TIMED],
			&traffic->sketches[OBS_RESPONSE]);
	return first;
}

const struct track_slot *track_slot_at(const struct track *track, int64_t number)
{
	const struct track_slot *slot;

	if (number <= 0)
		return NULL;
	slot = &track->slots[number % TRACK_SLOTS];
	return slot->number == number ? slot : NULL;
}

const struct histogram *track_responses_at(const struct track *track, int64_t number)
{
	const struct histogram *responses;

	if (number <= track->newest - TRACK_TIMED || !track_slot_at(track, number))
		return NULL;
	responses = &track->responses[number % TRACK_TIMED];
	return responses->total ? responses : NULL;
}

static bool is_waited_for(const struct track *track, unsigned reporter, int64_t number)
{
	return track->reporters[reporter].last_slot >= number - WAITED_SLOTS;
}

/* Clocks that are a little off, and windows that do not begin with our slots, leave a
 * rest. */
bool track_is_complete(const struct track *track, int64_t number)
{
	int64_t end_us = (number + 1) * track->slot_us - track->slot_us / 10;

	for (unsigned i = 0; i < track->reporter_count; i++)
		if (is_waited_for(track, i, number) &&
			track->reporters[i].until_us < end_us)
			return false;
	return true;
}

bool track_is_alive(const struct track *track, int64_t number)
{
	for (unsigned i = 0; i < track->reporter_count; i++)
		if (is_waited_for(track, i, number))
			return true;
	return false;
}

static double share_of_reporters(const struct track *track, const struct track_slot *slot)
{
	double all = 0, here = 0;

	for (unsigned i = 0; i < track->reporter_count; i++) {
		if (track->reporters[i].last_slot <
			slot->number - PART_US / track->slot_us)
			continue;
		all += track->reporters[i].rate;
		if (slot->reporters & 1u << i)
			here += track->reporters[i].rate;
	}
	return all > 0 ? here / all : 1;
}

double track_exposure(const struct track *track, int64_t number)
{
	const struct track_slot *slot = track_slot_at(track, number);
	double covered;

	if (!slot || !slot->reporters)
		return 0;
	covered = slot->covered_us / (double)track->slot_us /
		  __builtin_popcount(slot->reporters);
	/* Windows that stand across our slots give one more and the next less. */
	return share_of_reporters(track, slot) * (covered < 1.5 ? covered : 1.5);
}

static void keep_slot(struct archive *archive, struct track_slot *slot)
{
	archive_index(archive, &slot->number);
	archive_float(archive, &slot->requests);
	archive_float(archive, &slot->failures);
	archive_float(archive, &slot->connections);
	archive_float(archive, &slot->failed_connections);
	archive_float(archive, &slot->covered_us);
	archive_u16(archive, &slot->reporters);
}

void track_keep(struct archive *archive, struct track *track)
{
	archive_index(archive, &track->slot_us);
	archive_index(archive, &track->newest);
	archive_index(archive, &track->first);
	archive_count(archive, &track->window_slots, TRACK_SLOTS);
	if (track->newest && (track->slot_us <= 0 || track->slot_us > MOMENT_DAY_US ||
				     track->newest > ARCHIVE_MOST / track->slot_us))
		archive_refuse(archive);
	archive_count(archive, &track->reporter_count, TRACK_REPORTERS);
	for (uint32_t i = 0; i < track->reporter_count; i++) {
		archive_u32(archive, &track->reporters[i].vantage);
		archive_index(archive, &track->reporters[i].last_slot);
		archive_i64(archive, &track->reporters[i].until_us);
		archive_float(archive, &track->reporters[i].open);
		archive_float(archive, &track->reporters[i].rate);
	}
	for (unsigned i = 0; i < TRACK_SLOTS; i++)
		keep_slot(archive, &track->slots[i]);
	for (unsigned i = 0; i < TRACK_TIMED; i++)
		histogram_keep(archive, &track->responses[i]);
}
