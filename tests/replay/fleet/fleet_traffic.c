#include "fleet_traffic.h"

#include <math.h>
#include <stdio.h>

#include "fleet_change.h"
#include "fleet_dice.h"

#define TIMED_ALONE 250 /* more requests than this share their times */

static uint64_t key_of(unsigned site, unsigned service)
{
	return site * 1000u + service;
}

struct fleet_work fleet_traffic_work(
	const struct fleet_world *world, unsigned service, int64_t at_us)
{
	int64_t day = at_us / MOMENT_DAY_US;
	uint64_t seed = world->options.seed;
	struct fleet_work work = {0};

	if (!fleet_world_has(world, NOISE_MAINTENANCE) ||
		!fleet_dice_happens(.03, seed, DICE_MAINTENANCE, service, (uint64_t)day))
		return work;
	work.from_us = day * MOMENT_DAY_US + 15 * MOMENT_HOUR_US;
	work.until_us = work.from_us +
			(int64_t)((30 + 60 * fleet_dice_uniform(seed, DICE_MAINTENANCE,
						     service + 1000, (uint64_t)day)) *
				  (double)MOMENT_MINUTE_US);
	work.announced_now = at_us == work.from_us - 2 * MOMENT_HOUR_US;
	work.running = at_us >= work.from_us && at_us < work.until_us;
	return work;
}

/* Slowly wandering: between two draws of neighbouring hours. */
static double wander(
	const struct fleet_world *world, uint64_t who, int64_t at_us, double spread)
{
	uint64_t hour = (uint64_t)(at_us / MOMENT_HOUR_US);
	double part = (double)(at_us % MOMENT_HOUR_US) / (double)MOMENT_HOUR_US;
	double a = fleet_dice_normal(world->options.seed, DICE_LEVEL, who, hour);
	double b = fleet_dice_normal(world->options.seed, DICE_LEVEL, who, hour + 1);

	return exp(spread * (a * (1 - part) + b * part));
}

static double burst(const struct fleet_world *world, unsigned service, int64_t at_us)
{
	uint64_t hour = (uint64_t)(at_us / MOMENT_HOUR_US), seed = world->options.seed;
	double minute = (double)(at_us % MOMENT_HOUR_US) / (double)MOMENT_MINUTE_US;

	if (!fleet_world_has(world, NOISE_BURSTS) || service % 6 != 4 ||
		!fleet_dice_happens(.06, seed, DICE_BURST, service, hour))
		return 1;
	return minute < 5 + 20 * fleet_dice_uniform(
					 seed, DICE_BURST, service + 1000, hour)
		       ? 1.5 + 1.5 * fleet_dice_uniform(
					     seed, DICE_BURST, service + 2000, hour)
		       : 1;
}

/* A campaign, and the quieter day after it. */
static double surge(const struct fleet_world *world, unsigned service, int64_t at_us)
{
	uint64_t day = (uint64_t)(at_us / MOMENT_DAY_US), seed = world->options.seed;
	double hour = (double)(at_us % MOMENT_DAY_US) / (double)MOMENT_HOUR_US;

	if (!fleet_world_has(world, NOISE_SURGES) ||
		world->services[service].rhythm != RHYTHM_PUBLIC)
		return 1;
	if (fleet_dice_happens(.04, seed, DICE_SURGE, service, day - 1))
		return .9;
	if (!fleet_dice_happens(.04, seed, DICE_SURGE, service, day) || hour < 6 ||
		hour > 13)
		return 1;
	return 1.5 + fleet_dice_uniform(seed, DICE_SURGE, service + 1000, day);
}

/* A month has thirty days, and pays on its twenty-fifth. */
static double month(const struct fleet_world *world, unsigned service, int64_t at_us)
{
	int64_t day = (at_us - FLEET_BEGIN_US) / MOMENT_DAY_US % 30;
	enum fleet_rhythm rhythm = world->services[service].rhythm;

	if (!fleet_world_has(world, NOISE_MONTHS))
		return 1;
	if (rhythm == RHYTHM_BATCH && (day == 27 || day == 28))
		return 2.5;
	return rhythm == RHYTHM_PUBLIC && day == 21 ? 1.5 : 1;
}

static double load_test(
	const struct fleet_world *world, unsigned site, unsigned service, int64_t at_us)
{
	uint64_t day = (uint64_t)(at_us / MOMENT_DAY_US), seed = world->options.seed;
	double minute = (double)(at_us % MOMENT_DAY_US) / MOMENT_MINUTE_US - 13 * 60;

	if (!fleet_world_has(world, NOISE_LOAD_TESTS) || minute < 0 ||
		site != service % world->options.sites ||
		!fleet_dice_happens(.01, seed, DICE_LOAD_TEST, service, day))
		return 1;
	return minute < 15 + 60 * fleet_dice_uniform(
					  seed, DICE_LOAD_TEST, service + 1000, day)
		       ? 5
		       : 1;
}

static double expected_requests(
	const struct fleet_world *world, unsigned site, unsigned service, int64_t at_us)
{
	const struct fleet_service *row = &world->services[service];
	double weeks = (double)(at_us - FLEET_BEGIN_US) / (double)(7 * MOMENT_DAY_US);
	double mean = row->requests *
		      (.4 + 1.2 * fleet_dice_uniform(world->options.seed, DICE_SERVICE,
					  key_of(site, service), 50));

	if (row->young && weeks < world->options.history_days / 7.0 - 1)
		return 0;
	if (fleet_world_has(world, NOISE_GROWTH))
		mean *= exp(.03 * weeks *
			    fleet_dice_uniform(
				    world->options.seed, DICE_SERVICE, service, 51));
	mean *= fleet_people_rhythm(world, row, site, at_us);
	mean *= burst(world, service, at_us) * surge(world, service, at_us);
	mean *= month(world, service, at_us) * load_test(world, site, service, at_us) *
		fleet_change_users(world, service, at_us);
	mean *= wander(world, key_of(site, service), at_us, .06) *
		wander(world, 5000000 + service, at_us, .03);
	return mean *
	       exp(.04 * fleet_dice_normal(world->options.seed, DICE_LEVEL,
				 9000000 + key_of(site, service), (uint64_t)at_us));
}

/* A new version each week is a little faster or slower. */
static double server_us(const struct fleet_world *world, unsigned service, int64_t at_us)
{
	uint64_t week = (uint64_t)(at_us / MOMENT_DAY_US + service % 7) / 7;
	double factor = 1;

	if (fleet_world_has(world, NOISE_DEPLOYS))
		factor = exp(.05 * fleet_dice_normal(world->options.seed, DICE_DEPLOY,
					   service, week));
	return world->services[service].server_us * factor *
	       wander(world, 7000000 + service, at_us, .02);
}

static double destination_us(const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us)
{
	struct fleet_path path;

	fleet_path_build(&path, world, vantage, service, 0, effect, at_us);
	return path.hops[path.count - 1].rtt_us;
}

static double wifi(const struct fleet_world *world, const struct fleet_vantage *vantage,
	int64_t at_us)
{
	uint64_t who = vantage->probe->number;

	if (vantage->probe->role != OBS_ENDPOINT || !fleet_world_has(world, NOISE_WIFI) ||
		!fleet_dice_happens(.1, world->options.seed, DICE_WIFI, who,
			(uint64_t)(at_us / MOMENT_HOUR_US)))
		return 1;
	return 1 + 4 * fleet_dice_uniform(
			       world->options.seed, DICE_WIFI, who, (uint64_t)at_us);
}

static void fill_times(struct obs_traffic *traffic, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us)
{
	uint64_t seed = world->options.seed,
		 who = vantage->probe->number * 1000ull + service;
	double rtt = destination_us(world, vantage, service, effect, at_us) *
		     wifi(world, vantage, at_us);
	double base = server_us(world, service, at_us);
	int64_t alone =
		traffic->responses < TIMED_ALONE ? traffic->responses : TIMED_ALONE;
	uint64_t each = alone ? (uint64_t)(traffic->responses / alone) : 0;

	for (int64_t i = 0; i < alone; i++) {
		uint64_t when = (uint64_t)at_us + (uint64_t)i;
		double own =
			base * exp(world->services[service].spread *
				       fleet_dice_normal(seed, DICE_RESPONSE, who, when));

		if (fleet_dice_uniform(seed, DICE_RESPONSE, who + 500000, when) <
			effect->tail)
			own *= 6;
		(void)sketch_add_many(&traffic->sketches[OBS_RESPONSE],
			(own + rtt) * effect->latency, each);
	}
	for (int64_t i = 0; i < alone && i < traffic->connections; i += 4)
		(void)sketch_add(&traffic->sketches[OBS_CONNECT],
			rtt * (1 + .05 * fleet_dice_uniform(seed, DICE_RTT, who,
						 (uint64_t)(at_us + i))));
}

static void begin(
	struct obs *obs, const struct fleet_world *world, unsigned service, int64_t at_us)
{
	obs_init(obs, OBS_TRAFFIC, (struct moment){at_us});
	obs->traffic.window_us = FLEET_SLOT_US;
	(void)snprintf(obs->traffic.service, sizeof(obs->traffic.service), "%s",
		world->services[service].name);
}

static void fill(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, double mean, int64_t at_us)
{
	struct obs_traffic *traffic = &obs->traffic;
	uint64_t seed = world->options.seed,
		 who = vantage->probe->number * 1000ull + service, when = (uint64_t)at_us;
	struct fleet_work work = fleet_traffic_work(world, service, at_us);
	double failing = effect->failures + .002 + (work.running ? .3 : 0);

	begin(obs, world, service, at_us);
	traffic->requests =
		fleet_dice_poisson(mean * effect->requests * (work.running ? .3 : 1),
			seed, DICE_REQUESTS, who, when);
	traffic->errors =
		fleet_dice_poisson((double)traffic->requests * fmin(failing, 1) * .8,
			seed, DICE_FAILURE, who, when);
	if (traffic->errors > traffic->requests)
		traffic->errors = traffic->requests;
	traffic->responses =
		traffic->requests -
		fleet_dice_poisson((double)(traffic->requests - traffic->errors) *
					   fmin(failing, 1) * .2,
			seed, DICE_FAILURE, who + 500000, when);
	if (traffic->responses < traffic->errors)
		traffic->responses = traffic->errors;
	traffic->connections = (traffic->requests + 3) / 4;
	traffic->refused = traffic->reset = 0;
	traffic->timed_out = traffic->requests - traffic->responses;
	traffic->untimed = 0;
	fill_times(traffic, world, vantage, service, effect, at_us);
}

void fleet_traffic_gateway(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us)
{
	fill(obs, world, vantage, service, effect,
		expected_requests(world, vantage->probe->site, service, at_us) *
			fleet_change_counted(world, vantage->probe, at_us),
		at_us);
}

bool fleet_traffic_endpoint(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us)
{
	fill(obs, world, vantage, service, effect, 4, at_us);
	return obs->traffic.requests > 0;
}

static void fill_certificate(struct obs_certificate *tls, const struct fleet_world *world,
	unsigned service, bool other, int64_t at_us)
{
	const int64_t life_us = 60 * MOMENT_DAY_US;
	int64_t offset = (int64_t)(fleet_dice_uniform(world->options.seed, DICE_RENEWAL,
					   service, 0) *
				   (double)life_us);
	uint64_t period = fleet_world_has(world, NOISE_RENEWALS)
				  ? (uint64_t)((at_us + offset) / life_us)
				  : 0;
	int64_t from_us = (int64_t)period * life_us - offset;

	tls->present = tls->verified = true;
	(void)snprintf(tls->version, sizeof(tls->version), "TLSv1.3");
	(void)snprintf(tls->issuer, sizeof(tls->issuer), "CN=%s",
		other ? "Quick Free CA" : "Example CA");
	(void)snprintf(tls->subject, sizeof(tls->subject), "CN=%s",
		world->services[service].host);
	for (unsigned i = 0; i < 4; i++)
		(void)snprintf(tls->spki_sha256 + i * 16, 17, "%016llx",
			(unsigned long long)fleet_dice_hash(world->options.seed,
				DICE_RENEWAL, service + (other ? 100000 : 0),
				period * 4 + i + 1));
	/* Renewed ten days before its end. */
	tls->not_before =
		(struct moment){period ? from_us : FLEET_BEGIN_US - MOMENT_DAY_US};
	tls->not_after = (struct moment){
		tls->not_before.us +
		(period ? life_us + 10 * MOMENT_DAY_US : 400 * MOMENT_DAY_US)};
}

static void fail_to_resolve(struct obs_check *check)
{
	check->peer.family = 0;
	check->connect_us = check->tls_us = check->first_byte_us = OBS_ABSENT;
	check->dns_us = check->total_us = 5 * MOMENT_SECOND_US;
	check->status = OBS_ABSENT;
	check->error = OBS_CHECK_DNS;
	check->tls.present = false;
}

void fleet_traffic_check(struct obs *obs, const struct fleet_world *world,
	const struct fleet_vantage *vantage, unsigned service,
	const struct fleet_effect *effect, int64_t at_us)
{
	struct obs_check *check = &obs->check;
	uint64_t seed = world->options.seed,
		 who = vantage->probe->number * 1000ull + service, when = (uint64_t)at_us;
	double rtt = destination_us(world, vantage, service, effect, at_us) *
		     (1 + .03 * fleet_dice_uniform(seed, DICE_RTT, who + 77, when));
	double own = server_us(world, service, at_us) *
		     exp(.3 * fleet_dice_normal(seed, DICE_RESPONSE, who + 77, when));
	bool fails = fleet_dice_happens(effect->failures + .001, seed, DICE_FAILURE,
			     who + 77, when) ||
		     fleet_traffic_work(world, service, at_us).running;

	obs_init(obs, OBS_CHECK, (struct moment){at_us});
	(void)snprintf(check->service, sizeof(check->service), "%s",
		world->services[service].name);
	(void)snprintf(check->url, sizeof(check->url), "https://%s/health",
		world->services[service].host);
	check->peer =
		fleet_path_address(world, fleet_path_answer_asn(world, service, effect),
			fleet_path_answer_city(world, vantage, service, effect, at_us),
			100 + service);
	check->dns_us = 900;
	check->connect_us = (int64_t)rtt;
	check->tls_us = (int64_t)(rtt * 1.1 + 1500);
	check->first_byte_us = (int64_t)((rtt + own) * effect->latency);
	check->total_us =
		check->dns_us + check->connect_us + check->tls_us + check->first_byte_us;
	check->status = fails ? 503 : 200;
	check->error = fails ? OBS_CHECK_HTTP : OBS_CHECK_OK;
	fill_certificate(&check->tls, world, service, effect->issuer, at_us);
	if (effect->unresolved)
		fail_to_resolve(check);
}
