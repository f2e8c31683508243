#include "detect_detour.h"

#include <string.h>

#include "archive.h"
#include "known.h"
#include "light.h"
#include "path_words.h"

/* Sightings further apart than this are two stories. */
#define SUSPECT_US (90 * MOMENT_MINUTE_US)
#define FORGET_US (35 * MOMENT_DAY_US)
#define SETTLED_US (6 * MOMENT_HOUR_US)
#define SIGHTINGS_BY_POLICY 2
#define SIGHTINGS 3
/* Routers answer late; one that accuses alone must not lean on that. */
#define SLACK_US 3000
#define SLACK_ALONE_US 1000
#define GROWN_LEAST_US 20000
#define ROUNDS_STEERED 4 /* by each who sees it */
/* Nobody has complained for so many rounds: that is the way it goes now. */
#define SIGHTINGS_TO_ADOPT 40
/* A path is clean again when so many traces of each flow in a row were. */
#define CLEAN_ROUNDS 2

struct paths_of_site {
	struct known pairs;    /* (network, country) */
	struct known homes;    /* countries, of which more than one router told */
	struct known suspects; /* the same, on trial */
	struct moment first;   /* trace ever */
	uint32_t flows;        /* bits of the flows seen */
	uint32_t clean;        /* clean traces since the last suspect one */
	bool accused;
	char usual[200]; /* in words */
	int64_t usual_rtt_us;
};

static bool is_expected_country(const struct service *service, const struct place *place)
{
	for (unsigned i = 0; i < service->expect.country_count; i++)
		if (strcmp(service->expect.countries[i], place->country) == 0)
			return true;
	return false;
}

/* A known country is a witness only if it was named: an unnamed one accuses nobody. */
static bool is_against_policy(const struct service *service, const struct place *place)
{
	return service->expect.countries_given && place->country[0] &&
	       !is_expected_country(service, place);
}

/* What was first seen a moment ago is no habit yet: it may be the detour, when a router
 * of it did not answer. */
static bool is_settled(const struct detector_case *call,
	const struct paths_of_site *paths, const struct known_item *item)
{
	return item && (moment_since_us(call->rx, item->first) > SETTLED_US ||
			       moment_since_us(item->first, paths->first) <
				       call->settings->learn_paths_us);
}

static bool has_network(const struct detector_case *call,
	const struct paths_of_site *paths, const struct place *place)
{
	for (uint32_t i = 0; i < paths->pairs.count; i++)
		if (paths->pairs.items[i].key >> 16 == path_words_network(place) &&
			is_settled(call, paths, &paths->pairs.items[i]))
			return true;
	return false;
}

/* Two-sided: the rest of the way must have time for the distance from there to the
 * destination. */
static bool could_lie_there(
	const struct obs_hop *hop, const struct obs_hop *destination, int64_t slack_us)
{
	int64_t left_us = destination->rtt_us - hop->rtt_us + slack_us;
	int64_t least_us;

	if (!hop->place.located || !destination->place.located)
		return false;
	least_us = light_least_rtt_us(hop->place.latitude, hop->place.longitude,
		destination->place.latitude, destination->place.longitude);
	return left_us >= least_us * 9 / 10;
}

static bool is_contradicted(const struct obs_hop *hop, const struct obs_hop *destination)
{
	return destination && hop != destination && destination->rtt_us != OBS_ABSENT &&
	       hop->rtt_us != OBS_ABSENT && hop->place.located &&
	       destination->place.located && !could_lie_there(hop, destination, SLACK_US);
}

static bool is_strong(const struct obs_hop *hop, const struct obs_hop *destination)
{
	return hop->place.verdict == PLACE_POSSIBLE && destination &&
	       destination->rtt_us != OBS_ABSENT && hop->rtt_us != OBS_ABSENT &&
	       could_lie_there(hop, destination, SLACK_ALONE_US);
}

static bool agree(const struct obs_hop *a, const struct obs_hop *b)
{
	return path_words_hop_counts(b) &&
	       path_words_pair(&a->place) == path_words_pair(&b->place) &&
	       (a->place.verdict == PLACE_POSSIBLE || b->place.verdict == PLACE_POSSIBLE);
}

/* Two neighbours of the same network and country, each a weak witness, make a strong one,
 * when light had time for one of them. Routers that share a distance are no neighbours.
 */
static bool has_neighbour(const struct obs_trace *trace, unsigned at)
{
	const struct obs_hop *hop = &trace->hops[at];

	for (unsigned i = 0; i < trace->hop_count; i++)
		if ((trace->hops[i].ttl + 1 == hop->ttl ||
			    trace->hops[i].ttl == hop->ttl + 1) &&
			agree(hop, &trace->hops[i]))
			return true;
	return false;
}

/* An edge of the same provider that serves another site on ordinary days: steering, no
 * detour. */
static bool is_known_edge(
	const struct detector_case *call, const struct obs_hop *destination)
{
	uint64_t pair = destination ? path_words_pair(&destination->place) : 0;

	for (unsigned site = 0; pair && site < vantages_site_count(call->vantages);
		site++) {
		struct paths_of_site *paths = detector_of_site(call, site);

		if (paths && known_find(&paths->pairs, pair))
			return true;
	}
	return false;
}

/* Whether the round trip has grown as it would by a way around; before any is known, yes.
 */
static bool is_slower(
	const struct paths_of_site *paths, const struct obs_hop *destination)
{
	return paths->usual_rtt_us <= 0 ||
	       destination->rtt_us > paths->usual_rtt_us * 5 / 4 + 2000;
}

/* An anycast address lies nowhere, and the rest of the way cannot be checked by light.
 * But where the round trip has grown by as much as the way there and back takes, it is
 * the way. */
static bool is_the_way(const struct paths_of_site *paths, const struct obs_hop *hop,
	const struct obs_hop *destination)
{
	int64_t grown_us;

	if (!destination || destination->place.located || paths->usual_rtt_us <= 0 ||
		hop->place.verdict != PLACE_POSSIBLE || hop->rtt_us == OBS_ABSENT)
		return false;
	grown_us = destination->rtt_us - paths->usual_rtt_us;
	return grown_us > GROWN_LEAST_US && grown_us > hop->rtt_us * 4 / 5;
}

/* Where one of our sites is, our traffic may well pass. */
static bool is_own_country(const struct detector_case *call, const struct place *place)
{
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++)
		if (strcmp(vantages_site_country(call->vantages, site), place->country) ==
			0)
			return true;
	return false;
}

static bool is_suspect(
	const struct detector_case *call, struct paths_of_site *paths, unsigned at)
{
	const struct obs_trace *trace = &call->obs->trace;
	const struct obs_hop *hop = &trace->hops[at],
			     *destination = path_words_destination(trace);
	const struct place *place = &hop->place;
	bool policy = is_against_policy(call->service, place);

	if (!path_words_hop_counts(hop) || !place->country[0] ||
		has_network(call, paths, place))
		return false;
	/* One router that a database puts there does not make a country a habit. */
	if (!policy && is_own_country(call, place))
		return false;
	if (!policy && is_settled(call, paths,
			       known_find(&paths->homes, path_words_country(place))))
		return false;
	if (!policy && destination &&
		strcmp(destination->place.country, place->country) == 0 &&
		is_known_edge(call, destination))
		return false;
	if (is_contradicted(hop, destination))
		return false;
	/* A single router in a near country may simply be placed wrongly: light cannot
	 * tell. */
	return has_neighbour(trace, at) ||
	       (is_strong(hop, destination) && is_slower(paths, destination)) ||
	       is_the_way(paths, hop, destination);
}

static unsigned count_bits(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}

/* The destination itself moved there, and still belongs to a network that is known here:
 * a content network that steers. It often does for half an hour, so it must last. */
static bool is_steered(const struct detector_case *call,
	const struct paths_of_site *paths, const struct place *place)
{
	const struct obs_hop *destination = path_words_destination(&call->obs->trace);

	return destination && strcmp(destination->place.country, place->country) == 0 &&
	       has_network(call, paths, &destination->place);
}

/* One endpoint, whatever it sees, only adds to what others say. */
static enum incident_severity weight_of(
	const struct detector_case *call, const struct known_item *suspect)
{
	return count_bits(suspect->witnesses) < 2 && call->vantage->role == OBS_ENDPOINT
		       ? SEVERITY_INFO
		       : SEVERITY_PAGE;
}

static bool may_speak(const struct detector_case *call, const struct paths_of_site *paths,
	const struct known_item *suspect, const struct place *place, bool policy)
{
	unsigned witnesses = count_bits(suspect->witnesses);
	int64_t known_us = moment_since_us(call->rx, paths->first);

	if (!policy && known_us < call->settings->learn_paths_us)
		return false;
	if (call->vantage->away && weight_of(call, suspect) < SEVERITY_PAGE)
		return false;
	if (is_steered(call, paths, place) && suspect->times < ROUNDS_STEERED * witnesses)
		return false;
	return suspect->times >=
	       (policy || witnesses >= 2 ? SIGHTINGS_BY_POLICY : SIGHTINGS);
}

/* Countries where the path did not go before (or may not go), in its order; of the last
 * also the city, since that is the far end. */
static void write_new_countries(const struct detector_case *call,
	struct paths_of_site *paths, char *buf, size_t cap)
{
	const struct obs_trace *trace = &call->obs->trace;
	const struct place *last = NULL;
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < trace->hop_count; i++) {
		const struct place *place = &trace->hops[i].place;
		bool known = call->service->expect.countries_given
				     ? is_expected_country(call->service, place)
				     : is_settled(call, paths,
					       known_find(&paths->homes,
						       path_words_country(place)));

		if (!path_words_hop_counts(&trace->hops[i]) || !place->country[0] ||
			known)
			continue;
		if (!last || strcmp(last->country, place->country) != 0)
			used += detector_write(buf + used, cap - used, "%s%s",
				last ? ", " : "", place->country);
		last = place;
	}
	if (last && last->city[0])
		(void)detector_write(buf + used, cap - used, " %s", last->city);
}

static void accuse(const struct detector_case *call, struct paths_of_site *paths,
	const struct known_item *suspect, bool policy, enum incident_severity severity)
{
	struct finding finding = detector_finding(call, CAUSE_DETOUR);
	int64_t rtt_us = path_words_rtt_us(&call->obs->trace);
	char now[200], then[48] = "", slower[48] = "", countries[96];

	path_words_write(now, sizeof(now), &call->obs->trace);
	if (rtt_us != OBS_ABSENT)
		(void)detector_write(
			slower, sizeof(slower), ", %.1f ms", (double)rtt_us / 1000);
	if (paths->usual[0] && paths->usual_rtt_us > 0)
		(void)detector_write(then, sizeof(then), ", %.1f ms",
			(double)paths->usual_rtt_us / 1000);
	finding.severity = severity;
	finding.policy = policy && severity == SEVERITY_PAGE;
	finding.security = finding.policy;
	finding.since = suspect->first;
	finding.effect = 0.5;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", call->site);
	write_new_countries(call, paths, countries, sizeof(countries));
	(void)detector_write(finding.brief, sizeof(finding.brief),
		*countries ? "path now through %s" : "path now through another network",
		countries);
	(void)detector_write(finding.text, sizeof(finding.text),
		"path from %s now: %s%s; before: %s%s", call->site, now, slower,
		paths->usual[0] ? paths->usual : "not known", then);
	paths->accused = true;
	detector_say(call, &finding);
}

static void learn(struct detector_case *call, struct paths_of_site *paths)
{
	const struct obs_trace *trace = &call->obs->trace;
	const struct obs_hop *destination = path_words_destination(trace);

	for (unsigned i = 0; i < trace->hop_count; i++) {
		const struct place *place = &trace->hops[i].place;

		if (!path_words_hop_counts(&trace->hops[i]))
			continue;
		(void)known_see(&paths->pairs, path_words_pair(place), call->rx,
			call->vantage->number);
		if (place->country[0] &&
			(has_neighbour(trace, i) ||
				(destination && destination->place.asn == place->asn)))
			(void)known_see(&paths->homes, path_words_country(place),
				call->rx, call->vantage->number);
	}
	known_forget(&paths->pairs, moment_plus_us(call->rx, -FORGET_US));
	known_forget(&paths->homes, moment_plus_us(call->rx, -FORGET_US));
	if (trace->reached) {
		path_words_write(paths->usual, sizeof(paths->usual), trace);
		paths->usual_rtt_us = path_words_rtt_us(trace);
	}
}

static void count_clean(struct detector_case *call, struct paths_of_site *paths)
{
	paths->clean++;
	if (!paths->accused || paths->clean < CLEAN_ROUNDS * count_bits(paths->flows))
		return;
	paths->accused = false;
	paths->suspects.count = 0;
	detector_end(call, CAUSE_DETOUR, call->site, "");
}

static bool is_trusted(const struct detector_case *call)
{
	return !call->vantage->roaming && call->obs->trace.hop_count > 0;
}

static void see(struct detector_case *call)
{
	struct paths_of_site *paths = detector_of_site(call, call->vantage->site);
	const struct obs_trace *trace = &call->obs->trace;
	bool clean = true;

	if (!paths || !is_trusted(call))
		return;
	if (!paths->first.us)
		paths->first = call->rx;
	if (trace->flow >= 0)
		paths->flows |= 1u << trace->flow % 4;
	known_forget(&paths->suspects, moment_plus_us(call->rx, -SUSPECT_US));
	for (unsigned i = 0; i < trace->hop_count; i++) {
		const struct place *place = &trace->hops[i].place;
		bool policy = is_against_policy(call->service, place);
		struct known_item *suspect;

		/* While paths are being learnt only policy can object. */
		if (!is_suspect(call, paths, i) ||
			(!policy && moment_since_us(call->rx, paths->first) <
					    call->settings->learn_paths_us))
			continue;
		suspect = known_find(&paths->suspects, path_words_pair(place));
		clean = false;
		/* One trace is one sighting, however many of its hops agree. */
		if (suspect && suspect->last.us == call->rx.us &&
			suspect->witnesses & UINT64_C(1) << call->vantage->number % 64)
			continue;
		suspect = known_see(&paths->suspects, path_words_pair(place), call->rx,
			call->vantage->number);
		if (!policy && suspect->times >= SIGHTINGS_TO_ADOPT &&
			weight_of(call, suspect) == SEVERITY_PAGE)
			(void)known_see(&paths->pairs, path_words_pair(place), call->rx,
				call->vantage->number);
		else if (may_speak(call, paths, suspect, place, policy))
			accuse(call, paths, suspect, policy, weight_of(call, suspect));
	}
	if (!clean) {
		paths->clean = 0;
		return;
	}
	if (!call->vantage->away)
		learn(call, paths);
	count_clean(call, paths);
}

static void keep_cell(struct archive *archive, void *state)
{
	struct paths_of_site *paths = state;

	known_keep(archive, &paths->pairs);
	known_keep(archive, &paths->homes);
	known_keep(archive, &paths->suspects);
	archive_moment(archive, &paths->first);
	archive_u32(archive, &paths->flows);
	archive_u32(archive, &paths->clean);
	archive_bool(archive, &paths->accused);
	archive_text(archive, paths->usual, sizeof(paths->usual));
	archive_i64(archive, &paths->usual_rtt_us);
}

const struct detector detect_detour = {
	.name = "detour",
	.kinds = 1u << OBS_TRACE,
	.cell_size = sizeof(struct paths_of_site),
	.see = see,
	.keep_cell = keep_cell,
};
