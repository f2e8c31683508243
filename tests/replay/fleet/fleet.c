#include "fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet_change.h"
#include "fleet_dice.h"
#include "fleet_names.h"
#include "fleet_traffic.h"

/* One probe's observations of one slot, on their way. What is in it is made when it
 * arrives. */
struct batch {
	int64_t rx_us, slot;
	uint64_t order;
	unsigned probe;
	uint32_t boot;
	int64_t seq;
	bool hello;
};

struct probe_state {
	uint32_t boot;
	int64_t seq;
	bool was_on, renamed;
	enum fleet_whereabouts where;
	uint32_t asn;
};

struct run {
	const struct fleet_world *world;
	const struct fleet_troubles *troubles;
	fleet_emit_fn emit;
	void *arg;
	struct batch *heap;
	size_t count, room;
	uint64_t order;
	struct probe_state *probes;
	struct obs obs;
	int64_t operator_seq;
};

static bool is_sooner(const struct batch *a, const struct batch *b)
{
	return a->rx_us != b->rx_us ? a->rx_us < b->rx_us : a->order < b->order;
}

static int push(struct run *run, struct batch batch)
{
	size_t at = run->count;

	if (run->count == run->room) {
		size_t room = run->room ? run->room * 2 : 1024;
		struct batch *heap = realloc(run->heap, room * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		run->heap = heap;
		run->room = room;
	}
	batch.order = run->order++;
	for (run->count++; at && is_sooner(&batch, &run->heap[(at - 1) / 2]);
		at = (at - 1) / 2)
		run->heap[at] = run->heap[(at - 1) / 2];
	run->heap[at] = batch;
	return 0;
}

static struct batch pop(struct run *run)
{
	struct batch first = run->heap[0], last = run->heap[--run->count];
	size_t at = 0;

	for (;;) {
		size_t child = at * 2 + 1;

		if (child + 1 < run->count &&
			is_sooner(&run->heap[child + 1], &run->heap[child]))
			child++;
		if (child >= run->count || !is_sooner(&run->heap[child], &last))
			break;
		run->heap[at] = run->heap[child];
		at = child;
	}
	run->heap[at] = last;
	return first;
}

static int64_t skew_us(const struct fleet_world *world, unsigned probe)
{
	double u = fleet_dice_uniform(world->options.seed, DICE_SKEW, probe, 0);
	double v = fleet_dice_uniform(world->options.seed, DICE_SKEW, probe, 1);

	if (!fleet_world_has(world, NOISE_SKEW) ||
		world->probes[probe].role != OBS_ENDPOINT)
		return 0;
	return (int64_t)((v - .5) *
			 (double)(u < .06 ? 6 * MOMENT_HOUR_US : 3 * MOMENT_SECOND_US));
}

/* When a probe that cannot reach the collector at this moment can do so again; 0: it can.
 */
static int64_t cut_off_until_us(
	const struct fleet_world *world, unsigned probe, int64_t at_us)
{
	const struct fleet_probe *row = &world->probes[probe];
	uint64_t seed = world->options.seed, day = (uint64_t)(at_us / MOMENT_DAY_US);
	const struct {
		enum fleet_noise noise;
		enum fleet_dice dice;
		uint64_t who;
		double share, minutes;
	} kinds[] = {{NOISE_LATENESS, DICE_DELAY, probe, .08, 60},
		{NOISE_ISOLATION, DICE_ISOLATION, row->site, .05, 45}};

	for (unsigned i = 0; i < 2; i++) {
		double begin = fleet_dice_uniform(
				       seed, kinds[i].dice, kinds[i].who + 5000, day) *
			       (double)(22 * MOMENT_HOUR_US);
		double length =
			(5 + kinds[i].minutes * fleet_dice_uniform(seed, kinds[i].dice,
							kinds[i].who + 10000, day)) *
			(double)MOMENT_MINUTE_US;
		int64_t from = (int64_t)day * MOMENT_DAY_US + (int64_t)begin;

		if (fleet_world_has(world, kinds[i].noise) && at_us >= from &&
			at_us < from + (int64_t)length &&
			fleet_dice_happens(
				kinds[i].share, seed, kinds[i].dice, kinds[i].who, day))
			return from + (int64_t)length;
	}
	return 0;
}

/* The collector's own bad hour, about once in four weeks; a gateway that nobody repairs
 * before tomorrow, or that is off over the weekend. */
static bool is_lost(
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	uint64_t seed = world->options.seed, day = (uint64_t)(at_us / MOMENT_DAY_US);
	double hour = (double)(at_us % MOMENT_DAY_US) / (double)MOMENT_HOUR_US;
	double begin = 23 * fleet_dice_uniform(seed, DICE_BLACKOUT, 1, day);

	if (fleet_world_has(world, NOISE_BLACKOUTS) && hour >= begin &&
		hour < begin + .8 &&
		fleet_dice_happens(1. / 28, seed, DICE_BLACKOUT, 0, day))
		return true;
	if (fleet_change_is_dark(
		    world, probe, fleet_people_week_hour(world, probe->site, at_us)))
		return true;
	return probe->role == OBS_GATEWAY && fleet_world_has(world, NOISE_DEAD_GATEWAY) &&
	       fleet_dice_happens(1. / 80, seed, DICE_DEAD_GATEWAY, probe->site,
		       (uint64_t)((at_us + 13 * MOMENT_HOUR_US) / MOMENT_DAY_US));
}

static bool restarts(const struct fleet_world *world, unsigned probe, int64_t slot)
{
	int64_t rollout = (world->options.history_days + 3) * FLEET_SLOTS_A_DAY + 150;
	uint64_t seed = world->options.seed;

	if (!fleet_world_has(world, NOISE_RESTARTS))
		return false;
	if (slot == rollout + (int64_t)(probe % 12))
		return fleet_dice_happens(.5, seed, DICE_RESTART, probe, 0);
	return fleet_dice_happens(.0003, seed, DICE_RESTART, probe, (uint64_t)slot + 1);
}

/* Puts what one probe has to say of a slot on its way. */
static int depart(struct run *run, unsigned number, int64_t slot)
{
	const struct fleet_world *world = run->world;
	const struct fleet_probe *probe = &world->probes[number];
	struct probe_state *state = &run->probes[number];
	uint64_t seed = world->options.seed;
	int64_t end_us = fleet_world_slot_us(slot + 1), cut_us;
	struct fleet_vantage vantage =
		fleet_path_vantage(world, probe, fleet_world_slot_us(slot));
	struct batch batch = {.slot = slot, .probe = number};
	bool on = fleet_people_is_on(world, probe, fleet_world_slot_us(slot)) &&
		  !is_lost(world, probe, fleet_world_slot_us(slot));
	int rc;

	batch.hello = on && (!state->was_on || vantage.asn != state->asn);
	if (on && (restarts(world, number, slot) || !state->boot ||
			  fleet_change_is_renamed(world, probe,
				  fleet_world_slot_us(slot)) != state->renamed)) {
		state->renamed =
			fleet_change_is_renamed(world, probe, fleet_world_slot_us(slot));
		state->boot++;
		state->seq = 0;
		batch.hello = true;
	}
	state->was_on = on;
	state->asn = vantage.asn;
	if (!on)
		return 0;
	batch.boot = state->boot;
	batch.seq = ++state->seq;
	batch.rx_us = end_us + (int64_t)((1 + 6 * fleet_dice_uniform(seed, DICE_ARRIVAL,
							  number, (uint64_t)slot)) *
					 1e6);
	cut_us = cut_off_until_us(world, number, batch.rx_us);
	if (cut_us)
		batch.rx_us =
			cut_us + (int64_t)(20e6 * fleet_dice_uniform(seed, DICE_ARRIVAL,
							  number, (uint64_t)slot));
	if (fleet_world_has(world, NOISE_LOSS) &&
		fleet_dice_happens(.001, seed, DICE_LOSS, number, (uint64_t)slot))
		return 0;
	rc = push(run, batch);
	if (rc == 0 && fleet_world_has(world, NOISE_DOUBLES) &&
		fleet_dice_happens(.003, seed, DICE_DOUBLE, number, (uint64_t)slot)) {
		batch.rx_us += 3000000;
		rc = push(run, batch);
	}
	return rc;
}

static struct wire_origin origin_of(const struct run *run, const struct batch *batch)
{
	const struct fleet_probe *probe = &run->world->probes[batch->probe];
	struct wire_origin origin = {.rx.us = batch->rx_us, .seq = batch->seq};

	(void)snprintf(origin.probe, sizeof(origin.probe), "%s%s", probe->name,
		fleet_change_is_renamed(
			run->world, probe, fleet_world_slot_us(batch->slot))
			? "-new"
			: "");
	(void)snprintf(origin.boot, sizeof(origin.boot), "%08x%08x",
		batch->probe * 2654435761u, batch->boot);
	return origin;
}

static int say(
	struct run *run, const struct wire_origin *origin, const struct batch *batch)
{
	run->obs.at.us += skew_us(run->world, batch->probe);
	return run->emit(run->arg, origin, &run->obs);
}

static void make_hello(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, int64_t at_us)
{
	struct obs_hello *hello = &obs->hello;

	obs_init(obs, OBS_HELLO, (struct moment){at_us});
	(void)snprintf(hello->version, sizeof(hello->version), "0.1.0");
	hello->role = vantage->probe->role;
	hello->label_count = 1;
	(void)snprintf(hello->labels[0].key, OBS_WORD, "site");
	(void)snprintf(hello->labels[0].value, OBS_WORD, "%s",
		world->sites[vantage->probe->site].name);
	hello->networked = true;
	hello->network_asn = vantage->asn;
	memcpy(hello->network_country, fleet_world_city(vantage->city)->country, 3);
}

static void make_health(struct obs *obs, int64_t at_us)
{
	obs_init(obs, OBS_HEALTH, (struct moment){at_us});
	obs->health.cpu_us = 900000;
	obs->health.rss_bytes = 12 << 20;
	obs->health.spooled_batches = obs->health.spooled_bytes =
		obs->health.dropped_observations = 0;
}

static int gateway_service(struct run *run, const struct wire_origin *origin,
	const struct batch *batch, const struct fleet_vantage *vantage, unsigned service)
{
	const struct fleet_world *world = run->world;
	int64_t at_us = fleet_world_slot_us(batch->slot);
	struct fleet_effect effect = fleet_trouble_effect(
		world, run->troubles, service, vantage->probe->site, batch->probe, at_us);
	int rc;

	fleet_traffic_gateway(&run->obs, world, vantage, service, &effect, at_us);
	rc = say(run, origin, batch);
	if (rc)
		return rc;
	fleet_traffic_check(&run->obs, world, vantage, service, &effect, at_us);
	rc = say(run, origin, batch);
	if (rc || (batch->slot + service) % 3)
		return rc;
	fleet_path_trace(&run->obs, world, vantage, service,
		(unsigned)(batch->slot / 3 % 8), &effect, at_us);
	rc = say(run, origin, batch);
	if (rc)
		return rc;
	fleet_names_addresses(
		&run->obs, world, vantage, service, OBS_RESOLVER, &effect, at_us);
	return say(run, origin, batch);
}

/* Another tale every day: led away, or a way around, with nothing answered in time. */
static struct fleet_effect made_up(struct fleet_trouble *lie,
	const struct fleet_world *world, const struct fleet_probe *probe, int64_t at_us)
{
	uint64_t hash = fleet_dice_hash(world->options.seed, DICE_LIAR, probe->number,
		1 + (uint64_t)(at_us / MOMENT_DAY_US));
	struct fleet_effect effect = {.requests = 1, .latency = 8, .failures = .9};

	*lie = (struct fleet_trouble){
		.number = 150 + probe->number % 180, .city = 12 + (unsigned)(hash % 9)};
	effect.leads = hash >> 8 & 1 ? lie : NULL;
	effect.reaches_names = effect.leads != NULL;
	effect.detour = effect.leads ? NULL : lie;
	return effect;
}

/* A laptop uses three services, and looks at the way to each every quarter of an hour. */
static int endpoint_service(struct run *run, const struct wire_origin *origin,
	const struct batch *batch, const struct fleet_vantage *vantage, unsigned service)
{
	const struct fleet_world *world = run->world;
	int64_t at_us = fleet_world_slot_us(batch->slot);
	struct fleet_effect effect = fleet_trouble_effect(
		world, run->troubles, service, vantage->probe->site, batch->probe, at_us);
	struct fleet_trouble lie;
	int rc = 0;

	if (vantage->where ==
		ABROAD) /* another way out: this site's troubles do not reach it */
		effect.detour = NULL;
	if (fleet_people_lies(world, vantage->probe))
		effect = made_up(&lie, world, vantage->probe, at_us);
	if (fleet_traffic_endpoint(&run->obs, world, vantage, service, &effect, at_us))
		rc = say(run, origin, batch);
	if (rc || (batch->slot + batch->probe) % 3)
		return rc;
	fleet_path_trace(&run->obs, world, vantage, service,
		(unsigned)(batch->slot / 3 % 8), &effect, at_us);
	rc = say(run, origin, batch);
	if (rc)
		return rc;
	fleet_names_addresses(
		&run->obs, world, vantage, service, OBS_RESOLVER, &effect, at_us);
	return say(run, origin, batch);
}

static int sentinel_addresses(struct run *run, const struct wire_origin *origin,
	const struct batch *batch, const struct fleet_vantage *vantage, unsigned service)
{
	const struct fleet_world *world = run->world;
	int64_t at_us = fleet_world_slot_us(batch->slot);
	struct fleet_effect effect;

	if (service >= world->options.services)
		return 0;
	effect = fleet_trouble_effect(
		world, run->troubles, service, vantage->probe->site, batch->probe, at_us);
	effect.reaches_names = effect.leads != NULL; /* it asks the servers themselves */
	effect.unresolved = false;
	fleet_names_addresses(
		&run->obs, world, vantage, service, OBS_AUTHORITY, &effect, at_us);
	return say(run, origin, batch);
}

static int sentinel_zone(struct run *run, const struct wire_origin *origin,
	const struct batch *batch, const struct fleet_vantage *vantage, unsigned zone)
{
	const struct fleet_world *world = run->world;
	int64_t at_us = fleet_world_slot_us(batch->slot);
	unsigned service = zone * FLEET_ZONE_SERVICES;
	struct fleet_effect effect = fleet_trouble_effect(
		world, run->troubles, service, vantage->probe->site, batch->probe, at_us);
	int rc;

	fleet_names_delegation(&run->obs, world, vantage->probe, zone, &effect, at_us);
	rc = say(run, origin, batch);
	if (rc)
		return rc;
	fleet_names_mail(&run->obs, world, vantage->probe, zone, &effect, at_us);
	rc = say(run, origin, batch);
	if (rc)
		return rc;
	for (unsigned i = 0; i < FLEET_ZONE_SERVICES && !rc; i++)
		rc = sentinel_addresses(run, origin, batch, vantage, service + i);
	if (rc || batch->slot % 3)
		return rc;
	fleet_names_registry(&run->obs, world, zone, &effect, at_us);
	return say(run, origin, batch);
}

static int say_batch(struct run *run, const struct batch *batch)
{
	const struct fleet_world *world = run->world;
	const struct fleet_probe *probe = &world->probes[batch->probe];
	int64_t at_us = fleet_world_slot_us(batch->slot);
	struct wire_origin origin = origin_of(run, batch);
	struct fleet_vantage vantage = fleet_path_vantage(world, probe, at_us);
	int rc = 0;

	if (batch->hello) {
		make_hello(&run->obs, world, &vantage, at_us);
		rc = say(run, &origin, batch);
	}
	if (probe->role == OBS_GATEWAY)
		for (unsigned i = 0; i < world->options.services && !rc; i++)
			rc = gateway_service(run, &origin, batch, &vantage, i);
	else if (probe->role == OBS_SENTINEL)
		for (unsigned i = 0; i < world->zone_count && !rc; i++)
			rc = sentinel_zone(run, &origin, batch, &vantage, i);
	else
		for (unsigned i = 0; i < 3 && !rc; i++)
			rc = endpoint_service(run, &origin, batch, &vantage,
				(probe->number * 3 + i * 7) % world->options.services);
	if (rc)
		return rc;
	make_health(&run->obs, at_us);
	return say(run, &origin, batch);
}

static int announce(struct run *run, const char *service, int64_t from_us,
	int64_t until_us, int64_t at_us)
{
	struct wire_origin origin = {.rx.us = at_us,
		.probe = "operator",
		.boot = "1",
		.seq = ++run->operator_seq};
	struct obs_maintenance *work = &run->obs.maintenance;

	obs_init(&run->obs, OBS_MAINTENANCE, (struct moment){at_us});
	(void)snprintf(work->service, sizeof(work->service), "%s", service);
	work->from.us = from_us;
	work->until.us = until_us;
	(void)snprintf(work->note, sizeof(work->note), "announced work");
	return run->emit(run->arg, &origin, &run->obs);
}

static int announce_all(struct run *run, int64_t slot)
{
	const struct fleet_world *world = run->world;
	int64_t at_us = fleet_world_slot_us(slot), from_us, until_us;
	unsigned zone;
	int rc = 0;

	for (unsigned i = 0; i < world->options.services && !rc; i++) {
		struct fleet_work work = fleet_traffic_work(world, i, at_us);

		if (work.announced_now)
			rc = announce(run, world->services[i].name, work.from_us,
				work.until_us, at_us);
	}
	if (!rc && fleet_names_announces(world, &zone, &from_us, &until_us, at_us))
		for (unsigned i = 0; i < FLEET_ZONE_SERVICES && !rc; i++)
			if (zone * FLEET_ZONE_SERVICES + i < world->options.services)
				rc = announce(run,
					world->services[zone * FLEET_ZONE_SERVICES + i]
						.name,
					from_us, until_us, at_us);
	return rc;
}

static int run_slot(struct run *run, int64_t slot)
{
	int rc = announce_all(run, slot);

	for (unsigned i = 0; i < run->world->probe_count && !rc; i++)
		rc = depart(run, i, slot);
	while (!rc && run->count && run->heap[0].rx_us < fleet_world_slot_us(slot + 2)) {
		struct batch batch = pop(run);

		rc = say_batch(run, &batch);
	}
	return rc;
}

int fleet_run(const struct fleet_world *world, const struct fleet_troubles *troubles,
	fleet_emit_fn emit, void *arg)
{
	struct run *run = calloc(1, sizeof(*run));
	int64_t slots =
		(world->options.history_days + world->options.days) * FLEET_SLOTS_A_DAY;
	int rc = -ENOMEM;

	if (!run)
		return rc;
	run->world = world;
	run->troubles = troubles;
	run->emit = emit;
	run->arg = arg;
	run->probes = calloc(world->probe_count, sizeof(*run->probes));
	if (!run->probes)
		goto fail;
	rc = 0;
	for (int64_t slot = 0; slot < slots && !rc; slot++)
		rc = run_slot(run, slot);
fail:
	free(run->probes);
	free(run->heap);
	free(run);
	return rc;
}
