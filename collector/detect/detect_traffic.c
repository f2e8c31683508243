#include "detect_traffic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "attendance.h"
#include "season.h"
#include "shortfall.h"

#define SCALES 3
/* How far the level may take the expectation from the season: growth is small in four
 * weeks. */
#define LEVEL_LEAST .8
#define LEVEL_MOST 1.15
#define LEVEL_STEP (1. / 36)
/* Slots reach the season when late batches have had their time. */
#define SETTLED_SLOTS 9
#define RATE_STEP (1. / 30)
/* One week is one draw, and tells nothing of how weeks differ. */
#define WEEKS_TRUSTED 2
#define DROP_LEAST .2
#define DROP_UNLEARNT .75
#define WINDOWS_LEARNT 250
#define DROP_OF_SITE .6
#define EXPECTED_OF_SITE 60
#define QUARTERS_A_DAY 96
#define MOSTLY_THERE .8
#define SURGE 1.3
#define SURGE_KEPT 1.1
#define BUSY .4
#define WEEKS_ENOUGH 3
#define MOVED .8
#define HEIGHT_STEP (1. / 2016)
#define WINDOWS_LEAST 2
#define MOSTLY_AWAY .6

struct scale {
	unsigned slots;
	double caution; /* standard deviations beyond what chance alone would ask for */
};

static const struct scale scales[DETECTOR_PACES][SCALES] = {
	[DETECTOR_SLOW] = {{2, 1.7}, {6, 1.4}, {24, 1.2}},
	[DETECTOR_FAST] = {{2, 1.6}, {6, 1.4}, {18, 1.1}},
};

/* What a slot was expected to hold when it was judged. */
struct prospect {
	int64_t slot;
	float season; /* with everybody there; negative until known */
	float recent; /* by the rate before alone */
	float there;  /* how much of the season there is reason to expect */
	bool seasonal;
	bool young;   /* few weeks are known, or none */
	bool doubted; /* something was wrong: it teaches nothing */
};

struct requests_of_site {
	struct attendance attendance; /* the first, so that others' is found */
	struct season season;
	double level;                /* of the season; 0: not yet */
	double rate[DETECTOR_PACES]; /* recent requests a slot */
	uint32_t rated[DETECTOR_PACES];
	bool doubted; /* its service or itself is under suspicion: nothing is learnt */
	bool accused;
	int64_t passed_over[TRACK_SLOTS]; /* slots of announced work, by number */
	struct shortfall sum;             /* of half an hour, at this site alone */
	struct prospect prospects[DETECTOR_PACES][TRACK_SLOTS];
};

struct requests_of_service {
	/* Apart for the hours in which little and much is expected: a few requests
	 * scatter otherwise than many. */
	struct shortfall sums[DETECTOR_PACES][SCALES][2];
	double height[DETECTOR_PACES]; /* of what a slot was expected to hold */
	bool seasonal[DETECTOR_PACES]; /* what was learnt was learnt of a season */
	bool accused;
	struct moment since;
};

/* What was seen and what was expected over one sum. */
struct sum {
	double seen, expected;
	double season; /* expected, were everybody there */
	double recent; /* expected by the rate before */
	bool seasonal; /* by the season, not by the recent rate */
	bool young;
};

static struct moment start_of(int64_t slot_us, int64_t slot)
{
	return (struct moment){slot * slot_us};
}

static double level_of(const struct requests_of_site *requests)
{
	return requests->level > 0 ? requests->level : 1;
}

/* While no week is known: no more than of late, and no more than yesterday at this hour,
 * so that neither a weekend's morning nor an evening is a fall; nothing is known
 * (negative) where yesterday was not measured. */
static double young_expectation(const struct requests_of_site *requests,
	enum detector_pace pace, struct moment at, int64_t slot_us)
{
	double rate = requests->rate[pace], yesterday;
	struct moment first = {requests->season.first * SEASON_QUARTER_US};

	if (season_yesterday(&requests->season, at, &yesterday))
		return fmin(rate, yesterday * (double)slot_us / DETECTOR_SLOW_US);
	return first.us && moment_since_us(at, first) > MOMENT_DAY_US ? -1 : rate;
}

/* The expectation of one slot were everybody to report all of it. */
static struct prospect prospect(const struct detector_case *call, unsigned site,
	struct requests_of_site *requests, enum detector_pace pace, int64_t slot_us)
{
	struct prospect out = {.slot = call->slot,
		.season = -1,
		.recent = (float)requests->rate[pace],
		.there = 1};
	struct moment at = start_of(slot_us, call->slot);
	struct season_expectation season = season_at(&requests->season, at);

	out.seasonal = season.weeks > 0;
	out.young = season.weeks < WEEKS_TRUSTED;
	/* Where all days are alike, the last ones tell: what they lack was a surge of
	 * some week, or has moved. While few weeks are known, any of them may be one. */
	if (attendance_is_anybodys(&requests->attendance) && season.daily > 0 &&
		(season.weeks < WEEKS_ENOUGH || season.daily < MOVED * season.least))
		season.least = fmin(season.least, season.daily);
	if (season.weeks)
		out.season = (float)(season.least * level_of(requests) * (double)slot_us /
				     DETECTOR_SLOW_US);
	else if (requests->rated[pace] * slot_us >= call->settings->learn_counts_us &&
		 requests->rated[pace])
		out.season = (float)young_expectation(requests, pace, at, slot_us);
	if (pace == DETECTOR_SLOW)
		out.there = (float)attendance_expect(call, site, &requests->attendance);
	return out;
}

/* Adds one site's part; a slot that nobody measured or expected leaves both sides alike.
 */
static void add_site(
	const struct detector_case *call, unsigned site, unsigned slots, struct sum *sum)
{
	const struct detector_traffic *traffic = detector_traffic_of(call, site);
	const struct requests_of_site *requests = detector_of_site(call, site);
	const struct track *track;

	if (!traffic || detector_is_excused(call, site))
		return;
	track = &traffic->tracks[call->pace];
	for (int64_t slot = call->slot - slots + 1; track->newest && slot <= call->slot;
		slot++) {
		const struct track_slot *seen = track_slot_at(track, slot);
		const struct prospect *prospect =
			&requests->prospects[call->pace][slot % TRACK_SLOTS];
		double season, exposure;

		if (!seen || slot == track->first || prospect->slot != slot ||
			prospect->season < 0 ||
			requests->passed_over[slot % TRACK_SLOTS] == slot)
			continue;
		exposure = track_exposure(track, slot);
		season = prospect->season * exposure;
		sum->seen += seen->requests;
		sum->recent += prospect->recent * exposure;
		sum->season += season;
		sum->expected += season * prospect->there;
		sum->seasonal |= prospect->seasonal;
		sum->young |= prospect->young;
	}
}

static void add_sites(const struct detector_case *call, unsigned slots, struct sum *sum)
{
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++)
		add_site(call, site, slots, sum);
}

/* How many slots such a sum takes: at least two windows of whoever sends the longest, for
 * a window may be cut short, and one measurement is no measure of its own error. */
static unsigned slots_of(const struct detector_case *call, const struct scale *scale)
{
	unsigned slots = scale->slots;

	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		const struct detector_traffic *traffic = detector_traffic_of(call, site);
		const struct track *track = traffic ? &traffic->tracks[call->pace] : NULL;
		unsigned windows;

		if (!track || !track->newest)
			continue;
		windows = WINDOWS_LEAST * track->window_slots;
		if (windows > slots)
			slots = windows < TRACK_SLOTS ? windows : TRACK_SLOTS;
	}
	return slots;
}

/* The service at each scale, and its sites one by one. */
static double probability(const struct detector_case *call)
{
	return detector_allowed(call, SCALES);
}

/* Whether the tracks still hold all of such a sum: where one window fills half of them,
 * only its last slot has the whole of two. */
static bool is_held(const struct detector_case *call, unsigned slots)
{
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		const struct detector_traffic *traffic = detector_traffic_of(call, site);
		const struct track *track = traffic ? &traffic->tracks[call->pace] : NULL;

		if (track && track->window_slots > 1 &&
			call->slot - slots < track->newest - TRACK_SLOTS)
			return false;
	}
	return true;
}

static double drop_of(const struct sum *sum)
{
	return sum->expected > 0 ? 1 - sum->seen / sum->expected : 0;
}

static void accuse(const struct detector_case *call, const struct sum *sum,
	unsigned slots, enum incident_severity severity, const char *site,
	struct moment since)
{
	struct finding finding = detector_finding(call, CAUSE_TRAFFIC);
	int64_t slot_us =
		call->pace == DETECTOR_SLOW ? DETECTOR_SLOW_US : DETECTOR_FAST_US;
	char span[MOMENT_TEXT];
	double drop = drop_of(sum);

	finding.severity = severity;
	finding.since = since;
	finding.effect = drop;
	(void)detector_write(finding.site, sizeof(finding.site), "%s", site);
	(void)detector_write(finding.brief, sizeof(finding.brief),
		"%.0f %% of its requests are missing%s%s", 100 * drop,
		*site ? " at " : "", site);
	(void)detector_write(finding.text, sizeof(finding.text),
		"requests%s%s: %.0f in the last %s, expected %.0f (%s): %.0f %% are "
		"missing",
		*site ? " from " : "", site, sum->seen,
		moment_span_text(slots * slot_us, span), sum->expected,
		sum->seasonal ? "as at this time of earlier weeks" : "by the rate before",
		100 * drop);
	detector_say(call, &finding);
}

static enum incident_severity severity_of(const struct shortfall *shortfall,
	const struct shortfall_judgement *judgement, const struct sum *sum)
{
	bool unlearnt = shortfall->windows < WINDOWS_LEARNT || !sum->seasonal;
	double drop = drop_of(sum), least = unlearnt ? DROP_UNLEARNT : DROP_LEAST;

	/* Little trust in the weeks: then it must have fallen, not only be low. */
	if (sum->young && sum->seen > (1 - DROP_LEAST) * sum->recent)
		return SEVERITY_INFO;
	if (!sum->seasonal && drop <= least)
		return SEVERITY_INFO;
	if (judgement->z > judgement->threshold && drop > least)
		return SEVERITY_PAGE;
	if (judgement->z > judgement->warning && drop > DROP_LEAST)
		return SEVERITY_WARN;
	return SEVERITY_INFO;
}

static struct shortfall *shortfall_of(struct requests_of_service *service,
	const struct detector_case *call, unsigned scale, unsigned slots, double expected)
{
	enum detector_pace pace = call->pace;

	if (scale == 0 && !call->again)
		service->height[pace] =
			fmax(expected / slots, service->height[pace] * (1 - HEIGHT_STEP));
	return &service->sums[pace][scale]
			     [expected / slots > BUSY * service->height[pace]];
}

/* The rate before scatters otherwise than the season: what was learnt of it is void. */
static void start_seasons(struct requests_of_service *service, enum detector_pace pace)
{
	if (!service->seasonal[pace])
		memset(service->sums[pace], 0, sizeof(service->sums[pace]));
	service->seasonal[pace] = true;
}

/* The worst scale speaks. Returns whether anything is in doubt: then nobody learns. */
static bool judge_service(struct detector_case *call, struct requests_of_service *service)
{
	struct sum sums[SCALES] = {0}, newest = {0};
	unsigned slots[SCALES];
	struct shortfall_judgement judgements[SCALES];
	struct shortfall *shortfalls[SCALES];
	enum incident_severity worst = SEVERITY_INFO;
	unsigned speaker = 0;
	bool doubt = false, spoken = false;

	add_sites(call, scales[call->pace][0].slots, &newest);
	if (newest.seasonal)
		start_seasons(service, call->pace);
	for (unsigned i = 0; i < SCALES; i++) {
		const struct scale *scale = &scales[call->pace][i];
		enum incident_severity severity;

		slots[i] = slots_of(call, scale);
		add_sites(call, slots[i], &sums[i]);
		shortfalls[i] =
			shortfall_of(service, call, i, slots[i], sums[i].expected);
		judgements[i] = shortfall_judge(shortfalls[i], sums[i].seen,
			sums[i].expected, scale->caution, probability(call));
		judgements[i].speaks &= is_held(call, slots[i]);
		if (!judgements[i].speaks)
			continue;
		spoken = true;
		doubt |= judgements[i].z > judgements[i].threshold / 2 &&
			 drop_of(&sums[i]) > DROP_LEAST / 2;
		severity = severity_of(shortfalls[i], &judgements[i], &sums[i]);
		if (severity > worst) {
			worst = severity;
			speaker = i;
		}
	}
	/* What is over, and only weighs in the longer sums, is no news. */
	if (drop_of(&newest) < DROP_LEAST / 2)
		worst = SEVERITY_INFO;
	if (worst > SEVERITY_INFO && !call->announced) {
		if (!service->accused)
			service->since =
				start_of(call->pace == DETECTOR_SLOW ? DETECTOR_SLOW_US
								     : DETECTOR_FAST_US,
					call->slot - slots[speaker] + 1);
		service->accused = true;
		accuse(call, &sums[speaker], slots[speaker], worst, "", service->since);
	} else if (service->accused && spoken && !doubt) {
		service->accused = false;
		detector_end(call, CAUSE_TRAFFIC, "", "");
	}
	for (unsigned i = 0; i < SCALES && !doubt && !call->announced && !call->again;
		i++)
		if (judgements[i].speaks)
			shortfall_learn(shortfalls[i], sums[i].seen, sums[i].expected,
				judgements[i].z, judgements[i].threshold);
	return doubt;
}

/* One site alone is worth a page for most of its requests, and many of them, where its
 * people's absence cannot be the reason. */
static void judge_site(struct detector_case *call, unsigned site,
	struct requests_of_site *requests, bool service_accused)
{
	const struct scale *scale = &scales[DETECTOR_SLOW][1];
	unsigned slots = slots_of(call, scale);
	struct sum sum = {0}, recent = {0};
	struct shortfall_judgement judgement;
	const char *name = vantages_site_name(call->vantages, site);

	add_site(call, site, slots, &sum);
	add_site(call, site, scales[DETECTOR_SLOW][0].slots, &recent);
	judgement = shortfall_judge(&requests->sum, sum.seen, sum.expected,
		scale->caution, probability(call));
	judgement.speaks &= is_held(call, slots);
	if (!call->again)
		attendance_note(
			&requests->attendance, call->slot, recent.seen, recent.season);
	requests->doubted = judgement.speaks && judgement.z > judgement.threshold / 2;
	if (judgement.speaks && judgement.z > judgement.threshold &&
		sum.expected > EXPECTED_OF_SITE && drop_of(&sum) > DROP_OF_SITE &&
		sum.seasonal && !service_accused && !call->announced) {
		requests->accused = true;
		accuse(call, &sum, slots,
			attendance_is_staffs(&requests->attendance) ? SEVERITY_WARN
								    : SEVERITY_PAGE,
			name, start_of(DETECTOR_SLOW_US, call->slot - slots + 1));
	} else if (requests->accused && judgement.speaks && !requests->doubted) {
		requests->accused = false;
		detector_end(call, CAUSE_TRAFFIC, name, "");
	}
	if (judgement.speaks && !requests->doubted && !call->announced && !call->again)
		shortfall_learn(&requests->sum, sum.seen, sum.expected, judgement.z,
			judgement.threshold);
}

/* The whole of a settled slot, as if everybody had reported it; negative: not known. */
static double whole_of(const struct track *track, int64_t slot)
{
	const struct track_slot *seen = track_slot_at(track, slot);
	double exposure = track_exposure(track, slot);

	return seen && slot != track->first && exposure > .5 ? seen->requests / exposure
							     : -1;
}

static void learn_level(struct requests_of_site *requests, double whole, double usual)
{
	double ratio = fmin(fmax((whole + 1) / (usual + 1), .5), 1.6);

	if (!(requests->level > 0))
		requests->level = 1;
	requests->level += LEVEL_STEP * (ratio - requests->level);
	requests->level = fmin(fmax(requests->level, LEVEL_LEAST), LEVEL_MOST);
}

/* What its people's absence leaves of a quarter says little of the quarter. */
static double there_in(const struct requests_of_site *requests, int64_t slot)
{
	double sum = 0;

	for (int64_t s = slot - 2; s <= slot; s++) {
		const struct prospect *prospect =
			&requests->prospects[DETECTOR_SLOW][s % TRACK_SLOTS];

		sum += prospect->slot == s ? prospect->there : 1;
	}
	return sum / 3;
}

static bool was_doubted(const struct requests_of_site *requests, int64_t slot)
{
	bool doubted = false;

	for (int64_t s = slot - 2; s <= slot; s++) {
		const struct prospect *prospect =
			&requests->prospects[DETECTOR_SLOW][s % TRACK_SLOTS];

		doubted |= prospect->slot == s && prospect->doubted;
	}
	return doubted;
}

/* A quarter hour goes to the season once it has settled, as it would have been with
 * everybody there: cut where it surged, replaced by what was expected where something is
 * wrong or everybody is away. What comes back at its hour, day after day, is learnt as it
 * is; of absences, week after week. */
static void learn_season(struct requests_of_site *requests, const struct track *track,
	int64_t slot, bool doubt)
{
	struct moment at = start_of(DETECTOR_SLOW_US, slot - 2);
	struct season_expectation usual = season_at(&requests->season, at);
	double sum = 0, there = there_in(requests, slot);
	bool away = there < MOSTLY_AWAY, replaced = false, surging, returns;
	unsigned count = 0;

	for (int64_t s = slot - 2; s <= slot; s++)
		if (whole_of(track, s) >= 0) {
			sum += whole_of(track, s);
			count++;
		}
	/* Silence before the first request is no habit: it is not there yet. */
	if (!count || (sum <= 0 && !requests->season.newest))
		return;
	sum /= count * (away || there > MOSTLY_THERE ? 1 : there);
	surging = usual.weeks && sum > SURGE * usual.value + 10;
	if (usual.weeks && !doubt && !surging && there > MOSTLY_THERE)
		learn_level(requests, sum, usual.value);
	returns = season_was_replaced_weekly(&requests->season, at) ||
		  (!away && season_was_replaced_daily(&requests->season, at));
	/* One week alone may hold a surge: put in place of what is seen, it would stay
	 * for ever. */
	doubt = (doubt && usual.weeks >= 2) || away;
	if (usual.weeks) {
		replaced = doubt || surging;
		if (replaced && !returns)
			sum = usual.exact * (doubt ? level_of(requests) : SURGE_KEPT);
	}
	season_store(&requests->season, at, sum, replaced);
	if (at.us / SEASON_QUARTER_US % QUARTERS_A_DAY == 0)
		attendance_learn(&requests->attendance, &requests->season);
}

static void learn_site(struct detector_case *call, unsigned site,
	struct requests_of_site *requests, bool doubt, bool accused)
{
	const struct track *track = &detector_traffic_of(call, site)->tracks[call->pace];
	double whole = whole_of(track, call->slot);
	int64_t settled = call->slot - SETTLED_SLOTS;

	if (call->announced && call->pace == DETECTOR_SLOW)
		requests->passed_over[call->slot % TRACK_SLOTS] = call->slot;
	/* Of mere doubt it may move on: a weekend begins so. */
	if (whole >= 0 && !accused && !call->announced) {
		double step = fmax(RATE_STEP, 1. / ++requests->rated[call->pace]);

		requests->rate[call->pace] += step * (whole - requests->rate[call->pace]);
	}
	if (call->pace == DETECTOR_SLOW && settled % 3 == 2)
		learn_season(requests, track, settled,
			doubt || requests->doubted || was_doubted(requests, settled));
}

static void look_ahead(struct detector_case *call)
{
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		struct requests_of_site *requests = detector_of_site(call, site);
		const struct detector_traffic *traffic = detector_traffic_of(call, site);

		if (requests && traffic->tracks[call->pace].newest && !call->again)
			requests->prospects[call->pace][call->slot % TRACK_SLOTS] =
				prospect(call, site, requests, call->pace,
					traffic->tracks[call->pace].slot_us);
	}
}

/* All slots of the window that this one ends. */
static void doubt_window(const struct detector_case *call, unsigned site,
	struct requests_of_site *requests)
{
	const struct track *track = &detector_traffic_of(call, site)->tracks[call->pace];

	for (int64_t slot = call->slot;
		slot == call->slot || slot > call->slot - track->window_slots; slot--) {
		struct prospect *prospect =
			&requests->prospects[call->pace][slot % TRACK_SLOTS];

		prospect->doubted |= prospect->slot == slot;
	}
}

static void judge(struct detector_case *call)
{
	struct requests_of_service *service = detector_of_service(call);
	bool doubt;

	look_ahead(call);
	doubt = judge_service(call, service) || call->announced;
	for (unsigned site = 0; site < vantages_site_count(call->vantages); site++) {
		struct requests_of_site *requests = detector_of_site(call, site);

		if (!requests ||
			!detector_traffic_of(call, site)->tracks[call->pace].newest)
			continue;
		if (call->pace == DETECTOR_SLOW)
			judge_site(call, site, requests, service->accused);
		if (doubt || requests->doubted)
			doubt_window(call, site, requests);
		if (!call->again)
			learn_site(call, site, requests, doubt, service->accused);
	}
}

static void keep_service(struct archive *archive, void *state)
{
	struct requests_of_service *service = state;

	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		for (unsigned i = 0; i < SCALES; i++)
			for (unsigned busy = 0; busy < 2; busy++)
				shortfall_keep(archive, &service->sums[pace][i][busy]);
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		archive_double(archive, &service->height[pace]);
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		archive_bool(archive, &service->seasonal[pace]);
	archive_bool(archive, &service->accused);
	archive_moment(archive, &service->since);
}

static void prospect_keep(struct archive *archive, struct prospect *prospect)
{
	archive_index(archive, &prospect->slot);
	archive_float(archive, &prospect->season);
	archive_float(archive, &prospect->recent);
	archive_float(archive, &prospect->there);
	archive_bool(archive, &prospect->seasonal);
	archive_bool(archive, &prospect->young);
	archive_bool(archive, &prospect->doubted);
}

static void keep_cell(struct archive *archive, void *state)
{
	struct requests_of_site *requests = state;

	attendance_keep(archive, &requests->attendance);
	season_keep(archive, &requests->season);
	archive_double(archive, &requests->level);
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++) {
		archive_double(archive, &requests->rate[pace]);
		archive_u32(archive, &requests->rated[pace]);
	}
	archive_bool(archive, &requests->doubted);
	archive_bool(archive, &requests->accused);
	for (unsigned i = 0; i < TRACK_SLOTS; i++)
		archive_index(archive, &requests->passed_over[i]);
	shortfall_keep(archive, &requests->sum);
	for (unsigned pace = 0; pace < DETECTOR_PACES; pace++)
		for (unsigned i = 0; i < TRACK_SLOTS; i++)
			prospect_keep(archive, &requests->prospects[pace][i]);
}

const struct detector detect_traffic = {
	.name = "traffic",
	.service_size = sizeof(struct requests_of_service),
	.cell_size = sizeof(struct requests_of_site),
	.judge = judge,
	.keep_service = keep_service,
	.keep_cell = keep_cell,
};
