/*
 * The traffic of one service at one site in slots of equal length: the last two hours or
 * so at five minutes, and beside it the last few minutes at ten seconds where probes send
 * windows that short. Requests and failures for every slot, response times for the newest
 * half.
 *
 * A slot is complete once everybody who reported in one of the last three has reported to
 * its end. Who reported is kept, so that a silent gateway leaves the sum and the
 * expectation alike: no line is not zero.
 */
#ifndef ASTRAY_TRACK_H
#define ASTRAY_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"
#include "astray/obs.h"
#include "histogram.h"

struct archive;

#define TRACK_SLOTS 24
#define TRACK_TIMED 12 /* of them with response times */
#define TRACK_REPORTERS 16

struct track_slot {
	int64_t number; /* moment / slot length; tells whether this place of the ring is
			   current */
	float requests, failures, connections, failed_connections;
	float covered_us;   /* by windows, over all reporters */
	uint16_t reporters; /* bits of track.reporters */
};

struct track {
	int64_t slot_us;
	int64_t newest; /* the highest slot number with anything in it; 0: nothing yet */
	int64_t first;  /* the first ever */
	uint32_t window_slots; /* that the latest window covered, at least one */
	uint32_t reporter_count;
	struct {
		uint32_t vantage;
		int64_t last_slot;
		int64_t until_us; /* where its latest window ended */
		float open;       /* its requests in last_slot so far */
		float rate;       /* its usual requests a slot, learnt slowly */
	} reporters[TRACK_REPORTERS];
	struct track_slot slots[TRACK_SLOTS];
	struct histogram responses[TRACK_TIMED];
};

/* Adds a window measured at `at` by that vantage. The first slot that it touched; 0 when
 * it is too old for the ring. */
int64_t track_add(struct track *track, int64_t slot_us, uint32_t vantage,
	struct moment at, const struct obs_traffic *traffic);
/* NULL when nobody reported that slot. */
const struct track_slot *track_slot_at(const struct track *track, int64_t number);
/* Response times of that slot; NULL when there are none (any more). */
const struct histogram *track_responses_at(const struct track *track, int64_t number);
/* Whether all who reported in one of the three slots before have reported to the end of
 * this one. */
bool track_is_complete(const struct track *track, int64_t number);
/* Whether anybody reported in it or in one of the three before: somebody to wait for. */
bool track_is_alive(const struct track *track, int64_t number);
/* How much of the usual traffic this slot would show were all as usual, 0 to 1: the share
 * of those who reported it, and how much of its time their windows cover. */
double track_exposure(const struct track *track, int64_t number);
int64_t track_slot_of(int64_t slot_us, struct moment at);
/* Both ways of a snapshot. */
void track_keep(struct archive *archive, struct track *track);

#endif
