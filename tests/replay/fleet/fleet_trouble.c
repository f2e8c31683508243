#include "fleet_trouble.h"

#include <math.h>

#include "fleet_dice.h"
#include "fleet_people.h"

enum hour { AT_ANY, AT_PEAK, AT_NIGHT };

/* What a kind is scored by, how often it comes in two weeks, and which services can have
 * it. */
static const struct kind {
	const char *name, *causes;
	double weight;
	int target_minutes, minutes, times;
	enum hour hour;
	double size_from, size_to;
} kinds[FLEET_KINDS] = {
	[TROUBLE_NAME_SERVER] = {"name-server", "name_server policy records", 4, 10, 300,
		3, AT_ANY, 0, 0},
	[TROUBLE_MAIL] = {"mail", "records policy name_server", 3, 10, 180, 1, AT_ANY, 0,
		0},
	[TROUBLE_ISSUER] = {"issuer", "certificate policy", 3, 20, 240, 1, AT_ANY, 0, 0},
	[TROUBLE_POLICY_PATH] = {"policy-path", "detour policy", 3, 45, 180, 3, AT_ANY, 0,
		0},
	[TROUBLE_NEW_COUNTRY] = {"new-country", "detour policy", 3, 45, 180, 3, AT_ANY, 0,
		0},
	[TROUBLE_QUIET_DETOUR] = {"quiet-detour", "detour policy", 3, 60, 240, 1, AT_ANY,
		0, 0},
	[TROUBLE_FAILURES] = {"failures", "failures", 2, 20, 60, 3, AT_PEAK, .4, .9},
	[TROUBLE_SLOW_TWICE] = {"slow-twice", "latency", 2, 20, 90, 3, AT_PEAK, 2, 4},
	[TROUBLE_SLOW_HALF] = {"slow-half", "latency", 2, 40, 120, 2, AT_PEAK, 1.4, 1.55},
	[TROUBLE_SLOW_TAIL] = {"slow-tail", "latency", 1, 40, 120, 2, AT_PEAK, .18, .25},
	[TROUBLE_UPLINK] = {"uplink", "site latency failures", 1, 40, 90, 2, AT_PEAK, 2,
		3},
	[TROUBLE_SILENCE] = {"silence", "traffic failures", 3, 15, 60, 1, AT_PEAK, 0, 0},
	[TROUBLE_DROP_80] = {"drop-80", "traffic", 2, 20, 90, 2, AT_PEAK, .2, .2},
	[TROUBLE_DROP_40] = {"drop-40", "traffic", 2, 40, 150, 2, AT_PEAK, .6, .6},
	[TROUBLE_DROP_20] = {"drop-20", "traffic", 1, 180, 360, 1, AT_PEAK, .78, .8},
	[TROUBLE_DROP_NIGHT] = {"drop-night", "traffic", 2, 30, 120, 2, AT_NIGHT, .1, .1},
	[TROUBLE_DROP_LOW] = {"drop-low", "traffic", 2, 120, 360, 2, AT_PEAK, 0, .2},
	[TROUBLE_DECAY] = {"decay", "traffic", 2, 240, 480, 2, AT_ANY, .5, .7},
	[TROUBLE_CREEP] = {"creep", "latency", 2, 420, 1200, 2, AT_ANY, .6, .9},
	[TROUBLE_EDGE] = {"edge", "latency failures traffic", 3, 40, 90, 2, AT_PEAK, .35,
		.6},
	[TROUBLE_ADDRESS] = {"address", "records policy detour", 3, 20, 180, 1, AT_ANY, 0,
		0},
	[TROUBLE_FAILURES_NIGHT] = {"fail-night", "failures", 2, 30, 60, 1, AT_NIGHT, .4,
		.9},
	[TROUBLE_FAILURES_SITE] = {"fail-site", "failures", 1, 30, 60, 1, AT_PEAK, .6,
		.9},
	[TROUBLE_SLOW_NIGHT] = {"slow-night", "latency", 2, 30, 120, 1, AT_NIGHT, 2, 4},
	[TROUBLE_SLOW_LOW] = {"slow-low", "latency", 1, 60, 240, 1, AT_PEAK, 2.5, 4},
	[TROUBLE_DROP_SITE] = {"drop-site", "traffic", 1, 60, 120, 1, AT_PEAK, 0, .1},
	[TROUBLE_RESOLVER] = {"resolver", "site failures", 1, 40, 60, 1, AT_PEAK, .1, .3},
};

const char *fleet_trouble_text(enum fleet_kind kind)
{
	return kinds[kind].name;
}

const char *fleet_trouble_causes(enum fleet_kind kind)
{
	return kinds[kind].causes;
}

double fleet_trouble_weight(enum fleet_kind kind)
{
	return kinds[kind].weight;
}

int64_t fleet_trouble_target_us(enum fleet_kind kind)
{
	return kinds[kind].target_minutes * MOMENT_MINUTE_US;
}

static bool same_zone(const struct fleet_world *world, unsigned a, unsigned b)
{
	return world->services[a].zone == world->services[b].zone;
}

static bool is_of_a_site(enum fleet_kind kind)
{
	return kind == TROUBLE_UPLINK || kind == TROUBLE_RESOLVER;
}

bool fleet_trouble_hits(const struct fleet_world *world,
	const struct fleet_trouble *trouble, unsigned service)
{
	if (is_of_a_site(trouble->kind))
		return false;
	if (trouble->edge_provider >= 0)
		return world->services[service].edged &&
		       (int)world->services[service].provider == trouble->edge_provider;
	if (trouble->kind == TROUBLE_NAME_SERVER || trouble->kind == TROUBLE_MAIL)
		return same_zone(world, service, (unsigned)trouble->service);
	return trouble->service == (int)service;
}

static bool suits(const struct fleet_world *world, enum fleet_kind kind, unsigned number)
{
	const struct fleet_service *service = &world->services[number];
	bool busy = service->requests >= 60;

	switch (kind) {
	case TROUBLE_NAME_SERVER:
	case TROUBLE_MAIL:
	case TROUBLE_ISSUER:
	case TROUBLE_ADDRESS:
		return true;
	case TROUBLE_POLICY_PATH:
		return service->policy;
	case TROUBLE_NEW_COUNTRY:
		return !service->policy;
	case TROUBLE_QUIET_DETOUR:
		return service->edged;
	case TROUBLE_FAILURES:
	case TROUBLE_SLOW_TWICE:
		return service->rhythm != RHYTHM_LOW && service->rhythm != RHYTHM_BATCH;
	case TROUBLE_DROP_LOW:
	case TROUBLE_SLOW_LOW:
		return service->rhythm == RHYTHM_LOW;
	case TROUBLE_DROP_NIGHT:
	case TROUBLE_FAILURES_NIGHT:
	case TROUBLE_SLOW_NIGHT:
		return busy && (service->rhythm == RHYTHM_PUBLIC ||
				       service->rhythm == RHYTHM_MACHINE);
	case TROUBLE_DECAY:
	case TROUBLE_CREEP:
		return busy && (service->rhythm == RHYTHM_PUBLIC ||
				       service->rhythm == RHYTHM_MACHINE);
	case TROUBLE_SLOW_HALF:
	case TROUBLE_SLOW_TAIL:
	case TROUBLE_SILENCE:
	case TROUBLE_DROP_80:
	case TROUBLE_DROP_40:
	case TROUBLE_DROP_20:
	case TROUBLE_FAILURES_SITE:
		return busy && service->rhythm != RHYTHM_BATCH;
	case TROUBLE_DROP_SITE:
		return service->requests >= 200 && service->rhythm != RHYTHM_BATCH;
	case TROUBLE_UPLINK:
	case TROUBLE_RESOLVER:
	case TROUBLE_EDGE:
	case FLEET_KINDS:
		break;
	}
	return false;
}

static double draw(const struct fleet_world *world, unsigned number, unsigned what)
{
	return fleet_dice_uniform(world->options.seed, DICE_TROUBLE, number, what);
}

/* A start on that day at which the service is as busy as the kind wants it, by the clock
 * of the site in the middle of the world. */
static int64_t begin_us(const struct fleet_world *world, enum fleet_kind kind,
	unsigned number, unsigned try)
{
	static const double from[] = {[AT_ANY] = 0, [AT_PEAK] = 10, [AT_NIGHT] = 1};
	static const double width[] = {[AT_ANY] = 20, [AT_PEAK] = 4, [AT_NIGHT] = 2.5};
	enum hour hour = kinds[kind].hour;
	int64_t day = (int64_t)(draw(world, number, 10 + try) * world->options.days);
	int64_t weekday;
	double at = from[hour] + width[hour] * draw(world, number, 110 + try);

	day += world->options.history_days;
	weekday = day % 7; /* the first day is a Monday */
	if (hour == AT_PEAK && weekday >= 5)
		day += 2;
	return FLEET_BEGIN_US + day * MOMENT_DAY_US +
	       (int64_t)(at * (double)MOMENT_HOUR_US) -
	       world->sites[0].utc_offset_hours * MOMENT_HOUR_US;
}

static bool meets(const struct fleet_world *world, const struct fleet_trouble *a,
	const struct fleet_trouble *b)
{
	const int64_t apart_us = 3 * MOMENT_HOUR_US;

	if (a->from_us > b->until_us + apart_us || b->from_us > a->until_us + apart_us)
		return false;
	if (is_of_a_site(a->kind) || is_of_a_site(b->kind))
		return true;
	for (unsigned i = 0; i < world->options.services; i++)
		if (fleet_trouble_hits(world, a, i) && fleet_trouble_hits(world, b, i))
			return true;
	return false;
}

static bool is_free(const struct fleet_troubles *troubles,
	const struct fleet_world *world, const struct fleet_trouble *trouble)
{
	int64_t begin = FLEET_BEGIN_US + world->options.history_days * MOMENT_DAY_US;
	int64_t end = begin + world->options.days * MOMENT_DAY_US;

	/* By the clock of an eastern office a day begins before the judged ones do. */
	if (trouble->until_us + MOMENT_HOUR_US > end || trouble->from_us < begin)
		return false;
	for (unsigned i = 0; i < troubles->count; i++)
		if (meets(world, trouble, &troubles->list[i]))
			return false;
	return true;
}

/* Far for a site in the first half of the table, near for a quiet one. */
static unsigned detour_city(
	const struct fleet_world *world, const struct fleet_trouble *trouble)
{
	static const unsigned far[] = {12, 13, 14, 18, 20};
	static const unsigned near[FLEET_SITES] = {15, 15, 17, 16, 19};

	if (trouble->kind == TROUBLE_QUIET_DETOUR)
		return near[trouble->site];
	return far[(unsigned)(draw(world, trouble->number, 3) * 5)];
}

static bool hits_any(const struct fleet_world *world, const struct fleet_trouble *trouble)
{
	for (unsigned i = 0; i < world->options.services; i++)
		if (fleet_trouble_hits(world, trouble, i))
			return true;
	return false;
}

static bool choose_target(
	struct fleet_trouble *trouble, const struct fleet_world *world, unsigned try)
{
	enum fleet_kind kind = trouble->kind;
	unsigned service = (unsigned)(draw(world, trouble->number, 210 + try) *
				      world->options.services);

	trouble->service = trouble->site = trouble->edge_provider = -1;
	if (is_of_a_site(kind) || kind == TROUBLE_QUIET_DETOUR ||
		kind == TROUBLE_FAILURES_SITE || kind == TROUBLE_DROP_SITE)
		trouble->site = (int)(draw(world, trouble->number, 310 + try) *
				      world->options.sites);
	if (kind == TROUBLE_QUIET_DETOUR && world->options.sites > 2 && trouble->site < 2)
		trouble->site = 2;
	if (kind == TROUBLE_EDGE)
		trouble->edge_provider =
			(int)(draw(world, trouble->number, 310 + try) * 3);
	if (kind == TROUBLE_EDGE)
		return hits_any(world, trouble);
	if (is_of_a_site(kind))
		return true;
	trouble->service = (int)service;
	return suits(world, kind, service);
}

static void plan_one(struct fleet_troubles *troubles, const struct fleet_world *world,
	enum fleet_kind kind, unsigned number)
{
	const struct kind *row = &kinds[kind];

	for (unsigned try = 0; try < 100 && troubles->count < FLEET_TROUBLES; try++) {
		struct fleet_trouble trouble = {.kind = kind, .number = number};

		if (!choose_target(&trouble, world, try))
			continue;
		trouble.from_us = begin_us(world, kind, number, try);
		trouble.until_us = trouble.from_us + row->minutes * MOMENT_MINUTE_US;
		trouble.size = row->size_from +
			       (row->size_to - row->size_from) * draw(world, number, 1);
		trouble.city = detour_city(world, &trouble);
		if (is_free(troubles, world, &trouble)) {
			troubles->list[troubles->count++] = trouble;
			return;
		}
	}
}

void fleet_trouble_plan(struct fleet_troubles *troubles, const struct fleet_world *world)
{
	unsigned number = 0;

	troubles->count = 0;
	if (!world->options.incidents)
		return;
	for (int kind = 0; kind < FLEET_KINDS; kind++) {
		int times = (kinds[kind].times * world->options.days + 13) / 14;

		for (int i = 0; i < times; i++)
			plan_one(troubles, world, (enum fleet_kind)kind, number++);
	}
}

/* Resolvers that were cold follow at once, warm ones when what they keep runs out. */
static bool believes(const struct fleet_world *world, const struct fleet_trouble *trouble,
	uint64_t vantage, int64_t at_us)
{
	double wait = draw(world, trouble->number, (unsigned)(1000 + vantage)) - .3;

	return (double)(at_us - trouble->from_us) >= wait * 5 * (double)MOMENT_HOUR_US;
}

static void apply(struct fleet_effect *effect, const struct fleet_world *world,
	const struct fleet_trouble *trouble, uint64_t vantage, int64_t at_us)
{
	double passed = (double)(at_us - trouble->from_us) /
			(double)(trouble->until_us - trouble->from_us);

	switch (trouble->kind) {
	case TROUBLE_NAME_SERVER:
		effect->names = effect->leads = trouble;
		effect->reaches_names = believes(world, trouble, vantage, at_us);
		effect->requests *= effect->reaches_names ? .7 : 1;
		break;
	case TROUBLE_ADDRESS:
		effect->leads = trouble;
		effect->reaches_names = believes(world, trouble, vantage, at_us);
		break;
	case TROUBLE_MAIL:
		effect->mail = true;
		break;
	case TROUBLE_ISSUER:
		effect->issuer = true;
		break;
	case TROUBLE_POLICY_PATH:
	case TROUBLE_NEW_COUNTRY:
	case TROUBLE_QUIET_DETOUR:
		effect->detour = trouble;
		break;
	case TROUBLE_FAILURES:
	case TROUBLE_FAILURES_NIGHT:
	case TROUBLE_FAILURES_SITE:
		effect->failures += trouble->size;
		break;
	case TROUBLE_SLOW_TWICE:
	case TROUBLE_SLOW_HALF:
	case TROUBLE_SLOW_NIGHT:
	case TROUBLE_SLOW_LOW:
		effect->latency *= trouble->size;
		break;
	case TROUBLE_SLOW_TAIL:
		effect->tail += trouble->size;
		break;
	case TROUBLE_UPLINK:
		effect->latency *= trouble->size;
		effect->failures += .15;
		break;
	case TROUBLE_SILENCE:
	case TROUBLE_DROP_80:
	case TROUBLE_DROP_40:
	case TROUBLE_DROP_20:
	case TROUBLE_DROP_NIGHT:
	case TROUBLE_DROP_LOW:
	case TROUBLE_DROP_SITE:
		effect->requests *= trouble->size;
		break;
	case TROUBLE_DECAY:
		effect->requests *= 1 - trouble->size * fmin(1, passed * 8 / 6);
		break;
	case TROUBLE_CREEP:
		effect->latency *= 1 + trouble->size * fmin(1, passed * 20 / 16);
		break;
	case TROUBLE_RESOLVER:
		effect->requests *= trouble->size;
		effect->unresolved = true;
		break;
	case TROUBLE_EDGE:
		effect->latency *= 1.6;
		effect->failures += trouble->size * .3;
		effect->requests *= 1 - trouble->size * .5;
		break;
	case FLEET_KINDS:
		break;
	}
}

struct fleet_effect fleet_trouble_effect(const struct fleet_world *world,
	const struct fleet_troubles *troubles, unsigned service, unsigned site,
	uint64_t vantage, int64_t at_us)
{
	struct fleet_effect effect = {.requests = 1, .latency = 1};

	for (unsigned i = 0; i < troubles->count; i++) {
		const struct fleet_trouble *trouble = &troubles->list[i];
		bool here = trouble->site < 0 || trouble->site == (int)site;

		if (at_us < trouble->from_us || at_us >= trouble->until_us || !here)
			continue;
		if (is_of_a_site(trouble->kind) ||
			fleet_trouble_hits(world, trouble, service))
			apply(&effect, world, trouble, vantage, at_us);
	}
	return effect;
}
