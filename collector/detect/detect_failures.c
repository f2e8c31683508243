#include "detect_failures.h"

#include <math.h>

#include "tail.h"

#include "archive.h"

#define SLOTS 2
#define USUAL_LEAST .02
#define USUAL_TIMES 4
/* Failures come in bursts: so far beyond chance. */
#define CAUTION 2
#define FAILED_LEAST 5
#define TRIED_LEAST 10
#define SHARE_LEAST .08
#define SHARE_STEP .01
/* One site of several pages only for a failure that nobody there can miss. */
#define SHARE_OF_SITE .4
#define SITES_TO_COMPARE 3

enum series { OF_REQUESTS, OF_CONNECTIONS, SERIES };

struct tries {
	double tried, failed;
};

struct failures {
	double usual[SERIES]; /* share */
	bool accused[DETECTOR_PACES][SERIES];
	struct moment since[DETECTOR_PACES][SERIES];
};

struct failing {
	double z, share;
};

static struct tries tries_of(
	const struct detector_case *call, unsigned site, enum series series)
{
	const struct detector_traffic *traffic = detector_traffic_of(call, site);
	struct tries tries = {0};

	if (!traffic || detector_is_excused(call, site) ||
		!traffic->tracks[call->pace].newest)
		return tries;
	for (int64_t slot = call->slot - SLOTS + 1; slot <= call->slot; slot++) {
		const struct track_slot *seen =
			track_slot_at(&traffic->tracks[call->pace], slot);

		if (!seen)
			continue;
		tries.tried += series == OF_REQUESTS ? seen->requests : seen->connections;
		tries.failed +=
			series == OF_REQUESTS ? seen->failures : seen->failed_connections;
	}
	tries.failed = fmin(fmax(tries.failed, 0), tries.tried);
	return tries;
}

static struct failing weigh(const struct tries *tries, double usual)
{
	double expected = tries->tried * fmax(USUAL_LEAST, USUAL_TIMES * usual);
	struct failing out = {0};

	if (tries->tried < TRIED_LEAST)
		return out;
	out.z = (tries->failed - expected) / sqrt(expected + 1);
	out.share = tries->failed / tries->tried;
	return out;
}

static double threshold_of(const struct detector_case *call)
{
	return tail_deviations(detector_allowed(call, SERIES)) + CAUTION;
}

static bool is_outage(const struct detector_case *call, const struct tries *tries,
	const struct failing *failing)
{
	return failing->z > threshold_of(call) && tries->failed >= FAILED_LEAST &&
	       failing->share > SHARE_LEAST;
}

static const char *subject_of(enum series series)
{
	return series == OF_REQUESTS ? "" : "connections";
}

static void accuse(const struct detector_case *call, const struct tries *tries,
	const struct failing *failing, enum series series, double usual, const char *site,
	struct moment since)
{
	struct finding finding = detector_finding(call, CAUSE_FAILURES);
	const char *what = series == OF_REQUESTS ? "requests" : "connections";

	finding.severity =
		*site && failing->share < SHARE_OF_SITE ? SEVERITY_WARN : SEVERITY_PAGE;
	finding.effect = failing->share;
	finding.since = since;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", site);
	(void)detector_write(
		finding.subject, sizeof(finding.subject), "%s", subject_of(series));
	(void)detector_write(finding.brief, sizeof(finding.brief),
		"%.0f %% of its %s fail%s%s", 100 * failing->share, what,
		*site ? " at " : "", site);
	(void)detector_write(finding.text, sizeof(finding.text),
		"%s%s%s: %.0f of %.0f fail (%.0f %%), usually %.1f %%", what,
		*site ? " from " : "", site, tries->failed, tries->tried,
		100 * failing->share, 100 * usual);
	detector_say(call, &finding);
}

/* One series of one key: speaks, ends, learns. Returns whether it accuses now. */
static bool judge_series(const struct detector_case *call, struct failures *failures,
	const struct tries *tries, enum series series, const char *site, bool silent)
{
	struct failing failing = weigh(tries, failures->usual[series]);
	bool outage = is_outage(call, tries, &failing) && !silent && !call->announced;

	if (outage) {
		if (!failures->accused[call->pace][series])
			failures->since[call->pace][series] = (struct moment){
				call->slot * (call->pace == DETECTOR_SLOW
							     ? DETECTOR_SLOW_US
							     : DETECTOR_FAST_US)};
		failures->accused[call->pace][series] = true;
		accuse(call, tries, &failing, series, failures->usual[series], site,
			failures->since[call->pace][series]);
	} else if (failures->accused[call->pace][series] && tries->tried >= TRIED_LEAST &&
		   failing.z < threshold_of(call) / 2) {
		failures->accused[call->pace][series] = false;
		detector_end(call, CAUSE_FAILURES, site, subject_of(series));
	}
	if (tries->tried >= TRIED_LEAST && failing.z < 2 && !call->again)
		failures->usual[series] +=
			SHARE_STEP * (failing.share - failures->usual[series]);
	return outage;
}

/* Failures of all sites, and of the one where most of them are. */
struct roll {
	struct tries all, worst;
	unsigned sites;
};

static struct roll call_roll(const struct detector_case *call, enum series series)
{
	struct roll roll = {0};

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		struct tries tries = tries_of(call, site, series);

		roll.all.tried += tries.tried;
		roll.all.failed += tries.failed;
		roll.sites += tries.tried > 0;
		if (tries.failed > roll.worst.failed)
			roll.worst = tries;
	}
	return roll;
}

/* What only one of several sites sees is said of that site. */
static bool is_of_one_site(
	const struct detector_case *call, const struct roll *roll, double usual)
{
	struct tries rest = {roll->all.tried - roll->worst.tried,
		roll->all.failed - roll->worst.failed};
	struct failing failing = weigh(&rest, usual);

	return roll->sites >= SITES_TO_COMPARE && !is_outage(call, &rest, &failing);
}

static void judge(struct detector_case *call)
{
	struct failures *service = detector_of_service(call);

	for (unsigned series = 0; series < SERIES; series++) {
		struct roll roll = call_roll(call, series);
		bool local = is_of_one_site(call, &roll, service->usual[series]);
		bool outage = judge_series(call, service, &roll.all, series, "", local);

		for (unsigned site = 0; site < vantages_site_count(call->vantages);
			site++) {
			struct failures *failures = detector_of_site(call, site);
			struct tries tries = tries_of(call, site, series);

			if (failures)
				(void)judge_series(call, failures, &tries, series,
					vantages_site_name(call->vantages, site), outage);
		}
	}
}

static void keep(struct archive *archive, void *state)
{
	struct failures *failures = state;

	for (unsigned series = 0; series < SERIES; series++) {
		archive_double(archive, &failures->usual[series]);
		for (unsigned pace = 0; pace < DETECTOR_PACES; pace++) {
			archive_bool(archive, &failures->accused[pace][series]);
			archive_moment(archive, &failures->since[pace][series]);
		}
	}
}

const struct detector detect_failures = {
	.name = "failures",
	.service_size = sizeof(struct failures),
	.cell_size = sizeof(struct failures),
	.judge = judge,
	.keep_service = keep,
	.keep_cell = keep,
};
