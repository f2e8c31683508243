#include "detect_latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "quantile_floor.h"
#include "tail.h"

/* A median of 80 log-normal values is good to 6 %; of fewer than 15 to nothing. */
#define VALUES_ENOUGH 80
#define VALUES_LEAST 15
#define VALUES_OF_TENTH 60
#define WEIGHT_MOST 200
#define MERGED_MOST 12
#define LOOSER 100
/* What is beyond this share of its threshold is not learnt: it may be the trouble. */
#define DOUBT .7
#define STEP_LEAST_US 8000.
#define CALM_SHARE .5

enum quantile { MEDIAN, TENTH, QUANTILES };

static const struct {
	double q, page, warn, cap;
	double density; /* of a normal value at q */
	const char *name;
} quantiles[QUANTILES] = {
	[MEDIAN] = {.5, .223 /* ln 1.25 */, .16, .3, .399, "median"},
	[TENTH] = {.9, .278 /* ln 1.32 */, .2, .38, .175, "slowest tenth"},
};

struct answers_of_site {
	struct quantile_floor floors[DETECTOR_PACES][QUANTILES];
	struct moment first; /* slot ever learnt */
};

/* The last three effects, newest first, for as long as windows are merged. */
struct lately {
	int64_t slot; /* of the newest */
	float effects[3];
};

struct answers_of_service {
	struct lately lately[DETECTOR_PACES][QUANTILES];
	struct tail tails[DETECTOR_PACES][QUANTILES];
	bool accused[DETECTOR_PACES][QUANTILES];
	struct moment since[DETECTOR_PACES][QUANTILES];
};

/* What one site shows in this slot. */
struct showing {
	unsigned site;
	double weight;
	double logarithm, usual, error;
	double chance; /* standard deviation of the error by how few values there are */
};

struct showings {
	unsigned count;
	struct showing list[VANTAGES_SITES];
};

/* Adds windows back in time until there are enough values. */
static void gather(const struct track *track, int64_t slot, struct histogram *into)
{
	memset(into, 0, sizeof(*into));
	for (int64_t s = slot; s > slot - MERGED_MOST && into->total < VALUES_ENOUGH;
		s--) {
		const struct histogram *responses = track_responses_at(track, s);

		if (responses)
			histogram_merge(into, responses);
	}
}

/* Of n log-normal values. */
static double chance_of(const struct histogram *histogram, enum quantile which)
{
	double median = histogram_quantile(histogram, .5);
	double spread = log(histogram_quantile(histogram, .84) / fmax(median, 1));

	return fmax(spread, 0) *
	       sqrt(quantiles[which].q * (1 - quantiles[which].q) / histogram->total) /
	       quantiles[which].density;
}

static double probability(const struct detector_case *call)
{
	return detector_allowed(call, QUANTILES);
}

static bool show(const struct detector_case *call, unsigned site, enum quantile which,
	struct showing *out)
{
	const struct detector_traffic *traffic = detector_traffic_of(call, site);
	const struct answers_of_site *answers = detector_of_site(call, site);
	const struct quantile_floor *floor;
	struct histogram histogram;

	if (!traffic || detector_is_excused(call, site) ||
		!track_responses_at(&traffic->tracks[call->pace], call->slot))
		return false;
	gather(&traffic->tracks[call->pace], call->slot, &histogram);
	if (histogram.total < (which == TENTH ? VALUES_OF_TENTH : VALUES_LEAST))
		return false;
	floor = &answers->floors[call->pace][which];
	*out = (struct showing){
		.site = site, .weight = fmin(histogram.total, WEIGHT_MOST)};
	out->logarithm = log(fmax(histogram_quantile(&histogram, quantiles[which].q), 1));
	out->usual = floor->windows ? floor->floor : out->logarithm;
	out->error = quantile_floor_error(floor, out->logarithm);
	out->chance = chance_of(&histogram, which);
	return true;
}

static bool is_learnt(const struct detector_case *call, unsigned site)
{
	const struct answers_of_site *answers = detector_of_site(call, site);

	return answers && answers->first.us &&
	       moment_since_us(call->rx, answers->first) >=
		       call->settings->learn_paths_us;
}

static int by_error(const void *a, const void *b)
{
	const struct showing *left = a, *right = b;

	return left->error < right->error ? -1 : left->error > right->error;
}

/* The lesser of the weighted mean and the lower median over sites: neither one busy site
 * nor many idle ones decide alone, nor one of two. */
static struct showing sum_up(struct showings *showings)
{
	struct showing out = {0};
	struct showing *list = showings->list;
	double median;

	for (unsigned i = 0; i < showings->count; i++) {
		double weight = list[i].weight;

		out.weight += weight;
		out.logarithm += weight * list[i].logarithm;
		out.usual += weight * list[i].usual;
		out.error += weight * list[i].error;
		out.chance += weight * weight * list[i].chance * list[i].chance;
	}
	out.logarithm /= out.weight;
	out.usual /= out.weight;
	out.error /= out.weight;
	out.chance = sqrt(out.chance) / out.weight;
	qsort(list, showings->count, sizeof(*list), by_error);
	median = list[(showings->count - 1) / 2].error;
	out.error = fmin(out.error, median);
	return out;
}

static double median_of_three(const float *values)
{
	double low = fmin(values[0], values[1]), high = fmax(values[0], values[1]);

	return fmax(low, fmin(high, values[2]));
}

/* One slot alone is chance; what was hours ago is no witness. A slot that is judged again
 * takes its own place. */
static double effect_lately(struct lately *lately, int64_t slot, float effect)
{
	if (slot - lately->slot > MERGED_MOST)
		memset(lately->effects, 0, sizeof(lately->effects));
	if (slot > lately->slot) {
		memmove(lately->effects + 1, lately->effects, 2 * sizeof(effect));
		lately->slot = slot;
	}
	if (slot == lately->slot)
		lately->effects[0] = effect;
	return median_of_three(lately->effects);
}

static void accuse(const struct detector_case *call, const struct showing *showing,
	enum quantile which, enum incident_severity severity, struct moment since)
{
	struct finding finding = detector_finding(call, CAUSE_LATENCY);
	double usual_ms = exp(showing->usual) / 1000,
	       now_ms = exp(showing->usual + showing->error) / 1000;
	double times = exp(showing->error);

	finding.severity = severity;
	finding.since = since;
	finding.effect = 1 - 1 / times;
	(void)detector_write(finding.subject, sizeof(finding.subject), "%s",
		which == MEDIAN ? "" : "tenth");
	if (times >= 2)
		(void)detector_write(finding.brief, sizeof(finding.brief),
			"%s %.1f times slower (%.0f ms)",
			which == MEDIAN ? "answers" : "slowest answers", times, now_ms);
	else
		(void)detector_write(finding.brief, sizeof(finding.brief),
			"%s %.0f %% slower (%.0f ms)",
			which == MEDIAN ? "answers" : "slowest answers",
			100 * (times - 1), now_ms);
	(void)detector_write(finding.text, sizeof(finding.text),
		"response time, %s: %.1f ms, usually %.1f ms (x %.2f)",
		quantiles[which].name, now_ms, usual_ms, times);
	detector_say(call, &finding);
}

/* What chance passes by the scatter of this service's quiet days and by the few values
 * there are now, together: most quiet days had more of them. */
static double threshold_of(const struct tail *tail, const struct showing *showing,
	enum quantile which, double least, double probability)
{
	struct tail_bounds bounds = {
		.floor = least, .cap = quantiles[which].cap, .least_beta = .01};

	return hypot(tail_threshold(tail, probability, &bounds),
		tail_deviations(probability) * showing->chance);
}

static enum incident_severity severity_of(const struct detector_case *call,
	const struct tail *tail, const struct showing *showing, enum quantile which,
	double effect)
{
	double step_us = exp(showing->usual + effect) - exp(showing->usual);
	double allowed = probability(call);

	if (step_us < STEP_LEAST_US)
		return SEVERITY_INFO;
	if (effect > threshold_of(tail, showing, which, quantiles[which].page, allowed))
		return SEVERITY_PAGE;
	return effect > threshold_of(tail, showing, which, quantiles[which].warn,
				allowed * LOOSER)
		       ? SEVERITY_WARN
		       : SEVERITY_INFO;
}

static unsigned sites_in_use(const struct detector_case *call)
{
	unsigned count = 0;

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		const struct detector_traffic *traffic = detector_traffic_of(call, site);

		count += traffic && traffic->tracks[call->pace].newest;
	}
	return count;
}

static void judge_quantile(struct detector_case *call, struct answers_of_service *service,
	enum quantile which)
{
	struct showings showings = {0};
	struct tail *tail = &service->tails[call->pace][which];
	enum incident_severity severity;
	struct showing sum;
	double effect;

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		struct showing *showing = &showings.list[showings.count];

		if (is_learnt(call, site) && show(call, site, which, showing))
			showings.count++;
	}
	if (!showings.count)
		return;
	sum = sum_up(&showings);
	effect = sum.error = effect_lately(
		&service->lately[call->pace][which], call->slot, (float)sum.error);
	severity = severity_of(call, tail, &sum, which, effect);
	if (!call->announced && !call->again &&
		effect < DOUBT * threshold_of(tail, &sum, which, quantiles[which].page,
					 probability(call)))
		tail_add(tail, fmax(effect, 0));
	/* At an hour when only one of its sites speaks, that is one site's word. */
	if (severity == SEVERITY_PAGE && showings.count == 1 && sites_in_use(call) > 1)
		severity = SEVERITY_WARN;
	if (severity > SEVERITY_INFO && !call->announced) {
		if (!service->accused[call->pace][which])
			service->since[call->pace][which] = (struct moment){
				(call->slot - 1) * (call->pace == DETECTOR_SLOW
								   ? DETECTOR_SLOW_US
								   : DETECTOR_FAST_US)};
		service->accused[call->pace][which] = true;
		accuse(call, &sum, which, severity, service->since[call->pace][which]);
	} else if (service->accused[call->pace][which] &&
		   effect < CALM_SHARE * quantiles[which].page) {
		service->accused[call->pace][which] = false;
		detector_end(call, CAUSE_LATENCY, "", which == MEDIAN ? "" : "tenth");
	}
}

static void learn(struct detector_case *call, unsigned site, enum quantile which)
{
	struct answers_of_site *answers = detector_of_site(call, site);
	struct showing showing;

	if (!answers || call->announced || call->again ||
		!show(call, site, which, &showing))
		return;
	if (!answers->first.us)
		answers->first = call->rx;
	quantile_floor_learn(&answers->floors[call->pace][which], showing.logarithm,
		quantiles[which].page);
}

static void judge(struct detector_case *call)
{
	struct answers_of_service *service = detector_of_service(call);

	for (unsigned which = 0; which < QUANTILES; which++) {
		judge_quantile(call, service, (enum quantile)which);
		for (unsigned site = 0; site < vantages_site_count(call->vantages);
			site++)
			learn(call, site, (enum quantile)which);
	}
}

static void keep_service(struct archive *archive, void *state)
{
	struct answers_of_service *service = state;

	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		for (unsigned q = 0; q < QUANTILES; q++) {
			archive_index(archive, &service->lately[pace][q].slot);
			for (unsigned i = 0; i < 3; i++)
				archive_float(
					archive, &service->lately[pace][q].effects[i]);
			tail_keep(archive, &service->tails[pace][q]);
			archive_bool(archive, &service->accused[pace][q]);
			archive_moment(archive, &service->since[pace][q]);
		}
}

static void keep_cell(struct archive *archive, void *state)
{
	struct answers_of_site *answers = state;

	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		for (unsigned q = 0; q < QUANTILES; q++)
			quantile_floor_keep(archive, &answers->floors[pace][q]);
	archive_moment(archive, &answers->first);
}

const struct detector detect_latency = {
	.name = "latency",
	.service_size = sizeof(struct answers_of_service),
	.cell_size = sizeof(struct answers_of_site),
	.judge = judge,
	.keep_service = keep_service,
	.keep_cell = keep_cell,
};
