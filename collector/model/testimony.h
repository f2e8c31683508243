/*
 * Who has been told something strange, by which server, and has not been told better
 * since. What was told is withdrawn when the same server says otherwise to the same
 * question, or when that server has fallen silent and another one has gone on saying
 * otherwise for a few rounds. Bounded; when it is full, what was renewed longest ago
 * gives way and is counted. No pointers: copy it with =.
 */
#ifndef ASTRAY_TESTIMONY_H
#define ASTRAY_TESTIMONY_H

#include <stdbool.h>
#include <stdint.h>

#include "astray/moment.h"

#define TESTIMONY_ITEMS 64

struct archive;

struct testimony_source {
	uint32_t vantage, site;
	bool weighty;      /* more than one person's machine: may speak alone */
	uint64_t server;   /* who told it; 0 is nobody */
	uint64_t question; /* what was asked */
};

struct testimony_item {
	uint64_t key; /* what was told */
	struct testimony_source source;
	struct moment since, last;
	struct moment until; /* may be believed so long without being asked for again */
	uint32_t rounds;     /* times that it was told */
	uint32_t otherwise;  /* times that `other` has said otherwise since */
	uint64_t other;
};

struct testimony {
	uint32_t count;
	uint32_t forgotten;
	struct testimony_item items[TESTIMONY_ITEMS];
};

/* Adds it or counts it once more; never NULL. Valid until the next call. */
struct testimony_item *testimony_give(struct testimony *testimony, uint64_t key,
	const struct testimony_source *source, struct moment at);
/* That source was told something else in answer to its question. True when the item has
 * to go (testimony_remove). */
bool testimony_is_refuted(
	struct testimony_item *item, const struct testimony_source *source);
void testimony_remove(struct testimony *testimony, uint32_t number);

/* What all that bears witness of one thing comes to. */
struct testimony_weight {
	unsigned items, vantages;
	unsigned servers; /* that told it to weighty vantages */
	uint32_t rounds;  /* most that one weighty vantage was told it by one server */
	uint32_t most;    /* most that anybody was */
	struct moment since, until;
};

struct testimony_weight testimony_weigh(const struct testimony *testimony, uint64_t key);
/* Whether somebody at that site still bears witness of it. */
bool testimony_is_at(const struct testimony *testimony, uint64_t key, unsigned site);
/* Both ways of a snapshot. */
void testimony_keep(struct archive *archive, struct testimony *testimony);

#endif
