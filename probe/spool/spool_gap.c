#include "spool_gap.h"

#include <errno.h>
#include <stdlib.h>

#include "astray/wire.h"

static void join(struct obs_gap *into, const struct obs_gap *gap)
{
	if (moment_before(gap->from, into->from))
		into->from = gap->from;
	if (moment_before(into->until, gap->until))
		into->until = gap->until;
	into->observations += gap->observations;
}

static void remove_at(struct spool_gap *all, unsigned at)
{
	all->count--;
	for (; at < all->count; at++)
		all->gaps[at] = all->gaps[at + 1];
}

static void insert_at(struct spool_gap *all, unsigned at, const struct obs_gap *gap)
{
	for (unsigned i = all->count; i > at; i--)
		all->gaps[i] = all->gaps[i - 1];
	all->gaps[at] = *gap;
	all->count++;
}

/* Joins a gap that has grown with those that it now touches. */
static void absorb_next(struct spool_gap *all, unsigned at)
{
	while (at + 1 < all->count &&
		!moment_before(all->gaps[at].until, all->gaps[at + 1].from)) {
		join(&all->gaps[at], &all->gaps[at + 1]);
		remove_at(all, at + 1);
	}
}

static void join_nearest(struct spool_gap *all)
{
	unsigned best = 0;

	for (unsigned i = 1; i + 1 < all->count; i++)
		if (moment_since_us(all->gaps[i + 1].from, all->gaps[i].until) <
			moment_since_us(all->gaps[best + 1].from, all->gaps[best].until))
			best = i;
	join(&all->gaps[best], &all->gaps[best + 1]);
	remove_at(all, best + 1);
}

void spool_gap_add(struct spool_gap *all, const struct obs_gap *gap)
{
	unsigned at = 0;

	while (at < all->count && moment_before(all->gaps[at].until, gap->from))
		at++;
	if (at < all->count && !moment_before(gap->until, all->gaps[at].from)) {
		join(&all->gaps[at], gap);
		absorb_next(all, at);
		return;
	}
	if (all->count == OBS_GAPS) {
		join_nearest(all);
		spool_gap_add(all, gap);
		return;
	}
	insert_at(all, at, gap);
}

int64_t spool_gap_lost(const struct spool_gap *all)
{
	int64_t lost = 0;

	for (unsigned i = 0; i < all->count; i++)
		lost += all->gaps[i].observations;
	return lost;
}

int spool_gap_line(char *buf, size_t cap, const struct spool_gap *all, int64_t dropped,
	struct moment at)
{
	struct obs *obs = malloc(sizeof(*obs));
	int rc;

	if (!obs)
		return -ENOMEM;
	obs_init(obs, OBS_HEALTH, at);
	obs->health.dropped_observations = dropped;
	obs->health.gap_count = all->count;
	for (unsigned i = 0; i < all->count; i++)
		obs->health.gaps[i] = all->gaps[i];
	rc = wire_encode(buf, cap, obs);
	free(obs);
	return rc;
}
