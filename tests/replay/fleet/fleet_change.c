#include "fleet_change.h"

#include <math.h>

#include "fleet_dice.h"

#define OTHER_ASN 40 /* further than the office's first one */
/* Retransmitted requests, say, are no longer counted twice. */
#define COUNTED .93
#define LOST_A_DAY .03

/* One of so many in every second world. */
static bool is_chosen(const struct fleet_world *world, enum fleet_noise noise,
	enum fleet_dice dice, unsigned who, unsigned many)
{
	uint64_t hash = fleet_dice_hash(world->options.seed, dice, 0, 0);

	return fleet_world_has(world, noise) && hash & 1 && (hash >> 1) % many == who;
}

static int64_t judged_day_us(const struct fleet_world *world, int day)
{
	return FLEET_BEGIN_US + (world->options.history_days + day) * MOMENT_DAY_US;
}

uint32_t fleet_change_asn(const struct fleet_world *world, unsigned site, int64_t at_us)
{
	bool changed = at_us >= judged_day_us(world, 8) + 5 * MOMENT_HOUR_US &&
		       is_chosen(world, NOISE_PROVIDER_SWAP, DICE_PROVIDER_SWAP, site,
			       world->options.sites);

	return world->sites[site].asn + (changed ? OTHER_ASN : 0);
}

bool fleet_change_is_renamed(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	return probe->role == OBS_GATEWAY &&
	       at_us >= judged_day_us(world, 9) + 11 * MOMENT_HOUR_US &&
	       is_chosen(world, NOISE_RENAMING, DICE_RENAMING, probe->site,
		       world->options.sites);
}

double fleet_change_counted(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	bool counts_less = probe->role == OBS_GATEWAY &&
			   at_us >= judged_day_us(world, 3) + 12 * MOMENT_HOUR_US &&
			   fleet_world_has(world, NOISE_RECOUNT) &&
			   fleet_dice_happens(.25, world->options.seed, DICE_RECOUNT,
				   probe->number, 0);

	return counts_less ? COUNTED : 1;
}

double fleet_change_users(
	const struct fleet_world *world, unsigned service, int64_t at_us)
{
	double days = (double)(at_us - judged_day_us(world, -3)) / MOMENT_DAY_US;

	if (days <= 0 || !is_chosen(world, NOISE_RETIREMENT, DICE_RETIREMENT, service,
				 world->options.services))
		return 1;
	return exp(-LOST_A_DAY * days);
}

bool fleet_change_is_dark(
	const struct fleet_world *world, const struct fleet_probe *probe, double hour)
{
	return probe->role == OBS_GATEWAY && hour >= 4 * 24 + 20 && hour < 6 * 24 + 23 &&
	       is_chosen(world, NOISE_DARK_WEEKENDS, DICE_DARK_WEEKENDS, probe->site,
		       world->options.sites);
}
